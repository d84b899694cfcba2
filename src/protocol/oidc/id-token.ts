import type { JWTPayload } from 'jose';
import { ValidationError } from '../../errors.ts';
import { readAudiences } from '../jose/jwt.ts';
import {
  CLOCK_AHEAD,
  describeMilliseconds,
  findWrongCommonClaims,
  isMilliseconds,
  type JwtKeys,
  type JwtParties,
  type JwtRefusal,
  type OpenedJwt,
  openSignedJwt,
  show,
} from '../jose/signed-jwt.ts';
import { computeHalfHash } from '../jose/token-hash.ts';

/** Seconds by which an ID token may have been issued before its request. */
const ISSUED_BEFORE = 300;

/** The parts of an authentication request that its ID token is compared with. */
export interface AuthenticationExpectations {
  /** The nonce that the ID token must have. */
  readonly nonce?: string | undefined;
  /** Seconds: `max_age` of the request. */
  readonly maxAge?: number | undefined;
  /** `acr_values` of the request, separated by spaces. */
  readonly acrValues?: string | undefined;
  /** The values of an `acr` that `claims` of the request made essential; the ID token must have one of them. */
  readonly essentialAcr?: readonly string[] | undefined;
  /** The time of the request in milliseconds since the epoch, if it is known. */
  readonly requestedAt?: number | undefined;
  /** The access token that was issued with the ID token, for `at_hash`. */
  readonly accessToken?: string | undefined;
  /** The code that was issued with the ID token, or exchanged for it, for `c_hash`. */
  readonly code?: string | undefined;
  /** `state` of the request, for `s_hash`. */
  readonly state?: string | undefined;
  /** Other clients that it may be issued to: the audiences of a token exchange. */
  readonly issuedTo?: readonly string[] | undefined;
  /** The audiences that it may have in addition to the client. */
  readonly trustedAudiences?: readonly string[] | undefined;
  /** Of a refresh: the claims of the ID token that was issued at the authentication. */
  readonly original?: JWTPayload | undefined;
  /** Whether it came through the browser, which makes the hashes of the access token and the code mandatory. */
  readonly isFrontChannel?: boolean | undefined;
}

/**
 * What an ID token is checked against: `alg` is the client's registered `id_token_signed_response_alg`, `supportedAlgs`
 * the metadata's `id_token_signing_alg_values_supported`.
 */
export interface IdTokenExpectations extends JwtKeys, JwtParties, AuthenticationExpectations {}

export interface VerifiedIdToken extends OpenedJwt {
  /** Deviations from the request that are not a reason to refuse it. */
  readonly remarks: readonly string[];
}

/**
 * Validates an ID token: decryption, algorithm, signature, `iss`, `aud`, `azp`, `exp`, `iat`, and, if
 * expected, `nonce`, `auth_time` and the hashes. Any failed check is an error, except for an `acr` that `acr_values`
 * requested: it is voluntary, so another one is only a remark.
 * @throws ValidationError `id_token_invalid` that names every wrong claim, or the flaw that was found before the claims
 * @see https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
 * @see https://openid.net/specs/openid-connect-core-1_0.html#HybridIDTValidation
 */
export async function verifyIdToken(
  idToken: string,
  expected: IdTokenExpectations,
): Promise<VerifiedIdToken> {
  const opened = await openSignedJwt(idToken, expected, invalid);
  const { claims, alg } = opened;
  const hashes = await checkHashes(claims, alg, expected);
  const isForAnother = typeof claims.aud === 'string' && expected.issuedTo?.includes(claims.aud);
  const holder = isForAnother ? String(claims.aud) : expected.client_id;
  const wrong = [
    ...findWrongCommonClaims(claims, { ...expected, client_id: holder }),
    ...findWrongOwnClaims(claims, expected, holder),
    ...findWrongAuthentication(claims, expected),
    ...(expected.original === undefined ? [] : findRefreshDifferences(claims, expected.original)),
    ...hashes.wrong,
  ];
  if (wrong.length > 0) throw invalid(wrong.join('; '), { hint: chooseHint(claims, expected, holder) });
  return { ...opened, remarks: [...remarkOnAcr(claims, expected), ...hashes.remarks] };
}

/** @param holder the client that it is issued to, which only in an exchange is another one than that of the request */
function findWrongOwnClaims(claims: JWTPayload, expected: IdTokenExpectations, holder: string): string[] {
  const { sub, iat, azp } = claims;
  const now = expected.now / 1000;
  const audiences = readAudiences(claims);
  const strangers = listStrangers(claims, expected, holder);
  const wrong: string[] = [];
  if (typeof sub !== 'string' || sub === '') wrong.push('sub is missing');
  if (strangers.length > 0) wrong.push(`aud also names ${strangers.join(', ')}, which is not trusted`);
  else if (audiences.length > 1 && azp === undefined)
    wrong.push(`azp is missing; with several audiences it must be ${expected.client_id}`);
  if (azp !== undefined && azp !== expected.client_id && azp !== holder)
    wrong.push(`azp is ${show(azp)}, expected ${expected.client_id}`);
  if (typeof iat !== 'number') wrong.push('iat is missing or not a number');
  else if (isMilliseconds(iat)) wrong.push(describeMilliseconds('iat', iat));
  else if (iat > now + Math.max(CLOCK_AHEAD, expected.leeway ?? 0))
    wrong.push(`iat is ${Math.round(iat - now)} s in the future`);
  else if (
    expected.requestedAt !== undefined &&
    iat < expected.requestedAt / 1000 - Math.max(ISSUED_BEFORE, expected.leeway ?? 0)
  ) {
    wrong.push(`it was issued ${Math.round(expected.requestedAt / 1000 - iat)} s before it was requested`);
  }
  return wrong;
}

