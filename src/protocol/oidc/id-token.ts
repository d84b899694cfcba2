import type { JWTPayload } from 'jose';
import { ValidationError } from '../../errors.ts';
import { readAudiences } from '../jose/jwt.ts';
import {
  CLOCK_AHEAD,
  inMilliseconds,
  isMilliseconds,
  type JwtKeys,
  type JwtParties,
  type JwtRefusal,
  type OpenedJwt,
  openSignedJwt,
  show,
  wrongCommonClaims,
} from '../jose/signed-jwt.ts';
import { halfHash } from '../jose/token-hash.ts';

/** Seconds by which an ID token may seem older than the request that it answers. */
const ISSUED_BEFORE = 300;

/** What an authentication request asked for that its ID token must, or should, be the answer to. */
export interface AuthenticationExpectations {
  /** The ID token must repeat it. */
  readonly nonce?: string | undefined;
  /** Seconds: `max_age` of the request. */
  readonly maxAge?: number | undefined;
  /** `acr_values` of the request, separated by spaces. */
  readonly acrValues?: string | undefined;
  /** The values of an `acr` that `claims` of the request made essential: one of them must be there. */
  readonly essentialAcr?: readonly string[] | undefined;
  /** Milliseconds since the epoch: when it was asked for, when that is known. */
  readonly requestedAt?: number | undefined;
  /** What came with the ID token, for `at_hash`. */
  readonly accessToken?: string | undefined;
  /** What came with the ID token, or was exchanged for it, for `c_hash`. */
  readonly code?: string | undefined;
  /** `state` of the request, for `s_hash`. */
  readonly state?: string | undefined;
  /** Who else it may be issued to than the client: the audiences of a token exchange. */
  readonly issuedTo?: readonly string[] | undefined;
  /** The audiences that it may have beside the client. */
  readonly trustedAudiences?: readonly string[] | undefined;
  /** Of a refresh: the claims of the ID token that the authentication was answered with. */
  readonly original?: JWTPayload | undefined;
  /** Whether it came by the browser: then the hashes of the access token and the code must be there. */
  readonly isFrontChannel?: boolean | undefined;
}

/**
 * What an ID token is checked against: `alg` is the client's registered `id_token_signed_response_alg`, `supportedAlgs`
 * the metadata's `id_token_signing_alg_values_supported`.
 */
export interface IdTokenExpectations extends JwtKeys, JwtParties, AuthenticationExpectations {}

export interface VerifiedIdToken extends OpenedJwt {
  /** What is not as it was asked for, though no reason to refuse it. */
  readonly remarks: readonly string[];
}

/**
 * Validates an ID token: decryption, algorithm, signature, `iss`, `aud`, `azp`, `exp`, `iat`, and, as far as they are
 * expected, `nonce`, `auth_time` and the hashes. Any failed check refuses it, but for an `acr` that was asked for by
 * `acr_values`: they are voluntary, so that the server may answer with another one, which is remarked.
 * @throws ValidationError `id_token_invalid` that names every claim found wrong, or what is wrong before them
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
    ...wrongCommonClaims(claims, { ...expected, client_id: holder }),
    ...wrongOwnClaims(claims, expected, holder),
    ...wrongAuthentication(claims, expected),
    ...(expected.original === undefined ? [] : wrongRefresh(claims, expected.original)),
    ...hashes.wrong,
  ];
  if (wrong.length > 0) throw invalid(wrong.join('; '), { hint: chooseHint(claims, expected, holder) });
  return { ...opened, remarks: [...remarksOnAcr(claims, expected), ...hashes.remarks] };
}

/** @param holder the client that it is issued to: the one that asked for it, but in an exchange */
function wrongOwnClaims(claims: JWTPayload, expected: IdTokenExpectations, holder: string): string[] {
  const { sub, iat, azp } = claims;
  const now = expected.now / 1000;
  const audiences = readAudiences(claims);
  const strangers = listStrangers(claims, expected, holder);
  const wrong: string[] = [];
  if (typeof sub !== 'string' || sub === '') wrong.push('sub is missing');
  if (strangers.length > 0) wrong.push(`aud also names ${strangers.join(', ')}, which is not trusted`);
  else if (audiences.length > 1 && azp === undefined)
    wrong.push(`azp is missing, and of several audiences it must name ${expected.client_id}`);
  if (azp !== undefined && azp !== expected.client_id && azp !== holder)
    wrong.push(`azp is ${show(azp)}, expected ${expected.client_id}`);
  if (typeof iat !== 'number') wrong.push('iat is missing or not a number');
  else if (isMilliseconds(iat)) wrong.push(inMilliseconds('iat', iat));
  else if (iat > now + Math.max(CLOCK_AHEAD, expected.leeway ?? 0))
    wrong.push(`iat is ${Math.round(iat - now)} s in the future`);
  else if (
    expected.requestedAt !== undefined &&
    iat < expected.requestedAt / 1000 - Math.max(ISSUED_BEFORE, expected.leeway ?? 0)
  ) {
    wrong.push(`it was issued ${Math.round(expected.requestedAt / 1000 - iat)} s before it was asked for`);
  }
  return wrong;
}

