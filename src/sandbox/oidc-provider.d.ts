/**
 * The part of oidc-provider that the sandbox uses; the package ships no types.
 *
 * `lib/provider.js` is imported instead of the package's index because the index prints a warning about the
 * version of Node while it loads, and does nothing else that is needed here.
 */
declare module 'oidc-provider/lib/provider.js' {
  import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
  import type { Socket } from 'node:net';
  import type { Readable } from 'node:stream';

  export type Payload = Record<string, unknown>;

  export interface Adapter {
    upsert(id: string, payload: Payload, expiresIn?: number): Promise<void>;
    find(id: string): Promise<Payload | undefined>;
    findByUid(uid: string): Promise<Payload | undefined>;
    findByUserCode(userCode: string): Promise<Payload | undefined>;
    consume(id: string): Promise<void>;
    destroy(id: string): Promise<void>;
    revokeByGrantId(grantId: string): Promise<void>;
  }

  export interface Client {
    readonly clientId: string;
    readonly clientAuthMethod: string;
    redirectUriAllowed(uri: string): boolean;
    grantTypeAllowed(grantType: string): boolean;
  }

  export interface Account {
    readonly accountId: string;
    claims(): Promise<Payload>;
  }

  /** What the models of tokens and requests have in common. */
  export interface Model {
    readonly jti: string;
    /** Seconds it lives. */
    readonly expiration: number;
    /** Seconds it still lives. */
    readonly remainingTTL: number;
    accountId: string;
    clientId: string;
    grantId?: string;
    scope?: string;
    exp?: number;
    save(): Promise<string>;
    getValueAndPayload(): Promise<{ value: string; payload: Payload }>;
  }

  /** A token, or the source of tokens: a code, a refresh token. */
  export interface Token extends Model {
    readonly tokenType: string;
    aud?: string;
    jkt?: string;
    rar?: readonly unknown[];
    resource?: string | readonly string[];
    setThumbprint(kind: 'jkt', thumbprint: string): void;
    setAudience(audience: string): void;
  }

  export interface BackchannelRequest extends Model {
    authTime?: number;
    error?: string;
    readonly isExpired: boolean;
  }

  export interface Grant extends Model {
    getOIDCScope(): string;
    getOIDCClaims(): readonly string[];
    addOIDCScope(scope: string): void;
    addOIDCClaims(claims: readonly string[]): void;
    addResourceScope(resource: string, scope: string): void;
  }

  export interface Session extends Model {
    readonly uid: string;
    state?: { readonly secret: string } | undefined;
    destroy(): Promise<void>;
  }

  /** What a person is asked for, and what the client wants. */
  export interface Interaction {
    readonly uid: string;
    readonly exp: number;
    readonly prompt: { readonly name: string; readonly details: Readonly<Payload> };
    readonly params: Readonly<Record<string, string | string[] | undefined>>;
    /** What the person has granted the client in this session. */
    readonly grantId?: string;
    session?: { readonly uid: string; readonly accountId: string } | undefined;
    persist(): Promise<string>;
  }

  export interface IdToken {
    scope: string;
    set(claim: string, value: unknown): void;
    issue(options: { use: 'idtoken' }): Promise<string>;
  }

  export interface ModelClass<M extends Model> {
    new (properties: Payload): M;
    readonly prototype: M;
    find(id: string, options?: { ignoreExpiration?: boolean }): Promise<M | undefined>;
  }

  /** What oidc-provider reads of a request: a node:http request, or one that was received in full and is replayed. */
  export interface IncomingRequest extends Readable {
    method: string;
    url: string;
    originalUrl: string;
    httpVersion: string;
    httpVersionMajor: number;
    headers: IncomingHttpHeaders;
    socket: Socket;
    requestedScope?: string | undefined;
    /** The body as it came. */
    received: Buffer;
  }

  export interface Context {
    readonly req: IncomingRequest;
    readonly res: ServerResponse;
    readonly method: string;
    readonly path: string;
    readonly query: Readonly<Record<string, string | string[] | undefined>>;
    querystring: string;
    readonly state: Record<string, unknown>;
    readonly cookies: { get(name: string): string | undefined };
    status: number;
    type: string;
    body: unknown;
    readonly oidc?: OidcContext;
    set(header: string, value: string): void;
    redirect(url: string): void;
  }

  export type Middleware = (ctx: Context, next: () => Promise<void>) => Promise<void>;

