import { describeClockOffset } from '../../protocol/clock-offset.ts';
import { shown } from '../../protocol/jose/jwt-verdict.ts';
import {
  buildSkewFinding,
  type ComparedVerdicts,
  describeAudienceRemedy,
  type Finding,
  readClient,
} from './compared-verdicts.ts';

/** Explains why introspection calls a token inactive that the local check accepts. */
export function explainInactive(compared: ComparedVerdicts): readonly Finding[] {
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
        cause: `It expired ${(seconds - exp).toFixed(1)} s ago, which --leeway ${leeway} allows here, but the server does not.`,
        remedy: 'Give the local check no more leeway than the clocks differ.',
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
    buildSkewFinding(
      `the server's clock is ${offset}, so for the server the token ${expired ? 'has expired' : 'is not valid yet'}`,
    ),
  ];
}

function explainAudience({
  claims = {},
  client_id,
  isKeycloak = false,
  wasActive,
}: ComparedVerdicts): readonly Finding[] {
  const audiences = [claims.aud ?? []].flat();
  if (wasActive || audiences.includes(client_id)) return [];
  const named = audiences.length === 0 ? 'which is empty' : `which is ${audiences.map(String).join(', ')}`;
  const remedy = describeAudienceRemedy(client_id, readClient(claims), isKeycloak);
  const answers = isKeycloak ? 'Keycloak 26 then answers' : 'a server may then answer';
  return [
    {
      code: 'client_not_in_audience',
      cause: `The introspecting client ${client_id} is not in its aud, ${named}: ${answers} inactive, even for the client's own tokens.`,
      remedy: `${remedy}, and get a new token; or introspect as a client in aud.`,
    },
  ];
}

/** Causes that only the server knows, and does not tell apart. @see https://www.rfc-editor.org/rfc/rfc7662#section-2.2 */
function explainEnded({ claims = {}, client_id }: ComparedVerdicts): readonly Finding[] {
  const session = claims.sid ?? claims.session_state;
  const client = readClient(claims);
  const user = claims.preferred_username ?? claims.sub;
  return [
    {
      code: 'revoked_or_logged_out',
      cause:
        session === undefined
          ? 'The token was revoked, or the server revoked all tokens issued before some time.'
          : `The token was revoked, or its session ${shown(session)} was logged out, expired or ended by an administrator.`,
      remedy:
        'Get a new token. A local check cannot see this until the token expires: use short-lived tokens, or introspect where revocation matters.',
    },
    ...(user === undefined
      ? []
      : [
          {
            code: 'user_disabled',
            cause: `The user ${shown(user)} was disabled or removed.`,
            remedy: 'Check the user at the server, enable it, and get a new token.',
          },
        ]),
    // A disabled client could not introspect.
    ...(client === undefined || client === client_id
      ? []
      : [
          {
            code: 'client_disabled',
            cause: `The client ${client}, which the token was issued to, was disabled or removed.`,
            remedy: 'Check the client at the server, enable it, and get a new token.',
          },
        ]),
  ];
}
