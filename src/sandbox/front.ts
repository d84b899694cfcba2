import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Readable } from 'node:stream';
import type { IncomingRequest, Provider } from 'oidc-provider/lib/provider.js';
import { disguise } from './access-tokens.ts';
import { LOGIN_PATH, PATHS, REALM_PATH, type SandboxParts } from './parts.ts';
import { SandboxRefusal } from './refusal.ts';
import { acceptResult } from './result-callback.ts';

/** The maximum body size of oidc-provider, in bytes. */
const BODY_LIMIT = 56 * 1024;

const CALLBACK = `${PATHS.backchannel_authentication}/callback`;
const OPENID_METADATA = '/.well-known/openid-configuration';
const OAUTH_METADATA = '/.well-known/oauth-authorization-server';

const METHODS: ReadonlyMap<string, readonly string[]> = new Map([
  ['', ['GET', 'HEAD']],
  [OPENID_METADATA, ['GET', 'HEAD', 'OPTIONS']],
  [OAUTH_METADATA, ['GET', 'HEAD', 'OPTIONS']],
  [PATHS.authorization, ['GET']],
  [PATHS.device_authorization, ['POST', 'OPTIONS']],
  [PATHS.code_verification, ['GET', 'POST']],
  [PATHS.pushed_authorization_request, ['POST', 'OPTIONS']],
  [PATHS.jwks, ['GET', 'HEAD', 'OPTIONS']],
  [PATHS.userinfo, ['GET', 'HEAD', 'POST', 'OPTIONS']],
  [PATHS.token, ['POST', 'OPTIONS']],
  [PATHS.introspection, ['POST', 'OPTIONS']],
  [PATHS.revocation, ['POST', 'OPTIONS']],
  [PATHS.backchannel_authentication, ['POST']],
  [CALLBACK, ['POST']],
]);

/** Paths that end with the name of one sign-in. */
const SIGN_IN_METHODS: ReadonlyMap<string, readonly string[]> = new Map([
  [LOGIN_PATH, ['GET', 'POST']],
  [PATHS.authorization, ['GET']],
  [PATHS.code_verification, ['GET']],
]);

/** A server without a handler yet, with deadlines that keep a stalled client from holding a socket. */
export function createFrontServer(): Server {
  return createServer({ headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5_000 });
}

/**
 * Receives requests in full, serves the realm's own pages and the device's result, and hands all else to oidc-provider.
 */
export function createHandler(
  provider: Provider,
  parts: SandboxParts,
): (request: IncomingMessage, response: ServerResponse) => void {
  const handOver = provider.callback();
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { target = '/', query = '' } =
      /^(?<target>[^?]*)(?<query>.*)$/s.exec(request.url ?? '/')?.groups ?? {};
    const path = belowRealm(target);
    const methods = path === undefined ? undefined : listMethods(path);
    if (path === undefined || methods === undefined) {
      const unknownRealm = target.startsWith('/realms/') && !`${target}/`.startsWith(`${REALM_PATH}/`);
      sendJson(response, 404, {
        error: unknownRealm ? 'Realm does not exist' : 'Unable to find matching target resource method',
      });
    } else if (!methods.includes(request.method ?? '')) {
      sendJson(response, 405, { error: 'HTTP 405 Method Not Allowed' }, { allow: methods.join(', ') });
    } else if (path === '') {
      sendJson(response, 200, describeRealm(parts));
    } else {
      const body = await receive(request);
      if (path === CALLBACK) {
        await acceptResult(provider, parts, request.headers, body);
        response.writeHead(200, { 'content-length': 0 }).end();
      } else {
        await handOver(replay(request, parts.issuer, path + query, path, body), response);
      }
    }
  };
  return (request, response) => {
    response.setHeader('server', 'oauthctl-sandbox');
    handle(request, response).catch((error: unknown) => refuse(request, response, error));
  };
}

