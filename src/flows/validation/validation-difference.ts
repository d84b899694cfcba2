import { type ClockOffset, describeClockOffset } from '../../protocol/clock-offset.ts';
import { type Check, shown } from '../../protocol/jose/jwt-verdict.ts';
import { describeShape } from '../../protocol/jose/token-shape.ts';
import type { JsonObject } from '../../protocol/json.ts';
import type { WayVerdict } from './verdict-timeline.ts';

/** Something that is worth knowing about two verdicts, and what to do about it. */
export interface Finding {
  /** Stable, in snake_case. */
  readonly code: string;
  readonly cause: string;
  readonly remedy: string;
}

/** Two verdicts on one token, and who came to them. */
export interface ComparedVerdicts {
  readonly token: string;
  readonly local: { readonly verdict: WayVerdict; readonly checks: readonly Check[] };
  readonly introspection: { readonly verdict: WayVerdict; readonly answer?: JsonObject | undefined };
  /** Of the token, not to be trusted; undefined where they cannot be read. */
  readonly claims?: JsonObject | undefined;
  /** What the local check expects. */
  readonly issuer: string;
  readonly audience?: readonly string[] | undefined;
  /** The client that introspected. */
  readonly client_id: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Seconds. */
  readonly leeway: number;
  /** Undefined where the server does not tell its time. */
  readonly clock?: ClockOffset | undefined;
  /** Whether introspection had accepted the token before. */
  readonly wasActive?: boolean | undefined;
}

/**
 * Why the local check and introspection do not agree, as far as token and answers tell: the likely before the possible.
 * @returns nothing where they agree, or where introspection failed
 * @see https://www.rfc-editor.org/rfc/rfc7662#section-4
 */
export function explainDifference(compared: ComparedVerdicts): readonly Finding[] {
  const { local, introspection } = compared;
  if (introspection.verdict === 'unknown' || local.verdict === introspection.verdict) return [];
  if (local.verdict === 'unknown') return explainNoLocalCheck(compared);
  return local.verdict === 'accepted' ? explainInactive(compared) : explainLocalRefusal(compared);
}

/** What else is worth knowing of a token, whether the verdicts agree or not. */
export function remarkOn(compared: ComparedVerdicts): readonly Finding[] {
  const { local, introspection, clock } = compared;
  const offset = clock && describeClockOffset(clock);
  // Where they differ because of it, it stands there.
  const refusedByBoth = local.verdict === 'refused' && introspection.verdict !== 'accepted';
  return [
    ...(refusedByBoth ? hostNameFindings(compared) : []),
    ...boundFindings(compared),
    ...lightweightFindings(compared),
    ...(offset === undefined
      ? []
      : [
          {
            code: 'clock_offset',
            cause: `The server's clock is ${offset}.`,
            remedy: 'Let both machines take their time from the same place (NTP).',
          },
        ]),
  ];
}

function explainNoLocalCheck({ token, local }: ComparedVerdicts): readonly Finding[] {
  const format = local.checks.find(({ name }) => name === 'format')?.reason;
  if (format === 'encrypted' || format === 'compressed') {
    return [
      {
        code: 'encrypted_token',
        cause: 'The token is encrypted (a JWE), and its key is with the resource server that it is for.',
        remedy: 'Check it by introspection, or let the resource server decrypt it first.',
      },
    ];
  }
  if (format === undefined) return [];
  return [
    {
      code: 'opaque_token',
      cause: `It is no JWT (${describeShape(token).looksLike}), so there is nothing to check locally.`,
      remedy: 'Check it by introspection; a local check takes an access token that is a JWT.',
    },
  ];
}

/** The local check accepts what introspection calls inactive. */
function explainInactive(compared: ComparedVerdicts): readonly Finding[] {
  const timely = explainByTime(compared);
  if (timely.length > 0) return timely;
  return [...explainAudience(compared), ...explainEnded(compared)];
}

