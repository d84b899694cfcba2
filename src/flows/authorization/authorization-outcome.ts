import type { Context } from '../../context.ts';
import { RefusedError, ValidationError } from '../../errors.ts';
import { CODE_GRANT } from '../../protocol/definitions/grants/code.ts';
import { REQUESTS } from '../../protocol/definitions/requests.ts';
import type { JsonObject } from '../../protocol/json.ts';
import {
  type AuthorizationRequest,
  type AuthorizationResponse,
  readEssentialAcr,
  readSingleValue,
  splitResponseType,
} from '../../protocol/oauth/authorization.ts';
import type { DeclaredParameters } from '../../protocol/oauth/form.ts';
import { isKeycloak } from '../../protocol/oauth/server-product.ts';
import { parseTokenResponse, type TokenResponse } from '../../protocol/oauth/token.ts';
import type { AuthenticationExpectations, VerifiedIdToken } from '../../protocol/oidc/id-token.ts';
import type { RedirectPlace } from '../../servers/redirect.ts';
import type { Target } from '../server/target.ts';
import { type AskedFor, describeRequest } from '../token/kept-tokens.ts';
import { emitScopeNotGranted, keepTokens, verifyReceivedIdToken } from '../token/received-tokens.ts';
import { requestTokens, type TokenEvent } from '../token/token.ts';
import type { RedirectOutcome } from './authorization-response.ts';

export type AuthorizationOutcomeEvent =
  | {
      readonly type: 'authorization_response';
      readonly response: AuthorizationResponse;
      readonly place: RedirectPlace | 'paste';
      /** Whether it came in a JWT whose signature was verified. */
      readonly isSigned: boolean;
      readonly remarks: readonly string[];
    }
  | TokenEvent
  /** What is odd about the tokens of the authorization response. */
  | { readonly type: 'front_tokens_odd'; readonly remarks: readonly string[] }
  | { readonly type: 'id_token_missing' };

export interface AuthorizationOutcomeOptions {
  /** Its `extraParameters` and `omittedParameters` apply to the authorization request. */
  readonly target: Target;
  /** The user's own parameters of the token request. */
  readonly tokenRequest?: Pick<Target, 'extraParameters' | 'omittedParameters'>;
  readonly request: AuthorizationRequest;
}

export interface AuthorizationGrant {
  /** The token response as it came; for a hybrid flow with the authorization response in `authorization_response`. */
  readonly json: JsonObject;
  /** Undefined where no access token was requested. */
  readonly tokens: TokenResponse | undefined;
  readonly idToken: VerifiedIdToken | undefined;
}

/** The redirect that arrived, and the request that it answers. */
export interface Arrived {
  readonly outcome: RedirectOutcome;
  readonly sent: DeclaredParameters;
  readonly place: RedirectPlace | 'paste';
  /** Milliseconds since the epoch. */
  readonly requestedAt: number;
}

type SuccessfulResponse = Exclude<AuthorizationResponse, { readonly kind: 'refused' }>;

interface Outcome {
  readonly ctx: Context;
  readonly options: AuthorizationOutcomeOptions;
  readonly onEvent: (event: AuthorizationOutcomeEvent) => void;
  readonly sent: DeclaredParameters;
  readonly response: SuccessfulResponse;
  readonly expected: AuthenticationExpectations;
  /** The ID token of the authorization response. */
  readonly frontIdToken: VerifiedIdToken | undefined;
  readonly asked: AskedFor;
}

/**
 * Takes the tokens of an authorization response, and exchanges its code.
 * @param codeVerifier of PKCE
 * @throws RefusedError; ValidationError `id_token_invalid`; as requestTokens
 */
export async function finishAuthorization(
  { ctx, options, onEvent }: Pick<Outcome, 'ctx' | 'options' | 'onEvent'>,
  codeVerifier: string | undefined,
  { outcome, sent, place, requestedAt }: Arrived,
): Promise<AuthorizationGrant> {
  if (outcome.kind === 'failure') throw outcome.error;
  const { response, isSigned, remarks } = outcome;
  onEvent({ type: 'authorization_response', response, place, isSigned, remarks });
  const { target, request, tokenRequest } = options;
  if (response.kind === 'refused') {
    const product = isKeycloak(target.metadata) ? 'keycloak' : undefined;
    throw new RefusedError({ ...response.oauth, product }, { personDecides: true });
  }
  const expected = readExpectations(sent, requestedAt);
  const frontIdToken = await verifyFrontIdToken(ctx, { target, response, sent, expected });
  if (frontIdToken) onEvent({ type: 'id_token_verified', idToken: frontIdToken });
  const asked = describeRequest(REQUESTS.authorization, { ...request }, { ...target, tokenRequest });
  const all: Outcome = { ctx, options, onEvent, sent, response, expected, frontIdToken, asked };
  return response.code === undefined ? keepFrontTokens(all) : exchangeCode(all, response.code, codeVerifier);
}

