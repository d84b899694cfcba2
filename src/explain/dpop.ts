import type { Case } from './case.ts';

/** Some servers say it in error, others in error_description. */
const DPOP_PROOF_REFUSED = {
  cause:
    'The server does not accept the DPoP proof: its htu, htm, iat, algorithm or key is wrong, or its jti was used before.',
  remedy:
    'Compare htu with the address that the server sees (a proxy may change it), both clocks, and --dpop-alg with "oauthctl discover".',
} as const;

/** DPoP proofs and tokens bound to their key. @see https://www.rfc-editor.org/rfc/rfc9449 */
export const DPOP: readonly Case[] = [
  {
    when: { error: 'use_dpop_nonce' },
    cause:
      'The server requires a nonce in the DPoP proof, but provided no usable nonce, or refused the one it provided.',
    remedy: 'Look at the DPoP-Nonce header with -v; the request was sent twice at most.',
  },
  {
    when: { description: /dpop proof (is missing|jwt not provided)/i },
    cause: 'The client or its refresh token is bound to a DPoP key, but the request carried no proof.',
    remedy: 'Add --dpop, or store it: "oauthctl profile set NAME --dpop".',
  },
  {
    when: { description: /dpop confirmation|confirmation doesn't match dpop/i },
    cause: 'The token is bound to another key than that of the DPoP proof.',
    remedy:
      'Use the key that the token was requested with: omit --dpop-key to use the kept one, or name its file.',
  },
  {
    when: { error: 'invalid_dpop_proof' },
    ...DPOP_PROOF_REFUSED,
  },
  {
    when: { error: 'invalid_request', description: /dpop/i },
    ...DPOP_PROOF_REFUSED,
  },
];
