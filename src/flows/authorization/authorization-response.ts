import type { Context } from '../../context.ts';
import { OauthctlError, ValidationError } from '../../errors.ts';
import { stringifyMember } from '../../exact-json.ts';
import { decodeUnverified } from '../../protocol/jose/jwt.ts';
import {
  type AuthorizationResponse,
  parseAuthorizationResponse,
  readSingleValue,
  responsePlace,
} from '../../protocol/oauth/authorization.ts';
import { definedParameters, type FormParameters } from '../../protocol/oauth/form.ts';
import { isSecretName } from '../../redact.ts';
import type { RedirectPlace } from '../../servers/redirect.ts';
import { prepareVerification } from '../server/jwks.ts';
import type { Target } from '../server/target.ts';
import type { FindingVerdict } from './browser-wait.ts';
import { findStateMismatch, refuseResponse, type StateMismatch } from './response-state.ts';

/** The outcome of the expected redirect. */
export type RedirectOutcome =
  | {
      readonly kind: 'response';
      readonly response: AuthorizationResponse;
      /** Whether it came in a JWT whose signature was verified. */
      readonly isSigned: boolean;
      /** Deviations that are no reason to refuse it. */
      readonly remarks: readonly string[];
    }
  /** It answers the request, but must not be trusted. */
  | { readonly kind: 'failure'; readonly error: OauthctlError };

export type ResponseVerdict = FindingVerdict<RedirectOutcome>;

/**
 * Checks a request to the redirect URI. One without the `state` that was sent does not answer the request: it is refused,
 * and the wait continues.
 * @param sent the parameters of the authorization request
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-10.12
 * @see https://openid.net/specs/oauth-v2-jarm.html#section-2.4
 */
export async function checkRedirect(
  ctx: Context,
  target: Target,
  sent: FormParameters,
  received: FormParameters,
  place: RedirectPlace,
): Promise<ResponseVerdict> {
  const jwt = readSingleValue(received, 'response');
  if (jwt !== undefined) return checkJwtResponse(ctx, target, sent, jwt, place);
  const mismatch = findStateMismatch(sent, received);
  if (mismatch !== undefined) return refuseResponse(mismatch, { isFinding: isResponse(received) });
  return take(ctx, target, sent, received, { place, isJwt: false });
}

async function checkJwtResponse(
  ctx: Context,
  target: Target,
  sent: FormParameters,
  jwt: string,
  place: RedirectPlace,
): Promise<ResponseVerdict> {
  // The state of an encrypted response is known only after decryption.
  const claimed = decodeUnverified(jwt)?.claims;
  const mismatch = claimed && findJwtMismatch(sent, claimed);
  if (mismatch !== undefined) return refuseResponse(mismatch);
  let claims: Claims;
  try {
    claims = await readJwt(ctx, target, jwt);
  } catch (error) {
    if (!(error instanceof OauthctlError)) throw error;
    // Anyone can send a response that cannot be decrypted.
    if (claimed === undefined)
      return {
        kind: 'turned_away',
        reason: `a "response" that cannot be read: ${error.message}. ${error.hint ?? ''}`.trimEnd(),
        finding: error,
      };
    return taken({ kind: 'failure', error });
  }
  const mismatchInside = findJwtMismatch(sent, claims);
  if (mismatchInside !== undefined) return refuseResponse(mismatchInside);
  return take(ctx, target, sent, readJwtParameters(claims), { place, isJwt: true });
}

type Claims = Readonly<Record<string, unknown>>;

function findJwtMismatch(sent: FormParameters, claims: Claims): StateMismatch | undefined {
  return findStateMismatch(sent, readJwtParameters(claims), claims.state);
}

/** The claims of a response that is a JWT, as the parameters that it would have had otherwise. */
function readJwtParameters({ aud: _aud, exp: _exp, iat: _iat, ...members }: Claims): FormParameters {
  return definedParameters(
    Object.fromEntries(
      Object.entries(members).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : stringifyMember(members, name),
      ]),
    ),
  );
}

/** What an authorization response has at least one of; a request without any is no response, such as a page reload. */
const RESPONSE_PARAMETERS = ['code', 'error', 'access_token', 'id_token', 'state'];

function isResponse(received: FormParameters): boolean {
  return received.some(([name]) => RESPONSE_PARAMETERS.includes(name));
}

async function readJwt(ctx: Context, target: Target, jwt: string) {
  const { readAuthorizationJwt } = await import('../../protocol/oauth/jarm.ts');
  const keys = await prepareVerification(ctx, target, 'authorization_signing_alg_values_supported');
  return readAuthorizationJwt(jwt, keys);
}

/** Reads the response, successful or not. */
function take(
  ctx: Context,
  { metadata }: Target,
  sent: FormParameters,
  received: FormParameters,
  { place, isJwt }: { place: RedirectPlace; isJwt: boolean },
): ResponseVerdict {
  for (const [name, value] of received) if (isSecretName(name)) ctx.redactor.know(value);
  const responseType = readSingleValue(sent, 'response_type');
  const mode = readSingleValue(sent, 'response_mode');
  try {
    const response = parseAuthorizationResponse(received, {
      issuer: metadata.issuer,
      requiresIss: metadata.authorization_response_iss_parameter_supported === true,
      responseType,
      isJwt,
    });
    if (response.kind === 'granted' && mode?.endsWith('jwt') && !isJwt) throw notSigned();
    const expected = responsePlace(responseType, mode);
    const isThere = place === expected || (place !== 'query' && expected !== 'query');
    const remarks = isThere ? [] : [`the response was to come by ${expected}, and came by ${place}`];
    return taken({ kind: 'response', response, isSigned: isJwt, remarks });
  } catch (error) {
    if (!(error instanceof OauthctlError)) throw error;
    return taken({ kind: 'failure', error });
  }
}

function notSigned(): ValidationError {
  return new ValidationError(
    'authorization_response_invalid',
    'a signed authorization response was asked for, and its parameters came bare',
    {
      hint: 'The server does not support JARM, or somebody has taken the signature off: its code was sent nowhere.',
    },
  );
}

function taken(outcome: RedirectOutcome): ResponseVerdict {
  return { kind: 'taken', response: outcome, trouble: findProblem(outcome) };
}

function findProblem(outcome: RedirectOutcome): string | undefined {
  if (outcome.kind === 'failure') return `${outcome.error.message}.`;
  if (outcome.response.kind === 'granted') return undefined;
  const { error, error_description } = outcome.response.oauth;
  return `The server answered ${error_description === undefined ? error : `${error}: ${error_description}`}.`;
}
