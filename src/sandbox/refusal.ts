import { OIDCProviderError } from 'oidc-provider/lib/helpers/errors.js';

/** A refusal with the status, the error and the text that Keycloak gives; oidc-provider answers it as it is. */
export class SandboxRefusal extends OIDCProviderError {
  constructor(status: number, error: string, description: string) {
    super(status, error);
    this.error_description = description;
    // oidc-provider hides the text of 5xx otherwise, and it is what a client is to see here.
    this.expose = true;
  }
}

/** oidc-provider's own refusals that Keycloak words or numbers differently, by the route that gives them. */
const REWORDED: readonly {
  route?: string;
  error: string;
  text?: RegExp;
  as: { status: number; error: string; error_description: string };
}[] = [
  {
    route: 'backchannel_authentication',
    error: 'invalid_request',
    text: /is not allowed for this client$/,
    as: { status: 401, error: 'invalid_grant', error_description: 'Client not allowed OIDC CIBA Grant' },
  },
  {
    route: 'backchannel_authentication',
    error: 'invalid_request',
    text: /^missing required parameter.*scope/,
    as: { status: 400, error: 'invalid_request', error_description: 'missing parameter : scope' },
  },
  {
    route: 'backchannel_authentication',
    error: 'invalid_request_object',
    as: {
      status: 400,
      error: 'invalid_request',
      error_description: 'signed authentication requests are not supported',
    },
  },
  {
    route: 'token',
    error: 'invalid_request',
    text: /is not allowed for this client$/,
    as: {
      status: 400,
      error: 'unauthorized_client',
      error_description: 'the client is not allowed to use this grant',
    },
  },
  {
    error: 'invalid_request',
    text: /^no client authentication mechanism provided$/,
    as: {
      status: 401,
      error: 'invalid_client',
      error_description: 'Invalid client or Invalid client credentials',
    },
  },
  {
    error: 'invalid_client',
    text: /^client (authentication failed|is invalid)$/,
    as: {
      status: 401,
      error: 'invalid_client',
      error_description: 'Invalid client or Invalid client credentials',
    },
  },
];

/**
 * Words a refusal of oidc-provider as Keycloak does.
 *
 * @param route name of oidc-provider's route that refused
 * @param body the JSON it was about to answer
 * @returns status, error and description to answer instead, or undefined where both servers agree
 */
export function reworded(
  route: string,
  body: unknown,
): { status: number; error: string; error_description: string } | undefined {
  const { error, error_description: text } = (body ?? {}) as { error?: string; error_description?: string };
  return REWORDED.find(
    (rule) =>
      rule.error === error &&
      (rule.route === undefined || rule.route === route) &&
      (rule.text === undefined || rule.text.test(text ?? '')),
  )?.as;
}