function readExpectations(sent: DeclaredParameters, requestedAt: number): AuthenticationExpectations {
  const maxAge = readSingleValue(sent, 'max_age');
  return {
    nonce: readSingleValue(sent, 'nonce'),
    maxAge: maxAge === undefined ? undefined : Number(maxAge),
    acrValues: readSingleValue(sent, 'acr_values'),
    essentialAcr: readEssentialAcr(readSingleValue(sent, 'claims')),
    requestedAt,
  };
}

async function verifyFrontIdToken(
  ctx: Context,
  { target, response, sent, expected }: Pick<Outcome, 'response' | 'sent' | 'expected'> & { target: Target },
): Promise<VerifiedIdToken | undefined> {
  const { id_token, access_token, code } = response;
  if (id_token === undefined) return undefined;
  return verifyReceivedIdToken(ctx, target, id_token, {
    ...expected,
    accessToken: access_token,
    code,
    state: readSingleValue(sent, 'state'),
    isFrontChannel: true,
  });
}

/** Keeps the tokens of the implicit grant. */
async function keepFrontTokens(all: Outcome): Promise<AuthorizationGrant> {
  const { ctx, options, onEvent, response, frontIdToken, asked } = all;
  const tokens =
    response.access_token === undefined ? undefined : parseTokenResponse(response.json, { isForm: true });
  if (tokens) {
    onEvent({ type: 'front_tokens_odd', remarks: tokens.remarks });
    const { state: _state, iss: _iss, ...json } = response.json;
    await keepTokens(ctx, options.target, 'implicit', { ...tokens, json }, { asked });
  }
  return { json: response.json, tokens, idToken: frontIdToken };
}

async function exchangeCode(
  { ctx, options, onEvent, sent, response, expected, frontIdToken, asked }: Outcome,
  code: string,
  codeVerifier: string | undefined,
): Promise<AuthorizationGrant> {
  const { target, request, tokenRequest } = options;
  // Lifetimes count from before the request, so that no token is taken for valid after its end.
  const receivedAt = ctx.clock.now();
  // The tokens are kept below, after the two ID tokens of a hybrid flow have been compared.
  const own = { extraParameters: [], omittedParameters: [], ...tokenRequest, keepTokens: false };
  const { tokens, idToken } = await requestTokens(
    ctx,
    {
      target: { ...target, ...own },
      grantType: CODE_GRANT.grantType,
      values: {
        code,
        redirect_uri: readSingleValue(sent, 'redirect_uri'),
        code_verifier: codeVerifier,
        resource: request.resource,
      },
      expected: { ...expected, code },
    },
    onEvent,
  );
  if (idToken && frontIdToken && idToken.claims.sub !== frontIdToken.claims.sub) throw subjectsDiffer();
  await keepTokens(ctx, target, CODE_GRANT.grantType, tokens, { asked, receivedAt });
  // `sent` has the user's own parameters already.
  emitScopeNotGranted({ extraParameters: [] }, readSingleValue(sent, 'scope'), tokens, onEvent);
  const isOpenId = readSingleValue(sent, 'scope')?.split(' ').includes('openid');
  if (isOpenId && idToken === undefined) onEvent({ type: 'id_token_missing' });
  const isHybrid = splitResponseType(readSingleValue(sent, 'response_type')).length > 1;
  return {
    json: isHybrid ? { ...tokens.json, authorization_response: response.json } : tokens.json,
    tokens,
    idToken: idToken ?? frontIdToken,
  };
}

function subjectsDiffer(): ValidationError {
  return new ValidationError(
    'id_token_invalid',
    'the ID tokens of the authorization response and of the token response are of different users',
    {
      hint: 'The code may have been replaced by another one (OpenID Connect Core, section 3.3.3.6). No tokens were kept.',
    },
  );
}
