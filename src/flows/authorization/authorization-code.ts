import type { Context } from '../../context.ts';
import { TimeoutError, UsageError, ValidationError } from '../../errors.ts';
import { readSingleValue, responsePlace } from '../../protocol/oauth/authorization.ts';
import type { DeclaredParameters, FormParameters } from '../../protocol/oauth/form.ts';
import { buildRedirectUri, type RedirectUri } from '../../protocol/oauth/redirect-uri.ts';
import type { ListenAddress } from '../../servers/listen-address.ts';
import type { RedirectPlace } from '../../servers/redirect.ts';
import type { Target } from '../server/target.ts';
import {
  type Arrived,
  type AuthorizationGrant,
  type AuthorizationOutcomeEvent,
  type AuthorizationOutcomeOptions,
  finishAuthorization,
} from './authorization-outcome.ts';
import {
  type AuthorizationDelivery,
  draftAuthorization,
  makeAuthorizationUrl,
} from './authorization-request.ts';
import { checkRedirect } from './authorization-response.ts';
import { type BrowserWaitEvent, inTime, type RedirectWaitOptions, withRedirect } from './browser-wait.ts';
import { type PreflightEvent, preflightAuthorization } from './preflight.ts';
import type { PushedAuthorizationEvent } from './pushed-authorization.ts';

/** How the redirect is received. */
export type RedirectReception =
  | {
      readonly kind: 'listen';
      readonly listen: ListenAddress;
      /** Certificate and private key in PEM. */
      readonly tls?: { readonly cert: string; readonly key: string } | undefined;
    }
  | {
      readonly kind: 'paste';
      /** Asks for the address that the browser was redirected to. */
      readonly read: (signal: AbortSignal) => Promise<string>;
    };

export type AuthorizationCodeEvent =
  | PushedAuthorizationEvent
  /** The user has to open this address. */
  | {
      readonly type: 'authorization_request';
      readonly url: string;
      readonly parameters: DeclaredParameters;
      readonly target: Target;
      /** The address where the redirect is expected; undefined where the user pastes it. */
      readonly listensAt: string | undefined;
    }
  | PreflightEvent
  | BrowserWaitEvent
  | AuthorizationOutcomeEvent;

export interface AuthorizationCodeOptions extends AuthorizationDelivery, AuthorizationOutcomeOptions {
  readonly redirectUri: RedirectUri;
  readonly redirect: RedirectReception;
  /** Milliseconds to wait for the user. */
  readonly deadlineMs: number;
  /** Ends at the first response whose `state` is missing or wrong, instead of waiting for another one. */
  readonly failFast: boolean;
  /** Requests the authorization address first, without a session; never where the request is pushed. */
  readonly preflight: boolean;
}

/**
 * Runs the authorization code grant: sends a browser to the server, waits for the redirect, and exchanges the code. The
 * implicit and hybrid response types are supported as well.
 * @throws RefusedError; TimeoutError `nobody_came`; ValidationError `state_mismatch`, `issuer_mix_up`,
 *   `authorization_response_invalid`, `id_token_invalid`; UsageError as withRedirect; as requestTokens and
 *   makeAuthorizationUrl
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1
 * @see https://openid.net/specs/openid-connect-core-1_0.html#HybridFlowAuth
 */
export async function authorizeByCode(
  ctx: Context,
  options: AuthorizationCodeOptions,
  onEvent: (event: AuthorizationCodeEvent) => void,
): Promise<AuthorizationGrant> {
  const { target, request } = options;
  const drafted = await draftAuthorization(ctx, target, request);
  const exchange: Exchange = { ctx, options, parametersAt: drafted.parametersAt, onEvent };
  const proof = drafted.codeVerifier;
  if (options.redirect.kind === 'paste') {
    return finishAuthorization(exchange, proof, await askAndPaste(exchange, options.redirect.read));
  }
  return listening(exchange, options.redirect, (arrived) => finishAuthorization(exchange, proof, arrived));
}

/** One authorization request on its way. */
interface Exchange {
  readonly ctx: Context;
  readonly options: AuthorizationCodeOptions;
  readonly parametersAt: (redirectUri: string) => DeclaredParameters;
  readonly onEvent: (event: AuthorizationCodeEvent) => void;
}

