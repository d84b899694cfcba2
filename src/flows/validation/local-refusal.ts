import { describeClockOffset } from '../../protocol/clock-offset.ts';
import { type Check, shown } from '../../protocol/jose/jwt-verdict.ts';
import {
  buildSkewFinding,
  type ComparedVerdicts,
  describeAudienceRemedy,
  type Finding,
  readClient,
} from './compared-verdicts.ts';
import { buildLightweightFinding, hostNameFindings } from './remarks.ts';

type ExplainCheck = (check: Check, compared: ComparedVerdicts) => readonly Finding[];

const explainIssuer: ExplainCheck = (_check, compared) => {
  const byName = hostNameFindings(compared);
  if (byName.length > 0) return byName;
  return [
    {
      code: 'issuer_differs',
      cause: `Its iss is ${shown(compared.claims?.iss)}, but the issuer identifier of the server is ${compared.issuer}; yet the server knows the token.`,
      remedy:
        'Check which issuer the resource server trusts, and the issuer that the server is configured with.',
    },
  ];
};

const explainAlgorithm: ExplainCheck = ({ detail }) => [
  {
    code: 'alg_not_accepted',
    cause: `The local check does not accept its algorithm: ${detail}.`,
    remedy: 'Compare the signature algorithm that the client is registered for with the keys of the server.',
  },
];

const explainSignature: ExplainCheck = () => [
  {
    code: 'signature_not_checked',
    cause:
      'The signature is wrong, but the server calls the token active: it does not check the signature, or it recognizes the token by a part of it.',
    remedy: 'Do not rely on this introspection endpoint alone: the token may have been altered.',
  },
];

/** By the reason of a failed check. */
const EXPLANATIONS: Readonly<Record<string, ExplainCheck>> = {
  expired: (check, compared) => [explainTime(check, compared)],
  not_yet_valid: (check, compared) => [explainTime(check, compared)],
  issued_in_future: (check, compared) => [explainTime(check, compared)],
  issuer_mismatch: explainIssuer,
  issuer_missing: explainIssuer,
  audience_missing: (_check, compared) =>
    compared.introspection.answer?.aud !== undefined
      ? [buildLightweightFinding(['aud'], compared.isKeycloak)]
      : [audienceNotOurs(compared, 'It names no audience')],
  audience_mismatch: (_check, compared) => [
    audienceNotOurs(compared, `Its aud is ${shown(compared.claims?.aud)}`),
  ],
  alg_confusion: ({ detail }) => [
    {
      code: 'shared_secret_alg',
      cause: `It is signed with a secret that only the server knows (${detail.split(',')[0]}), as some servers sign refresh tokens: nobody else can verify it.`,
      remedy: 'Send an access token to resource servers; other tokens are for the authorization server only.',
    },
  ],
  alg_unfit: explainAlgorithm,
  alg_not_allowed: explainAlgorithm,
  alg_unknown: explainAlgorithm,
  key_unfit: explainAlgorithm,
  type_unexpected: ({ detail }, { isKeycloak }) => [
    {
      code: 'type_not_accepted',
      cause: `The local check requires another typ, which introspection does not check: ${detail}.`,
      remedy: `Let the server set the typ that --type requires${isKeycloak ? ' (Keycloak 26: "Use at+jwt as access token header type")' : ''}, or require the typ that it sets.`,
    },
  ],
  not_an_access_token: ({ detail }) => [
    {
      code: 'not_an_access_token',
      cause: `The server knows the token, but resource servers must not accept it: ${detail}.`,
      remedy: 'Use the access token.',
    },
  ],
  key_unknown: ({ detail }, { isKeycloak }) => [
    {
      code: 'keys_rotated',
      cause: `The server's published keys lack the one that the token names (${detail}): the keys were rotated and the old one withdrawn, or the token is signed by another server.`,
      remedy: `Get a new token. When rotating keys, keep the old one published${isKeycloak ? ' (passive)' : ''} until its last token has expired.`,
    },
  ],
  signature_wrong: explainSignature,
  signature_missing: explainSignature,
  signature_length: explainSignature,
  signature_zero: explainSignature,
};

const explainStricterCheck: ExplainCheck = ({ name, detail }) => [
  {
    code: 'stricter_local_check',
    cause: `The local check is stricter than the server: ${name}: ${detail}.`,
    remedy: 'See the claims of the token with "oauthctl jwt decode".',
  },
];

/** Explains why the local check refuses a token that introspection accepts. */
export function explainLocalRefusal(compared: ComparedVerdicts): readonly Finding[] {
  const findings = compared.local.checks
    .filter(({ outcome }) => outcome === 'failed')
    .flatMap((check) => (EXPLANATIONS[check.reason ?? ''] ?? explainStricterCheck)(check, compared));
  return findings.filter(({ code }, index) => findings.findIndex((one) => one.code === code) === index);
}

function explainTime(check: Check, { clock, claims = {}, now, leeway }: ComparedVerdicts): Finding {
  const { exp } = claims;
  if (check.reason === 'expired' && typeof exp === 'number' && now / 1000 - exp - leeway < 1) {
    return {
      code: 'whole_seconds',
      cause:
        'It expired within the last second, and the server counts whole seconds: it accepts a token until the end of the second of its exp.',
      remedy: 'No action is needed: validate again.',
    };
  }
  const offset = clock && describeClockOffset(clock);
  if (offset !== undefined)
    return buildSkewFinding(`the server's clock is ${offset}, and here ${check.detail}`);
  const { iat } = claims;
  if (check.reason === 'issued_in_future' && typeof iat === 'number')
    return buildSkewFinding(
      `by its iat the server's clock is at least ${(iat - now / 1000).toFixed(1)} s ahead of the clock here`,
    );
  if (clock !== undefined) {
    return {
      code: 'server_leeway',
      cause: `The clocks agree, but the server allows a larger leeway than the local check: ${check.detail}.`,
      remedy: 'Allow the same with --leeway SECONDS, or make the server stricter.',
    };
  }
  return buildSkewFinding(`the server sends no Date header, and here ${check.detail}`);
}

function audienceNotOurs(
  { claims = {}, audience: own = [], isKeycloak }: ComparedVerdicts,
  cause: string,
): Finding {
  return {
    code: 'audience_not_ours',
    cause: `${cause}, but the local check requires ${own.join(' or ')}; introspection does not check the audience.`,
    remedy: `${describeAudienceRemedy(own[0], readClient(claims), isKeycloak)}; a resource server must check aud however it validates.`,
  };
}
