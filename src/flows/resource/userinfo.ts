import type { Context, HttpAnswer } from '../../context.ts';
import { RefusedError } from '../../errors.ts';
import type { DefinedHeaders } from '../../protocol/definitions/answers.ts';
import { decodeUnverified } from '../../protocol/jose/jwt.ts';
import { buildForeignAnswer } from '../../protocol/oauth/answer.ts';
import { buildAuthorizationUrl } from '../../protocol/oauth/authorization.ts';
import { parseChallenges } from '../../protocol/oauth/challenge.ts';
import type { DpopKey } from '../../protocol/oauth/dpop.ts';
import { buildParameters, encodeForm, withExtraParameters } from '../../protocol/oauth/form.ts';
import { requireEndpoint } from '../../protocol/oauth/metadata.ts';
import { checkSubject, parseUserinfoAnswer, type Userinfo } from '../../protocol/oidc/userinfo.ts';
import { sendWithProof } from '../server/dpop.ts';
import { prepareVerification } from '../server/jwks.ts';
import type { Target } from '../server/target.ts';
import { buildResourceRefusal, type Presented } from './resource-refusal.ts';

export type UserinfoEvent =
  | {
      readonly type: 'userinfo_request';
      readonly method: 'GET' | 'POST';
      readonly url: string;
      readonly scheme: 'Bearer' | 'DPoP';
    }
  | { readonly type: 'userinfo_response'; readonly userinfo: Userinfo; readonly ms: number };

export interface UserinfoOptions {
  readonly target: Target;
  readonly token: string;
  /** The key that the token is bound to; absent sends it as a bearer token. */
  readonly key?: DpopKey | undefined;
  /** Thumbprint of the client certificate in use. */
  readonly certificate?: string | undefined;
  /** How the token was had, where that is known. */
  readonly grant?: Presented['grant'];
  readonly method?: 'GET' | 'POST' | undefined;
  /** Where a bearer token stands; in the body it takes a POST. */
  readonly bearerMethod?: 'header' | 'body' | undefined;
}

/**
 * Asks the server who the user of an access token is. The answer must be about the user of the ID token that was kept
 * with the access token.
 * @throws RefusedError; NetworkError; ValidationError `userinfo_invalid`, `endpoint_missing`
 * @see https://openid.net/specs/openid-connect-core-1_0.html#UserInfo
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.2
 */
export async function userinfo(
  ctx: Context,
  options: UserinfoOptions,
  onEvent: (event: UserinfoEvent) => void,
): Promise<Userinfo> {
  const { target, token, key, certificate, grant, method = 'GET' } = options;
  const url = requireEndpoint(target.metadata, 'userinfo_endpoint');
  const scheme = key ? 'DPoP' : 'Bearer';
  onEvent({ type: 'userinfo_request', method, url, scheme });
  const answer = await send(ctx, { ...options, method }, url);
  const parsed = parseUserinfoAnswer(answer);
  const challenges = parseChallenges(answer.headers['www-authenticate']);
  if (answer.status >= 400 && (parsed.kind !== 'foreign' || challenges.length > 0)) {
    throw buildResourceRefusal(
      answer,
      challenges,
      {
        scheme,
        accessToken: token,
        jkt: key?.jkt,
        certificate,
        grant,
        metadata: undefined,
        now: ctx.clock.now(),
      },
      'userinfo',
    );
  }
  if (parsed.kind === 'refused') throw new RefusedError(parsed.oauth);
  if (parsed.kind === 'foreign') throw buildForeignAnswer(parsed.reason, url);
  const found = parsed.kind === 'claims' ? { json: parsed.json } : await open(ctx, target, parsed.jwt);
  checkSubject(found.json, await subjectKeptWith(ctx, target, token));
  onEvent({ type: 'userinfo_response', userinfo: found, ms: answer.ms });
  return found;
}

async function send(
  ctx: Context,
  { target, token, key, method = 'GET', bearerMethod }: UserinfoOptions,
  endpoint: string,
): Promise<HttpAnswer> {
  const { proofs, extraParameters } = target;
  const inBody = method === 'POST' && bearerMethod === 'body';
  const isForm = inBody || (method === 'POST' && extraParameters.length > 0);
  const isQuery = method === 'GET' && extraParameters.length > 0;
  const parameters = withExtraParameters(
    buildParameters('userinfo', { access_token: inBody ? token : undefined }),
    extraParameters,
  );
  const url = isQuery ? buildAuthorizationUrl(endpoint, parameters) : endpoint;
  const http = await ctx.http();
  const attempt = (proof: DefinedHeaders) =>
    http.send(
      {
        method,
        url,
        endpoint: 'userinfo',
        headers: {
          accept: 'application/json, application/jwt',
          ...(!inBody && { authorization: `${key ? 'DPoP' : 'Bearer'} ${token}` }),
          ...(isForm && { 'content-type': 'application/x-www-form-urlencoded' }),
          ...proof,
        },
        ...(isForm && { body: encodeForm(parameters) }),
      },
      ctx.signal,
    );
  if (key === undefined || proofs === undefined) return attempt({});
  return sendWithProof(ctx, key, proofs, { method, url, accessToken: token }, attempt);
}

async function open(ctx: Context, target: Target, jwt: string): Promise<Userinfo> {
  ctx.redactor.know(jwt);
  const { readUserinfoJwt } = await import('../../protocol/oidc/userinfo-jwt.ts');
  return readUserinfoJwt(
    jwt,
    await prepareVerification(ctx, target, 'userinfo_signing_alg_values_supported'),
  );
}

/** The user of the ID token that is kept together with an access token. */
async function subjectKeptWith(ctx: Context, { owner }: Target, token: string): Promise<string | undefined> {
  const kept = owner === undefined ? undefined : await (await ctx.store()).tokens.last(owner);
  const { access_token, id_token } = kept?.response ?? {};
  if (access_token !== token || typeof id_token !== 'string') return undefined;
  return decodeUnverified(id_token)?.claims.sub;
}