/** Listens until the code is exchanged as well. */
async function listening<Result>(
  exchange: Exchange,
  { listen, tls }: Extract<RedirectReception, { kind: 'listen' }>,
  go: (arrived: Arrived) => Promise<Result>,
): Promise<Result> {
  const { ctx, options, parametersAt, onEvent } = exchange;
  const { target, redirectUri, deadlineMs, failFast } = options;
  const draft = parametersAt(redirectUri.text);
  const expected = responsePlace(
    readSingleValue(draft, 'response_type'),
    readSingleValue(draft, 'response_mode'),
  );
  let lastRefusal: string | undefined;
  const wait: RedirectWaitOptions<Pick<Arrived, 'outcome' | 'place'>> = {
    listen,
    tls,
    failFast,
    relaysFragment: expected === 'fragment',
    async checkResponse(sent, received, place) {
      const verdict = await checkRedirect(ctx, target, sent, received, place);
      return verdict.kind === 'taken'
        ? { ...verdict, response: { outcome: verdict.response, place } }
        : verdict;
    },
    onRefused(reason, status) {
      lastRefusal = reason;
      onEvent({ type: 'redirect_refused', reason, status });
    },
  };
  return withRedirect(ctx, wait, async ({ listensAt, port, expect, response, finding }) => {
    const sent = parametersAt(buildRedirectUri(redirectUri, port));
    await preflight(exchange, sent);
    const requestedAt = ctx.clock.now();
    const url = await makeAuthorizationUrl(ctx, target, sent, options, onEvent);
    expect(sent);
    onEvent({ type: 'authorization_request', url, parameters: sent, target, listensAt });
    const timeUp = () =>
      finding() ?? nobodyCame(deadlineMs, registrable(sent, redirectUri, port), lastRefusal);
    const came = await inTime(ctx, deadlineMs, response, onEvent, timeUp);
    return go({ ...came, sent, requestedAt });
  });
}

/** A pushed request has been judged by the server already. */
async function preflight({ ctx, options, onEvent }: Exchange, sent: DeclaredParameters): Promise<void> {
  if (!options.preflight || options.pushed) return;
  await preflightAuthorization(ctx, options.target, sent, options, onEvent);
}

async function askAndPaste(
  exchange: Exchange,
  read: (signal: AbortSignal) => Promise<string>,
): Promise<Arrived> {
  const { ctx, options, parametersAt, onEvent } = exchange;
  const { target, redirectUri, deadlineMs } = options;
  const sent = parametersAt(redirectUri.text);
  await preflight(exchange, sent);
  const requestedAt = ctx.clock.now();
  const url = await makeAuthorizationUrl(ctx, target, sent, options, onEvent);
  onEvent({ type: 'authorization_request', url, parameters: sent, target, listensAt: undefined });
  const timeUp = new AbortController();
  const signal = AbortSignal.any([ctx.signal, timeUp.signal]);
  try {
    const text = await inTime(ctx, deadlineMs, read(signal), onEvent, () =>
      nobodyCame(deadlineMs, readSingleValue(sent, 'redirect_uri'), undefined),
    );
    const { received, place } = takeApart(text, redirectUri.text);
    const verdict = await checkRedirect(ctx, target, sent, received, place);
    if (verdict.kind === 'turned_away') throw verdict.finding ?? notAResponse(verdict.reason);
    return { outcome: verdict.response, place: 'paste', sent, requestedAt };
  } finally {
    timeUp.abort(new Error('the wait is over'));
  }
}

/** @throws UsageError `pasted_address_wrong` */
function takeApart(text: string, redirectUri: string): { received: FormParameters; place: RedirectPlace } {
  const address = text.trim();
  const base = (of: string) => {
    const [start = ''] = of.split(/[?#]/);
    return URL.canParse(start) ? new URL(start).href : undefined;
  };
  if (base(address) === undefined || base(address) !== base(redirectUri)) {
    throw new UsageError('pasted_address_wrong', `this is not an address below ${redirectUri}`, {
      hint: 'Copy the whole address that the browser ended up at, from the first letter to the last.',
    });
  }
  const { search, hash } = new URL(address);
  const inFragment = hash.length > 1;
  const parameters = [...new URLSearchParams(inFragment ? hash.slice(1) : search)];
  return { received: parameters, place: inFragment ? 'fragment' : 'query' };
}

function notAResponse(reason: string): ValidationError {
  return new ValidationError('authorization_response_invalid', `the address that was pasted has ${reason}`, {
    hint: 'It is not the response to this request. Start again, and paste the address that the browser ends up at.',
  });
}

/** The redirect URI as it is to be registered: without the port, where that is another one each time. */
function registrable(sent: FormParameters, redirectUri: RedirectUri, port: number): string | undefined {
  const uri = readSingleValue(sent, 'redirect_uri');
  return uri === buildRedirectUri(redirectUri, port) ? buildRedirectUri(redirectUri) : uri;
}

function nobodyCame(
  deadlineMs: number,
  redirectUri: string | undefined,
  lastRefusal: string | undefined,
): TimeoutError {
  const turnedAway =
    lastRefusal === undefined ? '' : ` What came and was turned away last has ${lastRefusal}.`;
  return new TimeoutError('nobody_came', `nobody came back from the server within ${deadlineMs / 1000} s`, {
    hint:
      'Where the server refuses the client or the redirect URI, it says so in the browser and sends nobody back: ' +
      `look there, and register ${redirectUri} as a redirect URI of the client.${turnedAway}`,
  });
}
