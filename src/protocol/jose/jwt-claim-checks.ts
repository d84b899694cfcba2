import { findMember, isSameMember, type Member, parseJson, stringifyMember } from '../../exact-json.ts';
import { trimTrailing } from '../../trim-trailing.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { LATEST_TIME, readAudiences } from './jwt.ts';
import {
  type Check,
  type ClaimExpectation,
  type ClaimExpectations,
  cutShown,
  failed,
  type JwtProfile,
  passed,
  shown,
  skipped,
} from './jwt-verdict.ts';
import { computeHalfHash } from './token-hash.ts';
import { findOtherKind, LOGOUT_EVENT } from './token-kind.ts';

/** Claims that a kind of JWT must have, beside those that have a check of their own. */
const REQUIRED: Readonly<Record<JwtProfile, readonly string[]>> = {
  access_token: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'],
  id_token: ['iss', 'sub', 'aud', 'exp', 'iat'],
  logout_token: ['iss', 'aud', 'iat', 'exp', 'jti', 'events'],
};

/** The allowed values of `typ` by kind of JWT; undefined means that `typ` may be missing. */
const TYPES: Readonly<Record<JwtProfile, readonly (string | undefined)[]>> = {
  access_token: ['at+jwt'],
  id_token: ['jwt', undefined],
  logout_token: ['logout+jwt', 'jwt', undefined],
};

/**
 * Checks the `typ` of the header and the claims. Every check is made, also after one that failed.
 * @param alg of the signature, for the hashes
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-4.1
 * @see https://www.rfc-editor.org/rfc/rfc9068#section-4
 * @see https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
 * @see https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation
 */
export async function checkClaims(
  header: JsonObject,
  claims: JsonObject,
  expected: ClaimExpectations,
): Promise<readonly Check[]> {
  const { profile } = expected;
  return [
    checkType(header.typ, expected),
    ...(profile === 'access_token' || expected.accessTokenOnly ? [checkKind(claims)] : []),
    checkIssuer(claims, expected),
    checkAudience(claims, expected),
    ...checkTimes(claims, expected),
    ...checkPresence(claims, expected),
    ...(profile === 'id_token' ? await checkIdToken(header, claims, expected) : []),
    ...(profile === 'logout_token' ? checkLogoutToken(claims) : []),
    ...(expected.claims ?? []).map((claim) => checkClaim(claims, claim)),
  ];
}

function checkType(typ: unknown, { types, profile }: ClaimExpectations): Check {
  const accepted = types?.map(mediaType) ?? (profile && TYPES[profile]);
  const given = typ === undefined ? 'there is none' : `it is ${shown(typ)}`;
  if (accepted === undefined) return skipped('typ', `${given}; any is accepted`);
  const isAccepted =
    (typ === undefined || typeof typ === 'string') && accepted.includes(typ && mediaType(typ));
  if (isAccepted) return passed('typ', given);
  const wanted = accepted.map((type) => type ?? 'none').join(' or ');
  return failed('typ', 'type_unexpected', `${given}, expected ${wanted}`);
}

/** @see https://www.rfc-editor.org/rfc/rfc7515#section-4.1.9 */
function mediaType(typ: string): string {
  const type = typ.toLowerCase();
  return type.startsWith('application/') && !type.includes('/', 12) ? type.slice(12) : type;
}

function checkKind(claims: JsonObject): Check {
  const other = findOtherKind(claims);
  if (other === undefined) return passed('kind', 'no sign of another kind of token');
  return failed('kind', 'not_an_access_token', `it is ${other.kind}, by its ${other.sign}`);
}

function checkIssuer({ iss }: JsonObject, { issuer }: ClaimExpectations): Check {
  if (issuer === undefined) return skipped('iss', `it is ${shown(iss)}; any is accepted`);
  if (iss === issuer) return passed('iss', issuer);
  if (iss === undefined) return failed('iss', 'issuer_missing', `it is missing, expected ${issuer}`);
  const difference = typeof iss === 'string' ? describeDifference(iss, issuer) : undefined;
  const detail = `it is ${shown(iss)}, expected ${shown(issuer)}`;
  return failed('iss', 'issuer_mismatch', difference ? `${detail}: they differ by ${difference}` : detail);
}

/** Describes the difference of two issuers where it is small; undefined otherwise. */
function describeDifference(one: string, other: string): string | undefined {
  if (trimTrailing(one, '/') === trimTrailing(other, '/')) return 'a trailing slash only';
  if (one.toLowerCase() === other.toLowerCase()) return 'upper and lower case only';
  if (!URL.canParse(one) || !URL.canParse(other)) return undefined;
  const [left, right] = [new URL(one), new URL(other)];
  if (left.pathname !== right.pathname || left.search !== right.search) return undefined;
  const parts = (['protocol', 'hostname', 'port'] as const).filter((part) => left[part] !== right[part]);
  const names = { protocol: 'http and https', hostname: 'host name', port: 'port' };
  return parts.length === 0
    ? 'spelling only; they must be identical'
    : `${parts.map((part) => names[part]).join(' and ')} only`;
}

