import type { Case } from '../case.ts';

/** Tokens bound to a client certificate. @see https://www.rfc-editor.org/rfc/rfc8705#section-3 */
export const GENERIC_CERTIFICATE_BINDING: readonly Case[] = [
  {
    when: { description: /client certification missing/i },
    cause: 'The tokens of this client are bound to a client certificate, and the server received none.',
    remedy:
      'Give --cert FILE and --key FILE, and use https; a proxy in between must forward the certificate.',
  },
  {
    when: { description: /client certificate missing, or its thumbprint/i },
    cause: 'The token is bound to another client certificate, or the server received none.',
    remedy: 'Use the --cert and --key that the token was issued for, or request new tokens.',
  },
];
