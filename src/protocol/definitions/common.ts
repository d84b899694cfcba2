import type { Parameter } from './parameter.ts';

/** The requested scope. @see https://www.rfc-editor.org/rfc/rfc6749#section-3.3 */
export const SCOPE = { is: 'scope', setting: 'scope' } as const satisfies Parameter;

/** The services that the tokens are for. @see https://www.rfc-editor.org/rfc/rfc8707#section-2 */
export const RESOURCE = {
  is: 'identity',
  option: {
    flags: '--resource <uri>',
    help: 'the address of a service to use the token at',
    read: 'list',
  },
} as const satisfies Parameter;