function explainByTime({ claims = {}, now, leeway, clock }: ComparedVerdicts): readonly Finding[] {
  const { exp, nbf, iat } = claims;
  const seconds = now / 1000;
  if (typeof exp === 'number' && exp <= seconds) {
    return [
      {
        code: 'leeway',
        cause: `It expired ${ago(seconds - exp)}, which --leeway ${leeway} lets pass here, and the server does not.`,
        remedy: 'Give the local check no more leeway than the clocks need.',
      },
    ];
  }
  const offset = clock && describeClockOffset(clock);
  if (clock === undefined || offset === undefined) return [];
  const [early, late] = [seconds + clock.min / 1000, seconds + clock.max / 1000];
  const expired = typeof exp === 'number' && exp <= late;
  const notYet = [nbf, iat].some((at) => typeof at === 'number' && at > early);
  if (!expired && !notYet) return [];
  return [
    skew(
      `the server's clock is ${offset}, and by it the token ${expired ? 'has expired' : 'is not valid yet'}`,
    ),
  ];
}

function explainAudience({ claims = {}, client_id, wasActive }: ComparedVerdicts): readonly Finding[] {
  const audiences = [claims.aud ?? []].flat();
  if (wasActive || audiences.includes(client_id)) return [];
  const named =
    audiences.length === 0 ? 'which names nobody' : `which is ${audiences.map(String).join(', ')}`;
  const client = readClient(claims);
  return [
    {
      code: 'client_not_in_audience',
      cause: `${client_id}, which introspects, is not in its aud, ${named}: Keycloak 26 then says inactive, even of the client's own tokens.`,
      remedy: `Add an audience mapper for ${client_id} to the client ${client ?? 'that the token was issued to'}, and get a new token; or introspect as a client that is in aud.`,
    },
  ];
}

/** What only the server knows of; it does not say which (RFC 7662, section 4). */
function explainEnded({ claims = {}, client_id }: ComparedVerdicts): readonly Finding[] {
  const session = claims.sid ?? claims.session_state;
  const client = readClient(claims);
  const user = claims.preferred_username ?? claims.sub;
  return [
    {
      code: 'revoked_or_logged_out',
      cause:
        session === undefined
          ? 'The token was revoked, or the server declared tokens from before some time void.'
          : `The token was revoked, or its session ${shown(session)} was logged out, expired or ended by an administrator.`,
      remedy:
        'Get a new token. A local check cannot see this until the token expires: keep tokens short-lived, or introspect where it matters.',
    },
    ...(user === undefined
      ? []
      : [
          {
            code: 'user_disabled',
            cause: `The user ${shown(user)} was disabled or removed.`,
            remedy: 'Look the user up at the server, enable it, and get a new token.',
          },
        ]),
    // A client that is disabled cannot introspect either.
    ...(client === undefined || client === client_id
      ? []
      : [
          {
            code: 'client_disabled',
            cause: `The client ${client}, which the token was issued to, was disabled or removed.`,
            remedy: 'Look the client up at the server, enable it, and get a new token.',
          },
        ]),
  ];
}

/** Introspection accepts what the local check refuses. */
function explainLocalRefusal(compared: ComparedVerdicts): readonly Finding[] {
  const findings = compared.local.checks
    .filter(({ outcome }) => outcome === 'failed')
    .flatMap((check) => explainCheck(check, compared));
  return findings.filter(({ code }, index) => findings.findIndex((one) => one.code === code) === index);
}