function checkAudience(claims: JsonObject, expected: ClaimExpectations): Check {
  const { profile, audience = [], clientId } = expected;
  const isForClient = profile === 'id_token' || profile === 'logout_token';
  const own = isForClient && clientId !== undefined ? [clientId] : audience;
  const { aud } = claims;
  if (own.length === 0)
    return skipped('aud', `it is ${shown(aud)}, and no audience was given to compare it with`);
  if (aud === undefined)
    return failed('aud', 'audience_missing', `it is missing, expected ${own.join(' or ')}`);
  const named = readAudiences(claims);
  if (named.length === 0 || named.some((one) => typeof one !== 'string'))
    return failed('aud', 'audience_malformed', `it is ${shown(aud)}, and must be a string or a list of them`);
  if (!own.some((one) => named.includes(one)))
    return failed('aud', 'audience_mismatch', `it is ${shown(aud)}, expected ${own.join(' or ')}`);
  const others = named.filter((one) => !own.includes(one) && !audience.includes(one));
  if (profile === 'id_token' && others.length > 0)
    return failed('aud', 'audience_untrusted', `it also names ${shown(others)}, which is not trusted`);
  return passed('aud', shown(aud));
}

function checkTimes(claims: JsonObject, expected: ClaimExpectations): readonly Check[] {
  const { leeway = 0, maxAge, profile } = expected;
  const now = expected.now / 1000;
  const allowed = leeway === 0 ? 'no leeway' : `leeway ${leeway} s`;
  const time = (
    name: string,
    compare: (value: number) => Check,
    missing: Check = skipped(name, 'there is none'),
  ) => timeFlaw(name, claims[name], missing) ?? compare(claims[name] as number);

  const exp = time(
    'exp',
    (at) =>
      at <= now - leeway
        ? failed('exp', 'expired', `it expired ${seconds(now - at)} ago, at ${iso(at)} (${allowed})`)
        : passed('exp', `it expires in ${seconds(at - now)}, at ${iso(at)} (${allowed})`),
    skipped('exp', 'there is none: it never expires'),
  );
  const nbf = time('nbf', (at) =>
    at > now + leeway
      ? failed(
          'nbf',
          'not_yet_valid',
          `it is not valid for another ${seconds(at - now)}, until ${iso(at)} (${allowed})`,
        )
      : passed('nbf', `it is valid since ${iso(at)}`),
  );
  const iat = time('iat', (at) =>
    at > now + leeway
      ? failed(
          'iat',
          'issued_in_future',
          `it was issued in the future, by ${seconds(at - now)} (${allowed}): compare the clocks`,
        )
      : passed('iat', `it was issued ${seconds(now - at)} ago`),
  );
  if (maxAge === undefined) return [exp, nbf, iat];
  const since = profile === 'id_token' ? 'auth_time' : 'iat';
  const unknown = failed('max_age', 'age_unknown', `there is no ${since}, so its age is not known`);
  const age = timeFlaw('max_age', claims[since], unknown) ?? checkAge(claims[since] as number);
  return [exp, nbf, iat, age];

  function checkAge(at: number): Check {
    const detail = `${since} is ${seconds(now - at)} ago, at most ${maxAge} s are allowed (${allowed})`;
    return now - at > (maxAge ?? 0) + leeway
      ? failed('max_age', 'too_old', detail)
      : passed('max_age', detail);
  }
}

/** Finds a flaw of a NumericDate itself; undefined for one that can be compared. @see https://www.rfc-editor.org/rfc/rfc7519#section-2 */
function timeFlaw(name: string, value: unknown, missing: Check): Check | undefined {
  if (value === undefined) return missing;
  if (typeof value !== 'number')
    return failed(name, 'time_not_a_number', `it is ${shown(value)}, and must be a number of seconds`);
  // 1e400 is read as Infinity.
  if (value >= 0 && value <= LATEST_TIME) return undefined;
  const hint = value / 1000 < LATEST_TIME && value > 0 ? '; it may be in milliseconds' : '';
  return failed(name, 'time_out_of_range', `it is ${value}, which is no time in seconds since 1970${hint}`);
}

/** `iss` and `aud` have a check of their own where a value is expected. */
function checkPresence(claims: JsonObject, expected: ClaimExpectations): readonly Check[] {
  const { profile, required = [], clientId, audience } = expected;
  const demanded = new Set([...((profile && REQUIRED[profile]) ?? []), ...required]);
  const isCompared = (name: string) =>
    (name === 'iss' && expected.issuer !== undefined) ||
    (name === 'aud' && (audience !== undefined || clientId !== undefined)) ||
    name === 'events';
  return [...demanded].flatMap((name) => {
    if (isCompared(name)) return [];
    const value = claims[name];
    if (value === undefined) return [failed(name, 'claim_missing', 'it is missing, and it is required')];
    const isText = ['iss', 'sub', 'client_id', 'jti'].includes(name);
    if (!isText) return [];
    return typeof value === 'string' && value !== ''
      ? [passed(name, shown(value))]
      : [failed(name, 'claim_malformed', `it is ${shown(value)}, and must be a string`)];
  });
}

