import type { Context } from '../../context.ts';
import { RefusedError, TimeoutError, ValidationError } from '../../errors.ts';
import { buildForeignAnswer } from '../../protocol/oauth/answer.ts';
import { buildAuthorizationUrl, readSingleValue } from '../../protocol/oauth/authorization.ts';
import {
  buildParameters,
  type DeclaredParameters,
  type FormParameters,
  withExtraParameters,
  withoutParameters,
} from '../../protocol/oauth/form.ts';
import { requireEndpoint } from '../../protocol/oauth/metadata.ts';
import { buildRedirectUri, type RedirectUri } from '../../protocol/oauth/redirect-uri.ts';
import { type LogoutRequest, parseLogoutAnswer, takesRefreshToken } from '../../protocol/oidc/logout.ts';
import { makeState } from '../../protocol/unguessable.ts';
import { postForm, type Target } from '../server/target.ts';
import { type BrowserWaitEvent, inTime, type RedirectWaitOptions, withRedirect } from './browser-wait.ts';
import { findStateMismatch, refuseResponse } from './response-state.ts';

export type LogoutEvent =
  | {
      readonly type: 'logout_request';
      readonly url: string;
      readonly target: Target;
      readonly values: { readonly refresh_token: string };
    }
  | { readonly type: 'logout_response'; readonly status: number; readonly ms: number };

/** The names under which the tokens of the session were kept until now. */
export interface LoggedOut {
  readonly forgotten: readonly string[];
}

/**
 * Ends the session of a refresh token by a request of the client, which only Keycloak takes, and forgets its kept tokens.
 * Nothing is sent to any other server: the client secret and the refresh token would go to a page for browsers.
 * @throws RefusedError; NetworkError; ValidationError `logout_by_browser_only`, `endpoint_missing`
 */
export async function endSession(
  ctx: Context,
  { target, refreshToken }: { readonly target: Target; readonly refreshToken: string },
  onEvent: (event: LogoutEvent) => void,
): Promise<LoggedOut> {
  const url = requireEndpoint(target.metadata, 'end_session_endpoint');
  if (!takesRefreshToken(url))
    throw byBrowserOnly(`the server ends sessions in a browser only: nothing was sent to ${url}`);
  const values = { refresh_token: refreshToken };
  onEvent({ type: 'logout_request', url, target, values });
  const parameters = buildParameters('end_session', values);
  const answer = await postForm(ctx, target, { url, endpoint: 'end_session', parameters });
  const parsed = parseLogoutAnswer(answer);
  if (parsed.kind === 'refused') throw new RefusedError(parsed.oauth);
  if (parsed.kind === 'foreign') throw buildForeignAnswer(parsed.reason, url);
  if (parsed.kind === 'page')
    throw byBrowserOnly(
      'the server answered with an HTML page: it did not end the session of the refresh token',
    );
  onEvent({ type: 'logout_response', status: answer.status, ms: answer.ms });
  return { forgotten: await (await ctx.store()).tokens.drop(refreshToken) };
}

export type BrowserLogoutEvent =
  /** The user has to open this address. */
  | {
      readonly type: 'browser_logout';
      readonly url: string;
      readonly parameters: FormParameters;
      /** The address where the browser is expected; undefined where it is not. */
      readonly listensAt: string | undefined;
    }
  | BrowserWaitEvent
  | { readonly type: 'browser_came_back'; readonly parameters: FormParameters };

export interface BrowserLogoutOptions {
  readonly target: Target;
  readonly request: Omit<LogoutRequest, 'post_logout_redirect_uri'>;
  /** Where the server is to send the browser; waited for where it leads to this machine. */
  readonly redirectUri?: RedirectUri | undefined;
  /** Milliseconds to wait for the user. */
  readonly deadlineMs: number;
  /** Ends at the first redirect whose `state` is missing or wrong, instead of waiting for another one. */
  readonly failFast: boolean;
}

export interface BrowserLoggedOut extends LoggedOut {
  readonly url: string;
  /** Whether the browser came back, so that the session is known to have ended. */
  readonly returned: boolean;
}

/**
 * Sends a browser to the server to log out. Where it is to come back to this machine it is waited for, and the tokens
 * that were kept with the ID token of the hint are forgotten; otherwise nobody knows what became of it.
 * @throws TimeoutError `nobody_came`; ValidationError `state_mismatch`; UsageError as withRedirect; ValidationError `endpoint_missing`
 * @see https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout
 */
