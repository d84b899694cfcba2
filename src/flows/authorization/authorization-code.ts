import type { Context } from '../../context.ts';
import { RefusedError, TimeoutError, UsageError, ValidationError } from '../../errors.ts';
import { CODE_GRANT } from '../../protocol/definitions/grants/code.ts';
import { REQUESTS } from '../../protocol/definitions/requests.ts';
import type { JsonObject } from '../../protocol/json.ts';
import {
  type AuthorizationRequest,
  type AuthorizationResponse,
  readEssentialAcr,
  responsePlace,
  singleValue,
  splitResponseType,
} from '../../protocol/oauth/authorization.ts';
import type { DeclaredParameters, FormParameters } from '../../protocol/oauth/form.ts';
import { type RedirectUri, redirectUriAt } from '../../protocol/oauth/redirect-uri.ts';
import { parseTokenResponse, type TokenResponse } from '../../protocol/oauth/token.ts';
import type { AuthenticationExpectations, VerifiedIdToken } from '../../protocol/oidc/id-token.ts';
import type { ListenAddress } from '../../servers/listen-address.ts';
import type { RedirectPlace } from '../../servers/redirect.ts';
import type { Target } from '../server/target.ts';
import { describeRequest } from '../token/kept-tokens.ts';
import { keepTokens, verifyReceivedIdToken } from '../token/received-tokens.ts';
import { requestTokens, type TokenEvent } from '../token/token.ts';
import { type AuthorizationWay, draftAuthorization, makeAuthorizationUrl } from './authorization-request.ts';
import { checkRedirect, type RedirectOutcome } from './authorization-response.ts';
import { type BrowserWaitEvent, inTime, type RedirectWaitOptions, withRedirect } from './browser-wait.ts';
import type { PushedAuthorizationEvent } from './pushed-authorization.ts';

/** How the redirect comes back to us. */
export type RedirectWay =
  | {
      readonly kind: 'listen';
      readonly listen: ListenAddress;
      /** Certificate and private key in PEM. */
      readonly tls?: { readonly cert: string; readonly key: string } | undefined;
    }
  | {
      readonly kind: 'paste';
      /** Asks for the address that the browser ended up at. */
      readonly read: (signal: AbortSignal) => Promise<string>;
    };

export type AuthorizationCodeEvent =
  | PushedAuthorizationEvent
  /** Somebody has to open this address; nothing goes on without it. */
  | {
      readonly type: 'authorization_request';
      readonly url: string;
      readonly parameters: DeclaredParameters;
      readonly target: Target;
      /** Where the redirect is waited for; undefined where a person brings it. */
      readonly listensAt: string | undefined;
    }
  | BrowserWaitEvent
  | {
      readonly type: 'authorization_response';
      readonly response: AuthorizationResponse;
      readonly place: RedirectPlace | 'paste';
      /** Whether it came in a JWT whose signature was verified. */
      readonly isSigned: boolean;
      readonly remarks: readonly string[];
    }
  | TokenEvent
  | { readonly type: 'id_token_missing' };

export interface AuthorizationCodeOptions extends AuthorizationWay {
  /** Its `extraParameters` and `omittedParameters` are meant for the authorization request. */
  readonly target: Target;
  /** The person's own parameters of the token request. */
  readonly tokenRequest?: Pick<Target, 'extraParameters' | 'omittedParameters'>;
  readonly request: AuthorizationRequest;
  readonly redirectUri: RedirectUri;
  readonly redirect: RedirectWay;
  /** Milliseconds that the person has. */
  readonly deadlineMs: number;
}

export interface AuthorizationGrant {
  /** The token response as it came; of a hybrid flow with the front channel's in a member `authorization_response`. */
  readonly json: JsonObject;
  /** Undefined where no access token was asked for. */
  readonly tokens: TokenResponse | undefined;
  readonly idToken: VerifiedIdToken | undefined;
}