/** The audiences beside the client that nobody has said to trust. @see https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation */
function listStrangers(
  claims: JWTPayload,
  { trustedAudiences = [] }: IdTokenExpectations,
  holder: string,
): readonly string[] {
  const audiences = readAudiences(claims);
  if (!audiences.includes(holder)) return [];
  return audiences.filter((audience) => audience !== holder && !trustedAudiences.includes(audience));
}

/** What remedies a wrong ID token, where that is in the person's hands. */
function chooseHint(claims: JWTPayload, expected: IdTokenExpectations, holder: string): string {
  const strangers = listStrangers(claims, expected, holder);
  if (strangers.length > 0 && claims.azp === expected.client_id)
    return `Where these audiences are known to you, accept them with --trust-audience "${strangers.join(' ')}", or in the profile (trust_audience). ${AT_FAULT}`;
  const { exp, iat, nbf = 0 } = claims;
  const now = expected.now / 1000;
  const isClock =
    typeof exp === 'number' && typeof iat === 'number' && exp > iat && (exp <= now || iat > now || nbf > now);
  return isClock
    ? `Compare the clocks of this machine and of the server; where neither can be set, --leeway SECONDS allows a difference. ${AT_FAULT}`
    : AT_FAULT;
}

/**
 * What is wrong with an ID token of a refresh, compared with the one that the authentication was answered with.
 * @see https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse
 */
function wrongRefresh(claims: JWTPayload, original: JWTPayload): string[] {
  const differs = (name: string) => claims[name] !== original[name];
  const said = (name: string) =>
    `${name} is ${show(claims[name])}, and that of the original ID token is ${show(original[name])}`;
  const wrong = ['iss', 'sub', 'azp'].filter(differs).map(said);
  const audiences = readAudiences(claims);
  const isSame =
    audiences.length === readAudiences(original).length &&
    readAudiences(original).every((audience) => audiences.includes(audience));
  if (!isSame) wrong.push(said('aud'));
  // These two may be left out.
  for (const name of ['auth_time', 'nonce'])
    if (claims[name] !== undefined && differs(name)) wrong.push(said(name));
  return wrong;
}

function wrongAuthentication(
  { nonce, auth_time, acr }: JWTPayload,
  { nonce: sent, maxAge, essentialAcr, requestedAt, now }: IdTokenExpectations,
): string[] {
  const wrong: string[] = [];
  if (sent !== undefined && nonce === undefined) wrong.push('nonce is missing, and one was sent');
  else if (sent !== undefined && nonce !== sent) wrong.push('nonce is not the one that was sent');
  if (essentialAcr !== undefined && !(typeof acr === 'string' && essentialAcr.includes(acr)))
    wrong.push(`acr is ${show(acr)}, and ${essentialAcr.join(' or ')} was asked for as essential`);
  if (maxAge === undefined) return wrong;
  if (typeof auth_time !== 'number') {
    wrong.push('auth_time is missing or not a number, and max_age asks for it');
    return wrong;
  }
  // Who takes long to log in or to consent is no older an authentication for it.
  const age = (requestedAt ?? now) / 1000 - auth_time;
  if (age > maxAge + CLOCK_AHEAD)
    wrong.push(`auth_time is ${Math.round(age)} s before it was asked for, and max_age allows ${maxAge} s`);
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
    const right = await halfHash(of, alg);
    if (hash === undefined) wrong.push(`${claim} is missing, and ${what} came with it`);
    else if (right === undefined)
      (isRequired ? wrong : remarks).push(`${claim} cannot be checked: no hash is agreed on for ${alg}`);
    else if (hash !== right) wrong.push(`${claim} is not that of ${what}`);
  }
  return { wrong, remarks };
}

function remarksOnAcr({ acr }: JWTPayload, { acrValues }: IdTokenExpectations): string[] {
  const asked = acrValues?.split(' ').filter(Boolean) ?? [];
  if (asked.length === 0 || (typeof acr === 'string' && asked.includes(acr))) return [];
  return [`acr is ${show(acr)}, and acr_values asked for ${asked.join(' or ')}`];
}

const AT_FAULT =
  'The server or the client registration is at fault; see the token itself with -v --show-secrets. Nothing was kept.';

const invalid: JwtRefusal = (what, details) =>
  new ValidationError('id_token_invalid', `the ID token must not be trusted: ${what}`, {
    hint: AT_FAULT,
    ...details,
  });