/** The path below the issuer; RFC 8414 puts its well-known part before the issuer's path. */
function belowRealm(target: string): string | undefined {
  if (target === OAUTH_METADATA + REALM_PATH) {
    return OAUTH_METADATA;
  }
  const path = target.startsWith(REALM_PATH) ? target.slice(REALM_PATH.length) : undefined;
  return path === OAUTH_METADATA ? undefined : path;
}

function listMethods(path: string): readonly string[] | undefined {
  const signIn = /^(.+)\/[\w-]+$/.exec(path)?.[1];
  return METHODS.get(path) ?? (signIn === undefined ? undefined : SIGN_IN_METHODS.get(signIn));
}

function describeRealm(parts: SandboxParts): Record<string, unknown> {
  return {
    realm: 'sandbox',
    public_key: parts.keys.publicDer,
    'token-service': `${parts.issuer}/protocol/openid-connect`,
  };
}

async function receive(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > BODY_LIMIT) {
      throw new SandboxRefusal(413, 'invalid_request', `the body is larger than ${BODY_LIMIT} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The request as oidc-provider is to see it: mounted below the issuer, and with the form it can work with. */
function replay(
  request: IncomingMessage,
  issuer: string,
  url: string,
  path: string,
  received: Buffer,
): IncomingRequest {
  const { body, requestedScope } = translate(path, request.headers, received);
  return Object.assign(Readable.from(body.length > 0 ? [body] : []), {
    method: request.method ?? 'GET',
    url,
    originalUrl: REALM_PATH + url,
    httpVersion: request.httpVersion,
    httpVersionMajor: request.httpVersionMajor,
    socket: request.socket,
    requestedScope,
    received,
    headers: replayedHeaders(request.headers, issuer, body),
  });
}

function replayedHeaders(headers: IncomingHttpHeaders, issuer: string, body: Buffer): IncomingHttpHeaders {
  const { 'transfer-encoding': chunked, 'content-length': length, ...others } = headers;
  return {
    ...others,
    // oidc-provider builds the URLs of its metadata from it; they all have to begin with the issuer.
    host: new URL(issuer).host,
    ...(chunked === undefined && length === undefined ? {} : { 'content-length': String(body.length) }),
  };
}

function translate(
  path: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
): { body: Buffer; requestedScope?: string | undefined } {
  if (!headers['content-type']?.toLowerCase().startsWith('application/x-www-form-urlencoded')) {
    return { body };
  }
  const form = new URLSearchParams(body.toString('utf8'));
  if (path === PATHS.introspection || path === PATHS.revocation) {
    const token = single(form, 'token');
    if (token !== undefined) {
      form.set('token', disguise(token));
      return { body: Buffer.from(form.toString()) };
    }
  }
  if (path === PATHS.backchannel_authentication) {
    // Keycloak takes a request without `openid` and leaves out the ID token; oidc-provider would refuse it.
    const requestedScope = single(form, 'scope');
    if (requestedScope !== undefined) {
      form.set('scope', [...new Set(['openid', ...requestedScope.split(' ')])].join(' ').trim());
      return { body: Buffer.from(form.toString()), requestedScope };
    }
  }
  return { body };
}

/** A parameter that is there once and not empty; anything else is left for oidc-provider to refuse. */
function single(form: URLSearchParams, name: string): string | undefined {
  const values = form.getAll(name);
  return values.length === 1 && values[0] !== '' ? values[0] : undefined;
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const refusal =
    error instanceof SandboxRefusal ? error : new SandboxRefusal(500, 'server_error', 'the sandbox failed');
  sendJson(
    response,
    refusal.status,
    { error: refusal.error, error_description: refusal.error_description },
    {
      ...(refusal.status === 401 ? { 'www-authenticate': 'Bearer realm="sandbox"' } : {}),
      // The unread rest of the body would be parsed as the next request.
      ...(request.complete ? {} : { connection: 'close' }),
    },
  );
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, {
      'content-type': 'application/json;charset=UTF-8',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      ...headers,
    })
    .end(response.req.method === 'HEAD' ? undefined : text);
}
