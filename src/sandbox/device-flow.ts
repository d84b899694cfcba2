import * as deviceCode from 'oidc-provider/lib/actions/grants/device_code.js';
import { validateDpop } from 'oidc-provider/lib/helpers/grants.js';
import type {
  Client,
  Context,
  Middleware,
  Payload,
  Provider,
  RouteContext,
} from 'oidc-provider/lib/provider.js';
import { bindGrantHelpers } from './grant-source.ts';
import { details, type Html, html, sendPage, sendRefusal } from './pages.ts';
import { PATHS, REALM_PATH, type SandboxParts } from './parts.ts';
import { SandboxRefusal } from './refusal.ts';

const FORM_ACTION = REALM_PATH + PATHS.code_verification;

/** The messages for a person with a user code, by the names of oidc-provider's errors. */
const MESSAGES: Readonly<Record<string, string>> = {
  NoCodeError: 'Enter the code first.',
  NotFoundError: 'There is no such code.',
  ExpiredError: 'This code has expired. Start again on the device.',
  AlreadyUsedError: 'This code has been used.',
  AbortedError: 'You have cancelled. The device has been told, and you can close this page.',
};

/**
 * oidc-provider's device flow, with the sandbox's pages.
 *
 * @see RFC 8628 §3.3
 */
export function deviceFlowFeature(parts: SandboxParts): Payload {
  return {
    enabled: true,
    charset: 'base-20',
    mask: '****-****',
    deviceInfo: () => ({}),
    userCodeInputSource: async (ctx: RouteContext, _form: string, _out: unknown, error?: Error) =>
      showInput(ctx, error),
    userCodeConfirmSource: async (
      ctx: RouteContext,
      _form: string,
      client: Client,
      _info: unknown,
      userCode: string,
    ) => showConfirmation(parts, ctx, client, userCode),
    successSource: async (ctx: Context) =>
      sendPage(ctx, {
        title: 'The device may go on',
        body: html`<p>It gets its tokens with its next poll. You can close this page.</p>`,
      }),
  };
}

/**
 * Mends two things about the pages of oidc-provider's device flow: it would send the code of
 * `verification_uri_complete` on by a script, where the page now shows it filled in; and it fails where a form comes
 * from a browser that has no session.
 *
 * @see RFC 8628 §3.3.1
 */
export function guardDevicePages(provider: Provider): Middleware {
  return async (ctx, next) => {
    const isFirst = ctx.path === PATHS.code_verification && ctx.method !== 'POST';
    if (isFirst) {
      const { user_code: userCode } = ctx.query;
      ctx.state.userCode = typeof userCode === 'string' ? userCode : undefined;
      ctx.querystring = '';
    } else if (isDevicePath(ctx.path) && ctx.cookies.get(provider.cookieName('session')) === undefined) {
      ctx.status = 400;
      sendRefusal(ctx, { error: 'invalid_request', error_description: 'another browser has got this page' });
      return;
    }
    await next();
  };
}

function isDevicePath(path: string): boolean {
  return `${path}/`.startsWith(`${PATHS.code_verification}/`);
}

/** Makes oidc-provider's device grant refuse polls that are too early. @see RFC 8628 §3.5 */
export function registerDeviceGrant(provider: Provider, parts: SandboxParts): void {
  const helpers = bindGrantHelpers(provider);
  provider.registerGrantType(
    deviceCode.grantType,
    async (ctx) => {
      // A request that is refused because the nonce is missing does not count as a poll.
      await validateDpop(provider, ctx);
      const { device_code: value } = ctx.oidc.params;
      const code =
        value === undefined ? undefined : await provider.DeviceCode.find(value, { ignoreExpiration: true });
      if (code?.clientId === ctx.oidc.client.clientId && !parts.throttle.admit(code.jti)) {
        throw new SandboxRefusal(400, 'slow_down', 'Slow down');
      }
      await deviceCode.handler(provider, helpers, ctx);
      parts.throttle.forget(code?.jti ?? '');
    },
    [...deviceCode.parameters, 'resource', 'authorization_details'],
    ['resource'],
  );
}

function showInput(ctx: RouteContext, error: Error | undefined): void {
  const message = error && (MESSAGES[error.name] ?? error.message);
  const isOver = error?.name === 'AbortedError';
  sendPage(ctx, {
    title: isOver ? 'Cancelled' : 'Connect a device',
    body: html`${message && html`<p class="error" role="alert">${message}</p>`}
${isOver ? undefined : inputForm(ctx)}`,
  });
}

function inputForm(ctx: RouteContext): Html {
  const { userCode } = ctx.state;
  return html`<form method="post" action="${FORM_ACTION}">
${sessionField(ctx)}
<label for="user_code">The code that the device shows</label>
<input id="user_code" name="user_code" type="text" value="${userCode}" autocomplete="off" required autofocus>
<button type="submit">Continue</button>
</form>`;
}

function showConfirmation(parts: SandboxParts, ctx: RouteContext, client: Client, userCode: string): void {
  const { clientId } = client;
  const { purpose } = parts.clients.find(({ client_id: id }) => id === clientId) ?? {};
  sendPage(ctx, {
    title: 'Is this the code on the device?',
    body: html`${details({ Code: userCode, Client: clientId, 'What it is': purpose })}
<form method="post" action="${FORM_ACTION}">
${sessionField(ctx)}
<input type="hidden" name="user_code" value="${userCode}">
<button type="submit" name="confirm" value="yes" autofocus>Continue</button>
<button type="submit" name="abort" value="yes">Cancel</button>
</form>`,
  });
}

/** Binds a form to the browser that received it. */
function sessionField(ctx: RouteContext): Html {
  return html`<input type="hidden" name="xsrf" value="${ctx.oidc.session.state?.secret}">`;
}
