import { describeClockOffset } from '../../protocol/clock-offset.ts';
import { shown } from '../../protocol/jose/jwt-verdict.ts';
import { isJsonObject } from '../../protocol/json.ts';
import { describeProxyRemedy } from '../../protocol/oauth/metadata.ts';
import { isKeycloakUrl } from '../../protocol/oauth/server-product.ts';
import type { ComparedVerdicts, Finding } from './compared-verdicts.ts';

/** Finds remarks on a token that do not depend on whether the verdicts agree. */
export function remarkOn(compared: ComparedVerdicts): readonly Finding[] {
  const { local, introspection, clock } = compared;
  const offset = clock && describeClockOffset(clock);
  // Where the verdicts differ because of the host name, explainDifference says so.
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
            remedy: 'Set both clocks by the same source (NTP).',
          },
        ]),
  ];
}

/** Finds an issuer that differs in its host name only. */
export function hostNameFindings({ claims = {}, issuer }: ComparedVerdicts): readonly Finding[] {
  const { iss } = claims;
  if (typeof iss !== 'string' || iss === issuer || !URL.canParse(iss) || !URL.canParse(issuer)) return [];
  const [its, ours] = [new URL(iss), new URL(issuer)];
  if (its.pathname !== ours.pathname || its.origin === ours.origin) return [];
  // The claim is not verified: parts that may mislead are not repeated in a suggested command.
  if (its.username !== '' || its.password !== '' || its.search !== '' || its.hash !== '') return [];
  if (its.host === ours.host && its.protocol === 'http:') return [buildProxyFinding(iss, issuer)];
  return [
    {
      code: 'issuer_host_name',
      cause: `Its iss, ${shown(iss)}, has another host name than the issuer here, ${issuer}. A server that derives its issuer from each request has one issuer per host name.`,
      remedy: `If both are names of one server that you trust, use that of the token: --issuer ${its.href}. If it cannot be reached from here, fix the host name that the server is configured with${isKeycloakUrl(issuer) ? ' (Keycloak: --hostname)' : ''} and add --accept-issuer.`,
    },
  ];
}

/** The same server by http: the issuer by http is no remedy, since its endpoints would be http too. */
function buildProxyFinding(iss: string, issuer: string): Finding {
  return {
    code: 'issuer_host_name',
    cause: `Its iss, ${shown(iss)}, is http, and the issuer here, ${issuer}, is https: a TLS proxy in front of the server does not tell it that it was reached by https.`,
    remedy: describeProxyRemedy(issuer),
  };
}

function boundFindings({ claims = {}, introspection }: ComparedVerdicts): readonly Finding[] {
  const cnf = claims.cnf ?? introspection.answer?.cnf;
  if (!isJsonObject(cnf)) return [];
  const isDpop = 'jkt' in cnf;
  if (!isDpop && !('x5t#S256' in cnf)) return [];
  return [
    {
      code: 'bound_token',
      cause: `The token is bound to ${isDpop ? 'a DPoP key (cnf.jkt)' : 'a client certificate (cnf.x5t#S256)'}; neither check verifies that the sender has the key.`,
      remedy: `A resource server must refuse it as a plain Bearer token: ${isDpop ? 'require a DPoP proof with it (RFC 9449)' : 'compare the certificate of the connection (RFC 8705)'}. "oauthctl call" sends it with its proof.`,
    },
  ];
}

/** Members of an introspection response that authorization decisions are based on. */
const DECISIVE = ['sub', 'aud', 'scope', 'realm_access', 'resource_access'] as const;

function lightweightFindings({
  claims,
  local,
  introspection,
  isKeycloak,
}: ComparedVerdicts): readonly Finding[] {
  const { answer, verdict } = introspection;
  const isOther = local.checks.some(({ reason }) => reason === 'not_an_access_token');
  if (claims === undefined || answer === undefined || verdict !== 'accepted' || isOther) return [];
  const missing = DECISIVE.filter((name) => answer[name] !== undefined && claims[name] === undefined);
  return missing.length === 0 ? [] : [buildLightweightFinding(missing, isKeycloak)];
}

/** Builds the finding that introspection returns members which the token does not have. */
export function buildLightweightFinding(missing: readonly string[], isKeycloak = false): Finding {
  return {
    code: 'lightweight_token',
    cause: `The token itself lacks ${missing.join(', ')}, which introspection returns: it is a lightweight access token.`,
    remedy: isKeycloak
      ? 'Use the introspection response, or switch off "Always use lightweight access token" of the client.'
      : 'Use the introspection response, or let the server put these claims into the token.',
  };
}
