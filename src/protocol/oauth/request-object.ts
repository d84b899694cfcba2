import { base64url, CompactEncrypt, importJWK, type JSONWebKeySet, type JWK, type JWTPayload } from 'jose';
import { UsageError, ValidationError } from '../../errors.ts';
import { parseJson } from '../../exact-json.ts';
import { ENCRYPTION_ALGS, listEncryptionAlgs, pickPublicPart } from '../jose/key.ts';
import { encodeClaims, signJwt } from '../jose/sign-jwt.ts';
import { isJsonObject } from '../json.ts';
import type { FormParameters } from './form.ts';

/** @see https://www.rfc-editor.org/rfc/rfc9101#section-10.8 */
const TYPE = 'oauth-authz-req+jwt';

/** Lifetime of a request object in seconds: the user may have to log in before the server reads it again. */
const LIFETIME = 300;

/** Every content encryption of jose, the default of servers first. */
const CONTENT_ENCRYPTIONS = [
  ...['A128CBC-HS256', 'A256GCM', 'A128GCM', 'A256CBC-HS512', 'A192GCM', 'A192CBC-HS384'],
] as const;

/** Parameters that a request object must not contain: another request object, and the client authentication. */
const NEVER_INSIDE = new Set([
  ...['request', 'request_uri'],
  ...['client_secret', 'client_assertion', 'client_assertion_type'],
]);

/** The key and algorithms that a request object is encrypted with for the server. */
export interface RequestObjectEncryption {
  /** The server's keys. */
  readonly jwks: JSONWebKeySet;
  /** The user's own choice. */
  readonly alg?: string | undefined;
  /** The user's own choice. */
  readonly enc?: string | undefined;
  /** What the metadata lists in `request_object_encryption_alg_values_supported`. */
  readonly supportedAlgs?: readonly string[] | undefined;
  /** What the metadata lists in `request_object_encryption_enc_values_supported`. */
  readonly supportedEncs?: readonly string[] | undefined;
  /** Whether the server was recognised as Keycloak. */
  readonly isKeycloak?: boolean | undefined;
}

export interface RequestObjectOptions {
  readonly client_id: string;
  /** The issuer. */
  readonly audience: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Must not have been used before. */
  readonly jti: string;
  /** A private key, or the client secret; undefined leaves it unsigned. */
  readonly key: JWK | string | undefined;
  /** The user's own choice of an algorithm; `none` leaves it unsigned, whatever the key. */
  readonly alg?: string | undefined;
  /** What the metadata lists in `request_object_signing_alg_values_supported`. */
  readonly supportedAlgs?: readonly string[] | undefined;
  /** Seconds. */
  readonly lifetime?: number | undefined;
  readonly encryption?: RequestObjectEncryption | undefined;
}

/**
 * Puts the parameters of an authorization request into a JWT, signed and optionally encrypted for the server. A repeated
 * name becomes an array; `claims`, `authorization_details` and `max_age` become JSON values.
 * @throws UsageError `parameter_invalid`, `request_object_unsigned`, `signing_alg_unknown`, `signing_alg_unfit`,
 * `key_unfit`, `encryption_alg_unknown`, `encryption_alg_unfit`; ValidationError `encryption_key_missing`, `encryption_key_invalid`
 * @see https://www.rfc-editor.org/rfc/rfc9101#section-4
 * @see https://openid.net/specs/openid-connect-core-1_0.html#RequestObject
 */
export async function buildRequestObject(
  parameters: FormParameters,
  options: RequestObjectOptions,
): Promise<string> {
  const { client_id, audience, jti, key, alg, supportedAlgs, lifetime = LIFETIME, encryption } = options;
  const now = Math.floor(options.now / 1000);
  const claims = {
    client_id,
    ...buildClaims(parameters),
    ...{ iss: client_id, aud: audience, jti, iat: now, nbf: now, exp: now + lifetime },
  };
  const isUnsigned = alg === 'none' || (key === undefined && alg === undefined);
  const jwt = isUnsigned
    ? unsigned(claims, options)
    : await signJwt(
        claims,
        { key: requireKey(options), alg, supportedAlgs },
        { name: 'the request object', typ: TYPE, algFlag: '--request-object-alg' },
      );
  return encryption === undefined ? jwt : encrypt(jwt, encryption);
}

function buildClaims(parameters: FormParameters): JWTPayload {
  const values = new Map<string, unknown[]>();
  for (const [name, text] of parameters) {
    if (NEVER_INSIDE.has(name)) continue;
    values.set(name, [...(values.get(name) ?? []), parseClaim(name, text)]);
  }
  return Object.fromEntries([...values].map(([name, all]) => [name, all.length === 1 ? all[0] : all]));
}

function parseClaim(name: string, text: string): unknown {
  switch (name) {
    case 'max_age': {
      if (/^\d+$/.test(text)) return Number(text);
      throw parameterInvalid(name, 'a whole number of seconds', text);
    }
    case 'claims': {
      const value = readJson(text);
      if (isJsonObject(value)) return value;
      throw parameterInvalid(name, 'a JSON object', text);
    }
    case 'authorization_details': {
      const value = readJson(text);
      if (Array.isArray(value)) return value;
      throw parameterInvalid(name, 'a JSON array', text);
    }
    default:
      return text;
  }
}

function readJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function parameterInvalid(name: string, what: string, text: string): UsageError {
  return new UsageError(
    'parameter_invalid',
    `in a request object, ${name} must be ${what}; "${text}" is invalid`,
    {
      hint: 'Without a request object, it is sent as it is.',
    },
  );
}

function requireKey({ key, alg }: RequestObjectOptions): JWK | string {
  if (key !== undefined) return key;
  throw new UsageError('request_object_unsigned', `there is no key to sign the request object with ${alg}`, {
    hint: SIGNING_HINT,
  });
}

const SIGNING_HINT =
  'Give --request-object-key FILE or --client-key FILE, or --client-secret REF for HS256, HS384 and HS512.';

function unsigned(claims: JWTPayload, { alg, supportedAlgs }: RequestObjectOptions): string {
  if (alg !== 'none' && supportedAlgs?.includes('none') === false) {
    throw new UsageError(
      'request_object_unsigned',
      'the server does not list unsigned request objects, and there is no key to sign this one with',
      { hint: SIGNING_HINT },
    );
  }
  const [header, payload] = [{ alg: 'none' }, claims].map((part) => base64url.encode(encodeClaims(part)));
  return `${header}.${payload}.`;
}

async function encrypt(jwt: string, encryption: RequestObjectEncryption): Promise<string> {
  const { alg, key } = chooseEncryption(encryption);
  const enc = chooseContentEncryption(encryption);
  try {
    return await new CompactEncrypt(new TextEncoder().encode(jwt))
      .setProtectedHeader({ alg, enc, cty: 'JWT', ...(key.kid !== undefined && { kid: key.kid }) })
      .encrypt(await importJWK(pickPublicPart({ ...key, alg }), alg));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ValidationError(
      'encryption_key_invalid',
      `the server's key "${key.kid ?? ''}" cannot encrypt the request object with ${alg}: ${why}`,
      { hint: "The key in the server's JWKS is at fault.", cause },
    );
  }
}

/** Chooses the algorithm and the key of the server: the requested algorithm, else the first listed one that a key fits. */
function chooseEncryption({ jwks, alg: wanted, supportedAlgs, isKeycloak }: RequestObjectEncryption): {
  readonly alg: string;
  readonly key: JWK;
} {
  const all: readonly string[] = ENCRYPTION_ALGS;
  if (wanted !== undefined && !all.includes(wanted)) {
    throw new UsageError(
      'encryption_alg_unknown',
      `"${wanted}" is not an algorithm to encrypt with a public key`,
      {
        hint: `There are: ${all.join(', ')}.`,
      },
    );
  }
  const listed = all.filter((alg) => supportedAlgs === undefined || supportedAlgs.includes(alg));
  const candidates = wanted === undefined ? listed : [wanted];
  if (candidates.length === 0) {
    throw new UsageError(
      'encryption_alg_unfit',
      'the server lists no supported algorithm to encrypt a request object with',
      { hint: supportedAlgs?.length ? `It lists ${supportedAlgs.join(', ')}.` : 'It lists none.' },
    );
  }
  // Keys that are declared for encryption are preferred to keys without a declared use.
  const keys = jwks.keys
    .filter(isJsonObject)
    .toSorted((one, other) => Number(other.use === 'enc') - Number(one.use === 'enc'));
  for (const alg of candidates) {
    const key = keys.find((one) => listEncryptionAlgs(one).includes(alg));
    if (key !== undefined) return { alg, key };
  }
  const offered = [...new Set(keys.flatMap(listEncryptionAlgs))];
  throw new ValidationError(
    'encryption_key_missing',
    `the server's JWKS has no key to encrypt with ${candidates.join(' or ')}`,
    {
      hint:
        offered.length > 0
          ? `Its keys are for ${offered.join(', ')}.`
          : isKeycloak
            ? 'None of its keys is for encryption ("use": "enc"): add a key provider such as rsa-enc-generated to the realm.'
            : 'None of its keys is for encryption ("use": "enc").',
    },
  );
}

function chooseContentEncryption({ enc: wanted, supportedEncs }: RequestObjectEncryption): string {
  const all: readonly string[] = CONTENT_ENCRYPTIONS;
  if (wanted !== undefined) {
    if (all.includes(wanted)) return wanted;
    throw new UsageError(
      'encryption_alg_unknown',
      `"${wanted}" is not an algorithm to encrypt content with`,
      {
        hint: `There are: ${all.join(', ')}.`,
      },
    );
  }
  const chosen = all.find((enc) => supportedEncs === undefined || supportedEncs.includes(enc));
  if (chosen !== undefined) return chosen;
  throw new UsageError(
    'encryption_alg_unfit',
    'the server lists no supported algorithm to encrypt the content of a request object with',
    { hint: `It lists ${supportedEncs?.join(', ') || 'none'}.` },
  );
}