function explainCheck(check: Check, compared: ComparedVerdicts): readonly Finding[] {
  const { claims = {}, introspection, audience = [] } = compared;
  const { answer = {} } = introspection;
  switch (check.reason) {
    case 'expired':
    case 'not_yet_valid':
    case 'issued_in_future':
      return [explainTime(check, compared)];
    case 'issuer_mismatch':
    case 'issuer_missing': {
      const byName = hostNameFindings(compared);
      if (byName.length > 0) return byName;
      return [
        {
          code: 'issuer_differs',
          cause: `Its iss is ${shown(claims.iss)}, and the server calls itself ${compared.issuer}; yet it knows the token.`,
          remedy:
            'Check which issuer the resource server trusts, and how the server is configured to call itself.',
        },
      ];
    }
    case 'audience_missing':
      if (answer.aud !== undefined) return lightweight(['aud']);
      return [audienceNotOurs(compared, 'It names no audience', audience)];
    case 'audience_mismatch':
      return [audienceNotOurs(compared, `Its aud is ${shown(claims.aud)}`, audience)];
    case 'alg_confusion':
      return [
        {
          code: 'shared_secret_alg',
          cause: `It is signed with a secret that the server keeps to itself (${check.detail.split(',')[0]}), as Keycloak does with refresh tokens: nobody else can check it.`,
          remedy: 'Give resource servers an access token; the other is for the server alone.',
        },
      ];
    case 'alg_unfit':
    case 'alg_not_allowed':
    case 'alg_unknown':
    case 'key_unfit':
      return [
        {
          code: 'alg_not_accepted',
          cause: `The local check does not take its algorithm: ${check.detail}.`,
          remedy:
            'Compare the signature algorithm that the client is registered for with the keys of the server.',
        },
      ];
    case 'type_unexpected':
      return [
        {
          code: 'type_not_accepted',
          cause: `Introspection does not look at typ, and the local check does: ${check.detail}.`,
          remedy:
            'Let the server set the typ that --type demands (Keycloak 26: "Use at+jwt as access token header type"), or demand what it sets.',
        },
      ];
    case 'not_an_access_token':
      return [
        {
          code: 'not_an_access_token',
          cause: `The server knows the token, but no resource server may take it: ${check.detail}.`,
          remedy: 'Use the access token.',
        },
      ];
    case 'key_unknown':
      return [
        {
          code: 'keys_rotated',
          cause: `The server's published keys do not have the one it names (${check.detail}): the keys were rotated and the old one withdrawn, or it is signed with another realm's.`,
          remedy:
            'Get a new token. When rotating keys, keep the old one published (Keycloak: passive) until its last token has expired.',
        },
      ];
    case 'signature_wrong':
    case 'signature_missing':
    case 'signature_length':
    case 'signature_zero':
      return [
        {
          code: 'signature_not_checked',
          cause:
            'The signature is wrong, and the server calls the token active all the same: it does not check what it is shown, or it recognises it by a part.',
          remedy: 'Do not rely on this introspection endpoint alone: the token may have been altered.',
        },
      ];
    default:
      return [
        {
          code: 'stricter_local_check',
          cause: `The local check is stricter than the server: ${check.name}: ${check.detail}.`,
          remedy: 'See what the token holds with "oauthctl jwt decode".',
        },
      ];
  }
}

function explainTime(check: Check, { clock, claims = {}, now, leeway }: ComparedVerdicts): Finding {
  const { exp } = claims;
  if (check.reason === 'expired' && typeof exp === 'number' && now / 1000 - exp - leeway < 1) {
    return {
      code: 'whole_seconds',
      cause:
        'It expired within the last second, and the server counts whole ones: Keycloak takes a token until the second of its exp is over.',
      remedy: 'Nothing is to be done: ask again.',
    };
  }
  const offset = clock && describeClockOffset(clock);
  if (offset !== undefined) return skew(`the server's clock is ${offset}, and here ${check.detail}`);
  const { iat } = claims;
  if (check.reason === 'issued_in_future' && typeof iat === 'number')
    return skew(`by its iat the server's clock is at least ${(iat - now / 1000).toFixed(1)} s ahead of ours`);
  if (clock !== undefined) {
    return {
      code: 'server_leeway',
      cause: `The clocks agree, and the server is more generous than the local check: ${check.detail}.`,
      remedy: 'Allow the same with --leeway SECONDS, or make the server stricter.',
    };
  }
  return skew(`the server does not tell its time (no Date in its answer), and here ${check.detail}`);
}

