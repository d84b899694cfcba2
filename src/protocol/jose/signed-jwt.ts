import {
  type CompactVerifyResult,
  compactDecrypt,
  compactVerify,
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  type JWTPayload,
} from 'jose';
import { type ErrorDetails, ValidationError } from '../../errors.ts';
import { parseJsonObject } from '../json.ts';
import { describeCritical, LONGEST_TOKEN, readCompactJws } from './compact-jws.ts';
import { LATEST_TIME, readAudiences } from './jwt.ts';
import { repairJwt } from './jwt-repair.ts';
import { ENCRYPTION_ALGS, listEncryptionAlgs } from './key.ts';
import type { KeySet } from './key-set.ts';

/** Bytes of the decompressed content of a JWE. */
const LONGEST_CONTENT = 256 * 1024;

/** Seconds by which a server's clock may be ahead of ours. */
export const CLOCK_AHEAD = 60;

/** The keys to verify and decrypt a JWT from the server with. */
export interface JwtKeys {
  /** The keys of the server. */
  readonly jwks: JSONWebKeySet;
  /** Used for HS256, HS384 and HS512 only. */
  readonly client_secret?: string | undefined;
  /** The algorithm that the client is registered for, when it is known. */
  readonly alg?: string | undefined;
  /** What the metadata lists for this kind of JWT. */
  readonly supportedAlgs?: readonly string[] | undefined;
  /** The client's private keys, for a JWT that is encrypted. */
  readonly decryptionKeys?: readonly JWK[] | undefined;
  /** Receives each repair that was made before the JWT was verified. */
  readonly onRepair?: ((what: string) => void) | undefined;
}

/** The expected issuer and audience of a JWT from the server. */
export interface JwtParties {
  readonly issuer: string;
  readonly client_id: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Seconds by which the server's clock may differ; 0 where it is not given. */
  readonly leeway?: number | undefined;
}

/** How a JWE was encrypted. */
export interface JwtEncryption {
  readonly alg: string;
  readonly enc: string;
}

export interface OpenedJwt {
  readonly alg: string;
  /** `typ` of the header. */
  readonly typ: unknown;
  readonly claims: JWTPayload;
  /** Undefined where it was signed only. */
  readonly encryption?: JwtEncryption | undefined;
}

/** Makes the error that says what is wrong with a JWT. */
export type JwtRefusal = (what: string, details?: ErrorDetails) => ValidationError;

/**
 * Decrypts a JWT from the server where it is a JWE, and verifies its signature: by a key of the server's JWKS, or by the
 * client secret. A key in the JWT itself is never used. No claim is checked.
 * @param mayRepeat whether a claim may occur twice with the same string as its value
 * @throws the error that `refuse` makes for the first flaw
 * @see https://www.rfc-editor.org/rfc/rfc8725#section-3
 * @see https://openid.net/specs/openid-connect-core-1_0.html#SigningOrder
 */
export async function openSignedJwt(
  jwt: string,
  keys: JwtKeys,
  refuse: JwtRefusal,
  mayRepeat = false,
): Promise<OpenedJwt> {
  if (jwt.length > LONGEST_TOKEN) throw refuse(`it has ${jwt.length} characters, which is too long`);
  const repaired = repair(jwt, keys);
  const isEncrypted = isJwe(repaired);
  const decrypted = isEncrypted ? await decryptJwe(repaired, keys.decryptionKeys ?? [], refuse) : undefined;
  const jws = decrypted === undefined ? repaired : repair(decrypted.content, keys);
  const { header, flaws } = readCompactJws(jws, mayRepeat);
  if (header === undefined || (isEncrypted && jws.split('.').length !== 3)) {
    throw refuse(
      isEncrypted ? 'its encrypted content is not a signed JWT' : 'it is not a signed JWT that can be read',
    );
  }
  const [flaw] = flaws;
  if (flaw !== undefined) throw refuse(flaw.detail);
  const critical = describeCritical(header);
  if (critical !== undefined) throw refuse(critical);
  const alg = checkAlgorithm(header.alg, keys, refuse);
  const claims = await verifySignature(jws, alg, keys, refuse);
  return { alg, typ: header.typ, claims, encryption: decrypted?.encryption };
}