  export interface OidcContext {
    readonly route: string;
    readonly client: Client;
    readonly account: Account;
    readonly session: Session;
    readonly body: Record<string, unknown>;
    readonly params: Record<string, string | undefined>;
    readonly entities: Record<string, Model | undefined>;
    entity(name: string, value: unknown): void;
    urlFor(route: string): string;
  }

  export type RouteContext = Context & { readonly oidc: OidcContext };

  export class Provider {
    constructor(issuer: string, configuration: Payload);
    readonly Client: ModelClass<Model> & { readonly prototype: Client };
    readonly AccessToken: ModelClass<Token>;
    readonly AuthorizationCode: ModelClass<Token>;
    readonly ClientCredentials: ModelClass<Token>;
    readonly DeviceCode: ModelClass<Token>;
    readonly RefreshToken: ModelClass<Token>;
    readonly Grant: ModelClass<Grant>;
    readonly Session: ModelClass<Session> & { findByUid(uid: string): Promise<Session | undefined> };
    readonly ReplayDetection: { unique(issuer: string, jti: string, expiresAt: number): Promise<boolean> };
    readonly BackchannelAuthenticationRequest: ModelClass<BackchannelRequest>;
    readonly IdToken: new (
      claims: Payload,
      options: { ctx: Context },
    ) => IdToken;
    cookieName(kind: 'session'): string;
    use(middleware: Middleware): this;
    on(event: string, listener: (...args: unknown[]) => void): this;
    registerGrantType(
      name: string,
      handler: (ctx: RouteContext) => Promise<void>,
      params: readonly string[],
      /** Those that may be there more than once. */
      repeatable?: readonly string[],
    ): void;
    backchannelResult(
      request: BackchannelRequest,
      result: Grant | Error,
      options?: { authTime?: number },
    ): Promise<void>;
    interactionDetails(request: IncomingRequest, response: ServerResponse): Promise<Interaction>;
    /** @returns where the browser goes on */
    interactionResult(request: IncomingRequest, response: ServerResponse, result: Payload): Promise<string>;
    callback(): (request: IncomingRequest, response: ServerResponse) => Promise<void>;
  }
}

declare module 'oidc-provider/lib/helpers/errors.js' {
  export class OIDCProviderError extends Error {
    constructor(status: number, error: string);
    readonly status: number;
    error: string;
    error_description?: string;
    expose: boolean;
  }

  export class SessionNotFound extends OIDCProviderError {}
}

declare module 'oidc-provider/lib/helpers/interaction_policy/index.js' {
  interface Prompt {
    readonly checks: { remove(reason: string): void };
  }

  export function base(): readonly Prompt[] & { get(name: 'login' | 'consent'): Prompt };
}

/** What oidc-provider hands to its own grants, bound to a provider. */
declare module 'oidc-provider/lib/helpers/grants.js' {
  import type { Payload, Provider, RouteContext } from 'oidc-provider/lib/provider.js';

  export interface DpopProof {
    readonly thumbprint: string;
    readonly jti: string;
  }

  export function validateDpop(provider: Provider, ctx: RouteContext): Promise<DpopProof | undefined>;
  export function checkDpopRequired(
    provider: Provider,
    ctx: RouteContext,
    proof: DpopProof | undefined,
  ): void;
  export function checkDpopReplay(
    provider: Provider,
    ctx: RouteContext,
    proof: DpopProof | undefined,
    clientId: string,
  ): Promise<void>;
  export function resolveRequestedResources(
    provider: Provider,
    ctx: RouteContext,
  ): Promise<readonly { identifier(): string }[]>;
  export function buildTokenResponse(provider: Provider, members: Payload): Payload;
}

declare module 'oidc-provider/lib/helpers/grant_common.js' {
  import type { DpopProof } from 'oidc-provider/lib/helpers/grants.js';
  import type { Grant, Payload, Provider, RouteContext, Token } from 'oidc-provider/lib/provider.js';

  export function issueTokens(
    provider: Provider,
    helpers: Payload,
    ctx: RouteContext,
    source: Token,
    grant: Grant,
    details: { gty: string; entityLabel: string; dPoP: DpopProof | undefined },
  ): Promise<void>;
}

declare module 'oidc-provider/lib/actions/grants/device_code.js' {
  import type { Payload, Provider, RouteContext } from 'oidc-provider/lib/provider.js';

  export const grantType: string;
  export const parameters: ReadonlySet<string>;
  export function handler(provider: Provider, helpers: Payload, ctx: RouteContext): Promise<void>;
}