export async function logoutByBrowser(
  ctx: Context,
  options: BrowserLogoutOptions,
  onEvent: (event: BrowserLogoutEvent) => void,
): Promise<BrowserLoggedOut> {
  const { redirectUri } = options;
  const isOurs = redirectUri?.isLoopback === true && redirectUri.scheme === 'http';
  if (redirectUri === undefined || !isOurs) {
    const { url, parameters } = draft(ctx, options, redirectUri?.text);
    onEvent({ type: 'browser_logout', url, parameters, listensAt: undefined });
    return { url, returned: false, forgotten: [] };
  }
  return waiting(ctx, options, redirectUri, onEvent);
}

async function waiting(
  ctx: Context,
  options: BrowserLogoutOptions,
  redirectUri: RedirectUri,
  onEvent: (event: BrowserLogoutEvent) => void,
): Promise<BrowserLoggedOut> {
  const { host, port: wanted = 0, path } = redirectUri;
  const { deadlineMs, failFast } = options;
  const wait: RedirectWaitOptions<FormParameters> = {
    listen: { host, port: wanted, path },
    relaysFragment: false,
    failFast,
    async checkResponse(sent, received) {
      const mismatch = findStateMismatch(sent, received);
      if (mismatch === undefined) return { kind: 'taken', response: received };
      return refuseResponse(mismatch);
    },
    onRefused: (reason, status) => onEvent({ type: 'redirect_refused', reason, status }),
  };
  return withRedirect(ctx, wait, async ({ listensAt, port, expect, response, finding }) => {
    const { url, parameters } = draft(ctx, options, buildRedirectUri(redirectUri, port));
    expect(parameters);
    onEvent({ type: 'browser_logout', url, parameters, listensAt });
    const timeUp = () => finding() ?? nobodyCame(deadlineMs, parameters);
    const received = await inTime(ctx, deadlineMs, response, onEvent, timeUp);
    onEvent({ type: 'browser_came_back', parameters: received });
    return { url, returned: true, forgotten: await forget(ctx, options.target, parameters) };
  });
}

/** Builds the address; the user's own parameters replace those that are built here. */
function draft(
  ctx: Context,
  { target, request }: BrowserLogoutOptions,
  post_logout_redirect_uri: string | undefined,
): { url: string; parameters: DeclaredParameters } {
  const state = request.state ?? (post_logout_redirect_uri === undefined ? undefined : makeState(ctx.random));
  const values = { ...request, client_id: target.client.client_id, post_logout_redirect_uri, state };
  const parameters = withoutParameters(
    withExtraParameters(buildParameters('end_session', values), target.extraParameters),
    target.omittedParameters ?? [],
  );
  const endpoint = requireEndpoint(target.metadata, 'end_session_endpoint');
  return { url: buildAuthorizationUrl(endpoint, parameters), parameters };
}

/** Without the hint, the browser may have logged out of another session than that of the kept tokens. */
async function forget(
  ctx: Context,
  { owner }: Target,
  parameters: FormParameters,
): Promise<readonly string[]> {
  if (owner === undefined) return [];
  const { tokens } = await ctx.store();
  const idToken = (await tokens.last(owner))?.response.id_token;
  const isOfHint = idToken !== undefined && idToken === readSingleValue(parameters, 'id_token_hint');
  return isOfHint ? tokens.forget([owner]) : [];
}

function byBrowserOnly(message: string): ValidationError {
  return new ValidationError('logout_by_browser_only', message, {
    hint: '"oauthctl logout --browser" logs out in the browser, and "oauthctl revoke" revokes the refresh token.',
  });
}

function nobodyCame(deadlineMs: number, sent: FormParameters): TimeoutError {
  const redirectUri = readSingleValue(sent, 'post_logout_redirect_uri');
  return new TimeoutError('nobody_came', `nobody came back from the server within ${deadlineMs / 1000} s`, {
    hint:
      'Where the server refuses the request, it says so in the browser and sends nobody back: look there, and register ' +
      `${redirectUri} as a post-logout redirect URI of the client. Nothing was forgotten.`,
  });
}