/** Repairs the encoding of a JWT. */
function repair(jwt: string, { onRepair }: JwtKeys): string {
  const repaired = repairJwt(jwt);
  for (const what of repaired?.repairs ?? []) onRepair?.(`the JWT of the server: ${what}`);
  return repaired?.text ?? jwt;
}

/** Lists what is wrong with the issuer and audience of a JWT from the server: `iss`, `aud`. */
export function findWrongParties(claims: JWTPayload, { issuer, client_id }: JwtParties): string[] {
  const { iss, aud } = claims;
  return [
    ...(iss === issuer ? [] : [`iss is ${show(iss)}, expected ${issuer}`]),
    ...(readAudiences(claims).includes(client_id) ? [] : [`aud is ${show(aud)}, expected ${client_id}`]),
  ];
}

/** Lists what is wrong with the common claims of a JWT from the server: `iss`, `aud`, `exp`, `nbf`. */
export function findWrongCommonClaims(claims: JWTPayload, expected: JwtParties): string[] {
  const { exp, nbf } = claims;
  const { leeway = 0 } = expected;
  const now = expected.now / 1000;
  const wrong = findWrongParties(claims, expected);
  if (typeof exp !== 'number') wrong.push('exp is missing or not a number');
  else if (isMilliseconds(exp)) wrong.push(describeMilliseconds('exp', exp));
  // 1e400 is read as Infinity.
  else if (exp > LATEST_TIME) wrong.push('exp is after the year 9999');
  else if (exp <= now - leeway) wrong.push(`it expired ${Math.round(now - exp)} s ago`);
  if (nbf !== undefined && typeof nbf !== 'number') wrong.push('nbf is not a number');
  else if (nbf !== undefined && isMilliseconds(nbf)) wrong.push(describeMilliseconds('nbf', nbf));
  else if (nbf !== undefined && nbf > now + Math.max(CLOCK_AHEAD, leeway))
    wrong.push(`it is not valid for another ${Math.round(nbf - now)} s (nbf)`);
  return wrong;
}

/** Says whether a time must be in milliseconds: in seconds it would be after the year 9999. */
export function isMilliseconds(time: number): boolean {
  return time > LATEST_TIME && time / 1000 <= LATEST_TIME;
}

/** Describes a claim that is in milliseconds. @see https://www.rfc-editor.org/rfc/rfc7519#section-2 */
export function describeMilliseconds(name: string, time: number): string {
  return `${name} is ${time}, which is in milliseconds; it must be seconds since 1970`;
}

/** Formats a claim for an error. */
export function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value);
}

export interface Decrypted {
  readonly content: string;
  readonly encryption: JwtEncryption;
}

/** Says whether a JWT is encrypted, by the number of its parts. */
export function isJwe(jwt: string): boolean {
  return jwt.split('.').length === 5;
}

/**
 * Decrypts a JWE from the server. This does not prove who made it.
 * @param keys the client's private keys
 * @throws the error that `refuse` makes
 * @see https://www.rfc-editor.org/rfc/rfc7516#section-5.2
 */
export async function decryptJwe(jwe: string, keys: readonly JWK[], refuse: JwtRefusal): Promise<Decrypted> {
  const { alg, enc, kid } = readHeader(jwe, refuse);
  const encryption = { alg: String(alg), enc: String(enc) };
  if (!(ENCRYPTION_ALGS as readonly string[]).includes(encryption.alg))
    throw refuse(`it is encrypted with ${show(alg)}, which is not decrypted here`);
  if (keys.length === 0) {
    throw refuse(`it is encrypted with ${alg}, and there is no key to decrypt it with`, {
      hint: 'Give --decryption-key FILE: the private key whose public key is registered with "use": "enc".',
    });
  }
  const fitting = keys.filter((key) => listEncryptionAlgs(key).includes(encryption.alg));
  const named = fitting.filter((key) => kid !== undefined && key.kid === kid);
  let cause: unknown;
  let other: unknown;
  // A PEM has no kid, and a server may give a key another kid than its file has.
  for (const key of named.length > 0 ? named : fitting) {
    try {
      const { plaintext } = await compactDecrypt(jwe, await importJWK({ ...key, alg: encryption.alg }), {
        keyManagementAlgorithms: [encryption.alg],
        maxDecompressedLength: LONGEST_CONTENT,
      });
      return { content: new TextDecoder().decode(plaintext), encryption };
    } catch (error) {
      // Any other error says more than that a key is the wrong one.
      if (error instanceof errors.JWEDecryptionFailed) cause = error;
      else other ??= error;
    }
  }
  if (other !== undefined) throw refuse(`it cannot be decrypted: ${errorText(other)}`, { cause: other });
  const by = `${alg}${kid === undefined ? '' : ` for the key ${show(kid)}`}`;
  throw refuse(`it is encrypted with ${by}, and no decryption key of the client opens it`, {
    hint: 'Compare the file of --decryption-key with the key that is registered for the client; a server may keep the old keys for a while.',
    cause,
  });
}