/**
 * The authorization code grant, whole: sends a browser to the server, waits for it to come back, and exchanges the code.
 * The implicit and hybrid types of response are understood as well.
 * @throws RefusedError; TimeoutError `nobody_came`; ValidationError `issuer_mix_up`, `authorization_response_invalid`,
 *   `id_token_invalid`; UsageError as withRedirect; as requestTokens and makeAuthorizationUrl
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
    return finish(exchange, proof, await askAndPaste(exchange, options.redirect.read));
  }
  return listening(exchange, options.redirect, (arrived) => finish(exchange, proof, arrived));
}

/** One authorization request on its way. */
interface Exchange {
  readonly ctx: Context;
  readonly options: AuthorizationCodeOptions;
  readonly parametersAt: (redirectUri: string) => DeclaredParameters;
  readonly onEvent: (event: AuthorizationCodeEvent) => void;
}

/** The redirect that came, and the request that it answers. */
interface Arrived {
  readonly outcome: RedirectOutcome;
  readonly sent: DeclaredParameters;
  readonly place: RedirectPlace | 'paste';
  /** Milliseconds since the epoch. */
  readonly requestedAt: number;
}

/** Listens until the code is exchanged as well. */
async function listening<Result>(
  exchange: Exchange,
  { listen, tls }: Extract<RedirectWay, { kind: 'listen' }>,
  go: (arrived: Arrived) => Promise<Result>,
): Promise<Result> {
  const { ctx, options, parametersAt, onEvent } = exchange;
  const { target, redirectUri, deadlineMs } = options;
  const draft = parametersAt(redirectUri.text);
  const expected = responsePlace(singleValue(draft, 'response_type'), singleValue(draft, 'response_mode'));
  let lastRefusal: string | undefined;
  const wait: RedirectWaitOptions<Pick<Arrived, 'outcome' | 'place'>> = {
    listen,
    tls,
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
  return withRedirect(ctx, wait, async ({ listensAt, port, expect, response }) => {
    const sent = parametersAt(redirectUriAt(redirectUri, port));
    const requestedAt = ctx.clock.now();
    const url = await makeAuthorizationUrl(ctx, target, sent, options, onEvent);
    expect(sent);
    onEvent({ type: 'authorization_request', url, parameters: sent, target, listensAt });
    const came = await inTime(ctx, deadlineMs, response, onEvent, () =>
      nobodyCame(deadlineMs, registrable(sent, redirectUri, port), lastRefusal),
    );
    return go({ ...came, sent, requestedAt });
  });
}

async function askAndPaste(
  exchange: Exchange,
  read: (signal: AbortSignal) => Promise<string>,
): Promise<Arrived> {
  const { ctx, options, parametersAt, onEvent } = exchange;
  const { target, redirectUri, deadlineMs } = options;
  const sent = parametersAt(redirectUri.text);
  const requestedAt = ctx.clock.now();
  const url = await makeAuthorizationUrl(ctx, target, sent, options, onEvent);
  onEvent({ type: 'authorization_request', url, parameters: sent, target, listensAt: undefined });
  const timeUp = new AbortController();
  const signal = AbortSignal.any([ctx.signal, timeUp.signal]);
  try {
    const text = await inTime(ctx, deadlineMs, read(signal), onEvent, () =>
      nobodyCame(deadlineMs, singleValue(sent, 'redirect_uri'), undefined),
    );
    const { received, place } = takeApart(text, redirectUri.text);
    const verdict = await checkRedirect(ctx, target, sent, received, place);
    if (verdict.kind === 'turned_away') throw notOurs(verdict.reason);
    return { outcome: verdict.response, place: 'paste', sent, requestedAt };
  } finally {
    timeUp.abort(new Error('the wait is over'));
  }
}

/** Reads the redirect's outcome, and goes on with what it brought. */
async function finish(
  { ctx, options, onEvent }: Exchange,
  codeVerifier: string | undefined,
  { outcome, sent, place, requestedAt }: Arrived,
): Promise<AuthorizationGrant> {
  if (outcome.kind === 'failure') throw outcome.error;
  const { response, isSigned, remarks } = outcome;
  onEvent({ type: 'authorization_response', response, place, isSigned, remarks });
  if (response.kind === 'refused') throw new RefusedError(response.oauth, { personDecides: true });
  const { target, request } = options;
  const { code, access_token, id_token } = response;
  const maxAge = singleValue(sent, 'max_age');
  const expected: AuthenticationExpectations = {
    nonce: singleValue(sent, 'nonce'),
    maxAge: maxAge === undefined ? undefined : Number(maxAge),
    acrValues: singleValue(sent, 'acr_values'),
    essentialAcr: readEssentialAcr(singleValue(sent, 'claims')),
    requestedAt,
  };
  const frontIdToken =
    id_token === undefined
      ? undefined
      : await verifyReceivedIdToken(ctx, target, id_token, {
          ...expected,
          accessToken: access_token,
          code,
          state: singleValue(sent, 'state'),
          isFrontChannel: true,
        });
  if (frontIdToken) onEvent({ type: 'id_token_verified', idToken: frontIdToken });
  const asked = describeRequest(
    REQUESTS.authorization,
    { ...request },
    { ...target, tokenRequest: options.tokenRequest },
  );
  if (code === undefined) {
    const tokens = access_token === undefined ? undefined : parseTokenResponse(response.json);
    if (tokens) {
      const { state: _state, iss: _iss, ...json } = response.json;
      await keepTokens(ctx, target, 'implicit', { ...tokens, json }, { asked });
    }
    return { json: response.json, tokens, idToken: frontIdToken };
  }
  // Lifetimes are counted from it: rather too early than too late.
  const receivedAt = ctx.clock.now();
  const { tokens, idToken } = await requestTokens(
    ctx,
    {
      // Kept below, when the two ID tokens of a hybrid flow have been compared.
      target: {
        ...target,
        extraParameters: [],
        omittedParameters: [],
        ...options.tokenRequest,
        keepTokens: false,
      },
      grantType: CODE_GRANT.grantType,
      values: {
        code,
        redirect_uri: singleValue(sent, 'redirect_uri'),
        code_verifier: codeVerifier,
        resource: request.resource,
      },
      expected: { ...expected, code },
    },
    onEvent,
  );
  if (idToken && frontIdToken && idToken.claims.sub !== frontIdToken.claims.sub) throw otherSubject();
  await keepTokens(ctx, target, CODE_GRANT.grantType, tokens, { asked, receivedAt });
  const isOpenId = singleValue(sent, 'scope')?.split(' ').includes('openid');
  if (isOpenId && idToken === undefined) onEvent({ type: 'id_token_missing' });
  const isHybrid = splitResponseType(singleValue(sent, 'response_type')).length > 1;
  return {
    json: isHybrid ? { ...tokens.json, authorization_response: response.json } : tokens.json,
    tokens,
    idToken: idToken ?? frontIdToken,
  };
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

function notOurs(reason: string): ValidationError {
  return new ValidationError('authorization_response_invalid', `the address that was pasted has ${reason}`, {
    hint: 'It is the answer to another request, or somebody has made it up: its code was sent nowhere. Begin again.',
  });
}

function otherSubject(): ValidationError {
  return new ValidationError(
    'id_token_invalid',
    'the ID tokens of the authorization response and of the token response are of different users',
    { hint: 'Somebody may have exchanged the code (OpenID Connect Core §3.3.3.6). Nothing was kept.' },
  );
}

/** The redirect URI as it is to be registered: without the port, where that is another one each time. */
function registrable(sent: FormParameters, redirectUri: RedirectUri, port: number): string | undefined {
  const uri = singleValue(sent, 'redirect_uri');
  return uri === redirectUriAt(redirectUri, port) ? redirectUriAt(redirectUri) : uri;
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
