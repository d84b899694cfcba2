import { RESOURCE, SCOPE } from '../common.ts';
import type { GrantDefinition } from './grant.ts';

/** The registered token types by short names. @see https://www.rfc-editor.org/rfc/rfc8693#section-3 */
export const TOKEN_TYPES = {
  access_token: 'urn:ietf:params:oauth:token-type:access_token',
  refresh_token: 'urn:ietf:params:oauth:token-type:refresh_token',
  id_token: 'urn:ietf:params:oauth:token-type:id_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
  saml1: 'urn:ietf:params:oauth:token-type:saml1',
  saml2: 'urn:ietf:params:oauth:token-type:saml2',
} as const;

const NAMES = Object.keys(TOKEN_TYPES).join(', ');

/** @see https://www.rfc-editor.org/rfc/rfc8693#section-2.1 */
export const EXCHANGE_GRANT = {
  name: 'exchange',
  command: 'token exchange',
  grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
  summary: 'one token for another',
  specification: 'RFC 8693',
  examples: [
    'oauthctl token exchange --audience other-client',
    'oauthctl token exchange --subject-token @token.txt --requested-token-type refresh_token',
  ],
  notes:
    'Give parameters of single servers with --param: requested_issuer=…, requested_subject=…, subject_issuer=…',
  parameters: {
    subject_token: {
      is: 'secret-identity',
      option: {
        flags: '--subject-token <ref>',
        help: 'the token, -, @FILE or @last.access_token',
        read: 'token',
        default: '@last.access_token',
      },
    },
    subject_token_type: {
      is: 'identity',
      option: {
        flags: '--subject-token-type <type>',
        help: `${NAMES} or a URI (default: what @last names, else access_token)`,
        read: 'text',
      },
    },
    actor_token: {
      is: 'secret-identity',
      option: {
        flags: '--actor-token <ref>',
        help: 'the token of the acting party, in the same forms',
        read: 'token',
      },
    },
    actor_token_type: {
      is: 'identity',
      option: { flags: '--actor-token-type <type>', help: 'as --subject-token-type', read: 'text' },
    },
    requested_token_type: {
      is: 'identity',
      option: { flags: '--requested-token-type <type>', help: `${NAMES} or a URI`, read: 'text' },
    },
    audience: {
      is: 'identity',
      option: {
        flags: '--audience <name>',
        help: 'the logical name of a service to use the token at',
        read: 'list',
      },
    },
    resource: RESOURCE,
    scope: SCOPE,
  },
} as const satisfies GrantDefinition;
