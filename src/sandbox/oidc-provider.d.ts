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
  }

  export interface Account {
    readonly accountId: string;
    claims(): Promise<Payload>;
  }

  /** What the models of tokens and requests have in common. */
  export interface Model {
    readonly jti: string;
    readonly expiration: number;
    accountId: string;
    clientId: string;
    grantId?: string;
    scope?: string;
    exp?: number;
    save(): Promise<string>;
  }

  export interface BackchannelRequest extends Model {
    authTime?: number;
    error?: string;
    readonly isExpired: boolean;
  }

  export interface Grant extends Model {
    addOIDCScope(scope: string): void;
  }

  export interface IdToken {
    scope: string;
    set(claim: string, value: unknown): void;
    issue(options: { use: 'idtoken' }): Promise<string>;
  }

  interface ModelClass<M extends Model> {
    new (properties: Payload): M;
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
  }

  export interface Context {
    readonly req: IncomingRequest;
    status: number;
    body: unknown;
    readonly oidc?: OidcContext;
  }

  export interface OidcContext {
    readonly route: string;
    readonly client: Client;
    readonly account: Account;
    readonly body: Record<string, unknown>;
    readonly params: Record<string, string | undefined>;
    readonly entities: Record<string, Model | undefined>;
    entity(name: string, value: unknown): void;
  }

  export type RouteContext = Context & { readonly oidc: OidcContext };

  export class Provider {
    constructor(issuer: string, configuration: Payload);
    readonly AccessToken: ModelClass<Model>;
    readonly RefreshToken: ModelClass<Model>;
    readonly Grant: ModelClass<Grant>;
    readonly BackchannelAuthenticationRequest: ModelClass<BackchannelRequest>;
    readonly IdToken: new (
      claims: Payload,
      options: { ctx: Context },
    ) => IdToken;
    use(middleware: (ctx: Context, next: () => Promise<void>) => Promise<void>): this;
    on(event: string, listener: (...args: unknown[]) => void): this;
    registerGrantType(
      name: string,
      handler: (ctx: RouteContext) => Promise<void>,
      params: readonly string[],
    ): void;
    backchannelResult(
      request: BackchannelRequest,
      result: Grant | Error,
      options?: { authTime?: number },
    ): Promise<void>;
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
}