function skew(cause: string): Finding {
  return {
    code: 'clock_skew',
    cause: `The clocks differ: ${cause}.`,
    remedy: 'Set both clocks by the same source (NTP), or allow for it with --leeway SECONDS.',
  };
}

function audienceNotOurs({ claims = {} }: ComparedVerdicts, cause: string, own: readonly string[]): Finding {
  return {
    code: 'audience_not_ours',
    cause: `${cause}, and the local check wants ${own.join(' or ')}; introspection does not ask who the token is for.`,
    remedy: `Add an audience mapper for ${own[0]} to the client ${readClient(claims) ?? 'that the token was issued to'}; a resource server must check aud whichever way it validates.`,
  };
}

/** An issuer that differs in nothing but where it is reached. */
function hostNameFindings({ claims = {}, issuer }: ComparedVerdicts): readonly Finding[] {
  const { iss } = claims;
  if (typeof iss !== 'string' || iss === issuer || !URL.canParse(iss) || !URL.canParse(issuer)) return [];
  const [its, ours] = [new URL(iss), new URL(issuer)];
  if (its.pathname !== ours.pathname || its.origin === ours.origin) return [];
  // What a stranger put in front of a host name is not repeated in a command.
  if (its.username !== '' || its.password !== '' || its.search !== '' || its.hash !== '') return [];
  return [
    {
      code: 'issuer_host_name',
      cause: `By its iss, ${shown(iss)}, it was issued under another name than ${issuer}, which the server calls itself here. A server that takes its name from each request has as many issuers as names.`,
      remedy: `Where both are names of one server that you trust, ask by the token's own: --issuer ${its.href}; or where that is not reached from here, fix the server's name (Keycloak: --hostname) and add --accept-issuer.`,
    },
  ];
}

function boundFindings({ claims = {}, introspection }: ComparedVerdicts): readonly Finding[] {
  const cnf = claims.cnf ?? introspection.answer?.cnf;
  if (cnf === null || typeof cnf !== 'object') return [];
  const isDpop = 'jkt' in cnf;
  if (!isDpop && !('x5t#S256' in cnf)) return [];
  return [
    {
      code: 'bound_token',
      cause: `The token is bound to ${isDpop ? 'a DPoP key (cnf.jkt)' : 'a client certificate (cnf.x5t#S256)'}; neither way checks that whoever sends it has the key.`,
      remedy: `A resource server must refuse it as a mere Bearer token: ${isDpop ? 'want a DPoP proof with it (RFC 9449)' : 'compare the certificate of the connection (RFC 8705)'}. "oauthctl call" sends it as it is bound.`,
    },
  ];
}

/** Members of an introspection response that resource servers decide by. */
const DECISIVE = ['sub', 'aud', 'scope', 'realm_access', 'resource_access'] as const;

function lightweightFindings({ claims, local, introspection }: ComparedVerdicts): readonly Finding[] {
  const { answer, verdict } = introspection;
  const isOther = local.checks.some(({ reason }) => reason === 'not_an_access_token');
  if (claims === undefined || answer === undefined || verdict !== 'accepted' || isOther) return [];
  const missing = DECISIVE.filter((name) => answer[name] !== undefined && claims[name] === undefined);
  return missing.length === 0 ? [] : lightweight(missing);
}

function lightweight(missing: readonly string[]): readonly Finding[] {
  return [
    {
      code: 'lightweight_token',
      cause: `The token itself lacks ${missing.join(', ')}, which introspection tells: it is a lightweight access token.`,
      remedy:
        'Decide by introspection, or switch "Always use lightweight access token" off for the client (Keycloak).',
    },
  ];
}

/** The client that a token was issued to. */
function readClient({ azp, client_id }: JsonObject): string | undefined {
  return [azp, client_id].find((id) => typeof id === 'string');
}

function ago(seconds: number): string {
  return `${seconds.toFixed(1)} s ago`;
}