async function checkIdToken(
  header: JsonObject,
  claims: JsonObject,
  expected: ClaimExpectations,
): Promise<readonly Check[]> {
  const { clientId, nonce, accessToken, code } = expected;
  return [
    checkAuthorizedParty(claims, clientId),
    nonce === undefined
      ? skipped(
          'nonce',
          claims.nonce === undefined ? 'there is none' : 'the nonce that was sent is not known',
        )
      : claims.nonce === nonce
        ? passed('nonce', 'it is the one that was sent')
        : failed('nonce', 'nonce_mismatch', `it is ${shown(claims.nonce)}, expected ${shown(nonce)}`),
    await checkHash('at_hash', claims.at_hash, header.alg, accessToken, 'access token'),
    await checkHash('c_hash', claims.c_hash, header.alg, code, 'code'),
  ];
}

function checkAuthorizedParty(claims: JsonObject, clientId: string | undefined): Check {
  const { azp } = claims;
  if (clientId === undefined)
    return skipped('azp', `it is ${shown(azp)}, and no client id was given to compare it with`);
  if (azp === undefined) {
    return readAudiences(claims).length > 1
      ? failed('azp', 'azp_missing', 'it is missing, though there are several audiences')
      : skipped('azp', 'there is none, and none is required for one audience');
  }
  if (azp === clientId) return passed('azp', shown(azp));
  return failed('azp', 'azp_mismatch', `it is ${shown(azp)}, expected ${shown(clientId)}`);
}

async function checkHash(
  name: 'at_hash' | 'c_hash',
  value: unknown,
  alg: unknown,
  of: string | undefined,
  what: string,
): Promise<Check> {
  if (of === undefined) return skipped(name, value === undefined ? 'there is none' : `no ${what} is given`);
  if (value === undefined) return skipped(name, `there is none, so the ${what} is not bound to it`);
  const hash = await computeHalfHash(of, String(alg));
  if (hash === undefined) return skipped(name, `no hash is defined for ${shown(alg)}`);
  if (value === hash) return passed(name, `it is the hash of the ${what}`);
  return failed(name, 'hash_mismatch', `it is ${shown(value)}, and the ${what} gives ${hash}`);
}

function checkLogoutToken(claims: JsonObject): readonly Check[] {
  const { events, sub, sid, nonce } = claims;
  const event = isJsonObject(events) ? events[LOGOUT_EVENT] : undefined;
  return [
    isJsonObject(event)
      ? passed('events', LOGOUT_EVENT)
      : failed('events', 'event_missing', `it has no member ${LOGOUT_EVENT} that is an object`),
    typeof sub === 'string' || typeof sid === 'string'
      ? passed(
          'sid',
          `it ends ${sid === undefined ? `the sessions of sub ${shown(sub)}` : `the session ${shown(sid)}`}`,
        )
      : failed('sid', 'subject_missing', 'it has neither sub nor sid'),
    nonce === undefined
      ? passed('nonce', 'there is none, as required')
      : failed(
          'nonce',
          'nonce_present',
          'a logout token must not have one, so that no ID token is taken for it',
        ),
  ];
}

function checkClaim(claims: JsonObject, { name, values, json }: ClaimExpectation): Check {
  const label = `claim ${name}`;
  const found = findMember(claims, name);
  if (found === undefined) return failed(label, 'claim_missing', 'it is missing');
  const said = `it is ${cutShown(stringifyMember(found.holder, found.name))}`;
  if (values.length === 0 && json === undefined) return passed(label, said);
  const held = listHeld(found, name);
  const wanted: Member[] = values.map((_value, index) => ({ holder: values, name: String(index) }));
  if (json !== undefined) wanted.push({ holder: parseJson(`[${json}]`) as object, name: '0' });
  const isThere = held.some((one) =>
    wanted.some((other) => isSameMember(one.holder, one.name, other.holder, other.name)),
  );
  if (isThere) return passed(label, said);
  return failed(label, 'claim_mismatch', `${said}, expected ${json ?? shown(values[0])}`);
}

/** Lists the values of a claim: itself, each element of an array, and each word of `scope`. */
function listHeld(member: Member, path: string): readonly Member[] {
  const value = (member.holder as JsonObject)[member.name];
  const parts = Array.isArray(value)
    ? value
    : path === 'scope' && typeof value === 'string'
      ? value.split(' ')
      : [];
  return [member, ...parts.map((_part, index) => ({ holder: parts, name: String(index) }))];
}

function iso(at: number): string {
  return new Date(at * 1000).toISOString().replace('.000Z', 'Z');
}

function seconds(length: number): string {
  return `${Math.round(length * 10) / 10} s`;
}