function readHeader(jwe: string, refuse: JwtRefusal): Readonly<Record<string, unknown>> {
  try {
    return decodeProtectedHeader(jwe);
  } catch (cause) {
    throw refuse('it is encrypted, and its header cannot be read', { cause });
  }
}

function checkAlgorithm(
  alg: unknown,
  { alg: registered, supportedAlgs }: JwtKeys,
  refuse: JwtRefusal,
): string {
  if (typeof alg !== 'string' || alg.trim().toLowerCase() === 'none')
    throw refuse('it is not signed (alg none)');
  if (registered !== undefined && alg !== registered)
    throw refuse(`its alg is ${alg}, and the client is registered for ${registered}`);
  if (registered === undefined && supportedAlgs !== undefined && !supportedAlgs.includes(alg))
    throw refuse(`its alg is ${alg}, which the server's metadata does not list for it`);
  return alg;
}

async function verifySignature(
  jws: string,
  alg: string,
  keys: JwtKeys,
  refuse: JwtRefusal,
): Promise<JWTPayload> {
  try {
    const { payload } = alg.startsWith('HS')
      ? await compactVerify(jws, new TextEncoder().encode(requireSecret(alg, keys, refuse)), {
          algorithms: [alg],
        })
      : await verifyByJwks(jws, alg, keys.jwks);
    const claims = parseJsonObject(new TextDecoder().decode(payload));
    if (claims === undefined) throw refuse('its payload is no JSON object');
    return claims as JWTPayload;
  } catch (error) {
    if (error instanceof ValidationError) throw error;
    if (error instanceof errors.JWSSignatureVerificationFailed)
      throw refuse('its signature is wrong', { cause: error });
    if (error instanceof errors.JWKSNoMatchingKey)
      throw refuse(`no key in the JWKS matches its kid and alg${describePassedOver(keys.jwks)}`, {
        cause: error,
      });
    // An error of jose, or of the runtime for a key that it rejects.
    throw refuse(`its signature cannot be checked: ${errorText(error)}`, { cause: error });
  }
}

/** Lists the entries of the JWKS that are not used. */
function describePassedOver(jwks: JSONWebKeySet): string {
  const { passedOver = [] } = jwks as Partial<KeySet>;
  const unused = jwks.keys.length === 0 && passedOver.length === 0 ? ['the set is empty'] : passedOver;
  return unused.length === 0 ? '' : ` (${unused.slice(0, 10).join('; ')})`;
}

/** Without a `kid` in the header several keys may match, and any of them may be the right one. */
async function verifyByJwks(jws: string, alg: string, jwks: JSONWebKeySet): Promise<CompactVerifyResult> {
  const options = { algorithms: [alg] };
  try {
    return await compactVerify(jws, createLocalJWKSet(jwks), options);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return await compactVerify(jws, key, options);
      } catch (mismatch) {
        if (!(mismatch instanceof errors.JWSSignatureVerificationFailed)) throw mismatch;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

function requireSecret(alg: string, { client_secret }: JwtKeys, refuse: JwtRefusal): string {
  if (client_secret === undefined)
    throw refuse(`its alg is ${alg}, and there is no client secret to check it with`);
  return client_secret;
}

function errorText(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