/** Lists the audiences other than the client that are not trusted. @see https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation */
function listStrangers(
  claims: JWTPayload,
  { trustedAudiences = [] }: IdTokenExpectations,
  holder: string,
): readonly string[] {
  const audiences = readAudiences(claims);
  if (!audiences.includes(holder)) return [];
  return audiences.filter((audience) => audience !== holder && !trustedAudiences.includes(audience));
}

/** Chooses the hint for an invalid ID token. */
function chooseHint(claims: JWTPayload, expected: IdTokenExpectations, holder: string): string {
  const strangers = listStrangers(claims, expected, holder);
  if (strangers.length > 0 && claims.azp === expected.client_id)
    return `If you trust these audiences, accept them with --trust-audience "${strangers.join(' ')}", or in the profile (trust_audience). ${AT_FAULT}`;
  const { exp, iat, nbf = 0 } = claims;
  const now = expected.now / 1000;
  const isClock =
    typeof exp === 'number' && typeof iat === 'number' && exp > iat && (exp <= now || iat > now || nbf > now);
  return isClock
    ? `Compare the clocks of this machine and of the server; if neither can be set, --leeway SECONDS allows a difference. ${AT_FAULT}`
    : AT_FAULT;
}

/**
 * Lists the differences of an ID token of a refresh from the one that was issued at the authentication.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse
 */
function findRefreshDifferences(claims: JWTPayload, original: JWTPayload): string[] {
  const differs = (name: string) => claims[name] !== original[name];
  const said = (name: string) =>
    `${name} is ${show(claims[name])}, but in the original ID token it is ${show(original[name])}`;
  const wrong = ['iss', 'sub', 'azp'].filter(differs).map(said);
  const audiences = readAudiences(claims);
  const isSame =
    audiences.length === readAudiences(original).length &&
    readAudiences(original).every((audience) => audiences.includes(audience));
  if (!isSame) wrong.push(said('aud'));
  // These two may be missing.
  for (const name of ['auth_time', 'nonce'])
    if (claims[name] !== undefined && differs(name)) wrong.push(said(name));
  return wrong;
}

function findWrongAuthentication(
  { nonce, auth_time, acr }: JWTPayload,
  { nonce: sent, maxAge, essentialAcr, requestedAt, now }: IdTokenExpectations,
): string[] {
  const wrong: string[] = [];
  if (sent !== undefined && nonce === undefined) wrong.push('nonce is missing, but one was sent');
  else if (sent !== undefined && nonce !== sent) wrong.push('nonce is not the one that was sent');
  if (essentialAcr !== undefined && !(typeof acr === 'string' && essentialAcr.includes(acr)))
    wrong.push(`acr is ${show(acr)}, but ${essentialAcr.join(' or ')} was requested as essential`);
  if (maxAge === undefined) return wrong;
  if (typeof auth_time !== 'number') {
    wrong.push('auth_time is missing or not a number, but max_age requires it');
    return wrong;
  }
  // Measured from the request, because the login and the consent may take long.
  const age = (requestedAt ?? now) / 1000 - auth_time;
  if (age > maxAge + CLOCK_AHEAD)
    wrong.push(`auth_time is ${Math.round(age)} s before the request, but max_age allows ${maxAge} s`);
  else if (auth_time > now / 1000 + CLOCK_AHEAD)
    wrong.push(`auth_time is ${Math.round(auth_time - now / 1000)} s in the future`);
  return wrong;
}

async function checkHashes(
  claims: JWTPayload,
  alg: string,
  { accessToken, code, state, isFrontChannel = false }: IdTokenExpectations,
): Promise<{ readonly wrong: readonly string[]; readonly remarks: readonly string[] }> {
  const hashes = [
    { claim: 'at_hash', of: accessToken, what: 'the access token', isRequired: isFrontChannel },
    { claim: 'c_hash', of: code, what: 'the code', isRequired: isFrontChannel },
    { claim: 's_hash', of: state, what: 'the state', isRequired: false },
  ];
  const wrong: string[] = [];
  const remarks: string[] = [];
  for (const { claim, of, what, isRequired } of hashes) {
    const hash = claims[claim];
    if (of === undefined || (hash === undefined && !isRequired)) continue;
    const right = await computeHalfHash(of, alg);
    if (hash === undefined) wrong.push(`${claim} is missing, but ${what} was issued with it`);
    else if (right === undefined)
      (isRequired ? wrong : remarks).push(`${claim} cannot be checked: no hash is defined for ${alg}`);
    else if (hash !== right) wrong.push(`${claim} is not the hash of ${what}`);
  }
  return { wrong, remarks };
}

function remarkOnAcr({ acr }: JWTPayload, { acrValues }: IdTokenExpectations): string[] {
  const asked = acrValues?.split(' ').filter(Boolean) ?? [];
  if (asked.length === 0 || (typeof acr === 'string' && asked.includes(acr))) return [];
  return [`acr is ${show(acr)}, but acr_values requested ${asked.join(' or ')}`];
}

const AT_FAULT =
  'The server or the client registration is at fault; see the token itself with -v --show-secrets. Nothing was kept.';

const invalid: JwtRefusal = (what, details) =>
  new ValidationError('id_token_invalid', `the ID token must not be trusted: ${what}`, {
    hint: AT_FAULT,
    ...details,
  });
