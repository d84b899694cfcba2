import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { base64url, type CryptoKey, exportJWK, exportSPKI, type JSONWebKeySet, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';
import type { ServerMetadata } from '../../src/protocol/oauth/metadata.ts';
import type { FakeClock } from './fake-clock.ts';
import { keyPair } from './keys.ts';

/** One answer; `json` or `text` is its body. */
export interface ScriptedAnswer {
  /** 200 unless it says otherwise. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  /** Milliseconds that pass on the clock before it leaves. */
  readonly takes?: number;
  /** Sends half of the body and breaks off. */
  readonly cut?: true;
}

/** `reset` destroys the socket without an answer; `hang` never answers. */
export type Answer = ScriptedAnswer | 'reset' | 'hang';

/** An answer, or what makes one once the request is there. */
export type ScriptedStep = Answer | ((request: CapturedRequest) => Answer | Promise<Answer>);

export interface CapturedRequest {
  readonly endpoint: ScriptedEndpoint | 'metadata' | 'jwks' | 'unknown';
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly form: URLSearchParams;
  /** The clock's time of arrival. */
  readonly at: number;
}

export type ScriptedEndpoint =
  | 'backchannel'
  | 'device_authorization'
  | 'token'
  | 'callback'
  | 'introspection'
  | 'revocation'
  | 'userinfo'
  | 'end_session'
  | 'pushed_authorization'
  | 'authorization'
  | 'webfinger'
  | 'resource';

export interface MisbehavingServerOptions {
  readonly clock: FakeClock;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** In place of all of the server's metadata. */
  readonly metadataAnswer?: ScriptedStep;
  /** In place of the server's own keys. */
  readonly jwks?: ScriptedStep;
  readonly backchannel?: readonly ScriptedStep[];
  readonly device_authorization?: readonly ScriptedStep[];
  readonly pushed_authorization?: readonly ScriptedStep[];
  /** Answers to whatever opens the address; a login page, where the list has none. */
  readonly authorization?: readonly ScriptedStep[];
  readonly token?: readonly ScriptedStep[];
  readonly callback?: readonly ScriptedStep[];
  readonly introspection?: readonly ScriptedStep[];
  readonly revocation?: readonly ScriptedStep[];
  readonly userinfo?: readonly ScriptedStep[];
  readonly end_session?: readonly ScriptedStep[];
  readonly webfinger?: readonly ScriptedStep[];
  readonly resource?: readonly ScriptedStep[];
}

/** What is wrong with a JWT; a claim that is undefined is left out. */
export interface Flaws {
  readonly claims?: Readonly<Record<string, unknown>>;
  /** ES256 unless it says otherwise; HS256 is keyed with the server's public key in PEM, as in an attack. */
  readonly alg?: 'ES256' | 'RS256' | 'HS256' | 'none';
  /** Signs with a key that the JWKS does not have, under the kid of one that it has. */
  readonly foreignKey?: true;
  readonly kid?: string;
  /** Of the header. */
  readonly typ?: string;
  /** Keys HS256 with this instead. */
  readonly secret?: string;
}

export interface MisbehavingServer {
  readonly issuer: string;
  readonly metadata: ServerMetadata;
  /** Every request so far, in the order of arrival. */
  readonly requests: readonly CapturedRequest[];
  /** The requests to one endpoint. */
  to(endpoint: CapturedRequest['endpoint']): readonly CapturedRequest[];
  /** Milliseconds between one poll and the next. */
  gaps(): readonly number[];
  idToken(flaws?: Flaws): Promise<string>;
  /** The bearer of a delegation, as Keycloak makes it. */
  bearer(flaws?: Flaws): Promise<string>;
}

export const CLIENT_ID = 'test-client';
export const USER = 'cl-taro';
export const AUTH_REQ_ID = 'auth-req-id/with+odd=characters';

const PATHS: Readonly<Record<string, CapturedRequest['endpoint']>> = {
  '/.well-known/openid-configuration': 'metadata',
  '/jwks': 'jwks',
  '/ext/ciba/auth': 'backchannel',
  '/ext/ciba/auth/callback': 'callback',
  '/protocol/openid-connect/ext/ciba/auth/callback': 'callback',
  '/device': 'device_authorization',
  '/par': 'pushed_authorization',
  '/authorize': 'authorization',
  '/token': 'token',
  '/introspect': 'introspection',
  '/revoke': 'revocation',
  '/userinfo': 'userinfo',
  '/logout': 'end_session',
  '/.well-known/webfinger': 'webfinger',
  '/resource': 'resource',
  '/protocol/openid-connect/logout': 'end_session',
};

interface Keys {
  readonly ES256: { readonly privateKey: CryptoKey; readonly publicKey: CryptoKey };
  readonly RS256: { readonly privateKey: CryptoKey; readonly publicKey: CryptoKey };
  readonly foreign: { readonly ES256: CryptoKey; readonly RS256: CryptoKey };
  readonly jwks: JSONWebKeySet;
  readonly publicPem: string;
}

let keys: Promise<Keys> | undefined;

/** The keys of all servers of a test file: making them takes a while. */
function sharedKeys(): Promise<Keys> {
  keys ??= (async () => {
    const [ec, rsa, foreignEc, foreignRsa] = await Promise.all([
      keyPair('ES256'),
      keyPair('RS256', 'server'),
      keyPair('ES256'),
      keyPair('RS256', 'foreign'),
    ]);
    const published = async (key: CryptoKey, alg: string) => ({
      ...(await exportJWK(key)),
      kid: alg,
      alg,
      use: 'sig',
    });
    return {
      ES256: ec,
      RS256: rsa,
      foreign: { ES256: foreignEc.privateKey, RS256: foreignRsa.privateKey },
      jwks: { keys: [await published(ec.publicKey, 'ES256'), await published(rsa.publicKey, 'RS256')] },
      publicPem: await exportSPKI(rsa.publicKey),
    };
  })();
  return keys;
}

/**
 * An authorization server on loopback that answers by a script. Its endpoints, but for
 * metadata and JWKS, answer one step of their list after the other; a request beyond the list,
 * and a step that is never reached, fail the test.
 */
export async function startMisbehavingServer(options: MisbehavingServerOptions): Promise<MisbehavingServer> {
  const { clock } = options;
  const made = await sharedKeys();
  const requests: CapturedRequest[] = [];
  const unexpected: string[] = [];
  const scripts: Record<ScriptedEndpoint, ScriptedStep[]> = {
    backchannel: [...(options.backchannel ?? [])],
    device_authorization: [...(options.device_authorization ?? [])],
    pushed_authorization: [...(options.pushed_authorization ?? [])],
    authorization: [...(options.authorization ?? [])],
    token: [...(options.token ?? [])],
    callback: [...(options.callback ?? [])],
    introspection: [...(options.introspection ?? [])],
    revocation: [...(options.revocation ?? [])],
    userinfo: [...(options.userinfo ?? [])],
    end_session: [...(options.end_session ?? [])],
    webfinger: [...(options.webfinger ?? [])],
    resource: [...(options.resource ?? [])],
  };
  let metadata: ServerMetadata = { issuer: '' };

  const nextStep = ({ endpoint, method, path }: CapturedRequest): ScriptedStep => {
    if (endpoint === 'metadata') return options.metadataAnswer ?? { json: metadata };
    if (endpoint === 'jwks') return options.jwks ?? { json: made.jwks };
    const step = endpoint === 'unknown' ? undefined : scripts[endpoint].shift();
    if (step !== undefined) return step;
    if (endpoint === 'authorization') return { text: LOGIN_PAGE };
    unexpected.push(`${method} ${path}`);
    return { status: 418, json: { error: 'unscripted' } };
  };

  const server = createServer(async (request, response) => {
    const at = clock.now();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const path = request.url ?? '';
    const received: CapturedRequest = {
      endpoint: PATHS[path.split('?')[0] ?? ''] ?? 'unknown',
      method: request.method ?? '',
      path,
      headers: request.headers,
      body,
      form: new URLSearchParams(body),
      at,
    };
    requests.push(received);
    const step = nextStep(received);
    send(typeof step === 'function' ? await step(received) : step, request, response, clock);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  metadata = {
    issuer,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    backchannel_authentication_endpoint: `${issuer}/ext/ciba/auth`,
    device_authorization_endpoint: `${issuer}/device`,
    introspection_endpoint: `${issuer}/introspect`,
    revocation_endpoint: `${issuer}/revoke`,
    userinfo_endpoint: `${issuer}/userinfo`,
    end_session_endpoint: `${issuer}/protocol/openid-connect/logout`,
    authorization_endpoint: `${issuer}/authorize`,
    pushed_authorization_request_endpoint: `${issuer}/par`,
    id_token_signing_alg_values_supported: ['ES256', 'RS256'],
    ...options.metadata,
  };
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    if (unexpected.length > 0) throw new Error(`requests beyond the script: ${unexpected.join(', ')}`);
    for (const [endpoint, steps] of Object.entries(scripts)) {
      if (steps.length > 0) throw new Error(`${steps.length} answer(s) of ${endpoint} were never asked for`);
    }
  });

  const to: MisbehavingServer['to'] = (endpoint) => requests.filter((one) => one.endpoint === endpoint);
  const seconds = () => Math.floor(clock.now() / 1000);
  return {
    issuer,
    metadata,
    requests,
    to,
    gaps: () => {
      const times = to('token').map(({ at }) => at);
      return times.slice(1).map((at, index) => at - (times[index] ?? 0));
    },
    idToken: (flaws = {}) =>
      mint(
        { iss: issuer, sub: 'user-1', aud: CLIENT_ID, iat: seconds(), exp: seconds() + 300, ...flaws.claims },
        flaws,
        made,
      ),
    bearer: (flaws = {}) =>
      mint(
        {
          iss: issuer,
          aud: issuer,
          sub: 'user-1',
          azp: CLIENT_ID,
          jti: crypto.randomUUID(),
          typ: 'Bearer',
          exp: seconds() + 120,
          ...flaws.claims,
        },
        flaws,
        made,
      ),
  };
}

function send(answer: Answer, request: IncomingMessage, response: ServerResponse, clock: FakeClock): void {
  if (answer === 'hang') return;
  if (answer === 'reset') {
    request.socket.destroy();
    return;
  }
  clock.pass(answer.takes ?? 0);
  const isJson = answer.json !== undefined;
  const body = isJson ? JSON.stringify(answer.json) : (answer.text ?? '');
  response.writeHead(answer.status ?? 200, {
    'content-type': isJson ? 'application/json' : 'text/html',
    'content-length': Buffer.byteLength(body),
    ...answer.headers,
  });
  if (answer.cut) {
    response.write(body.slice(0, Math.ceil(body.length / 2)), () => request.socket.destroy());
  } else {
    response.end(body);
  }
}

async function mint(claims: Readonly<Record<string, unknown>>, flaws: Flaws, made: Keys): Promise<string> {
  const { alg = 'ES256', kid = alg } = flaws;
  if (alg === 'none') {
    const part = (value: unknown) => base64url.encode(JSON.stringify(value));
    return `${part({ alg: 'none' })}.${part(claims)}.`;
  }
  const jwt = new SignJWT(claims).setProtectedHeader({
    alg,
    kid,
    ...(flaws.typ !== undefined && { typ: flaws.typ }),
  });
  if (alg === 'HS256') return jwt.sign(new TextEncoder().encode(flaws.secret ?? made.publicPem));
  return jwt.sign(flaws.foreignKey ? made.foreign[alg] : made[alg].privateKey);
}

const LOGIN_PAGE = '<!doctype html><title>Sign in</title><form method="post"><input name="username"></form>';

/** The answer to a poll that is still pending. */
export const PENDING = { status: 400, json: { error: 'authorization_pending' } } as const;
/** The answer to a poll that came too early. */
export const SLOW_DOWN = { status: 400, json: { error: 'slow_down' } } as const;
/** The least that a token response must have. */
export const TOKENS = { json: { access_token: 'the-access-token', token_type: 'Bearer' } } as const;
/** An acknowledgement without an interval. */
export const ACKNOWLEDGEMENT = { json: { auth_req_id: AUTH_REQ_ID, expires_in: 120 } } as const;
/** A device authorization response without an interval. */
export const DEVICE_AUTHORIZATION = {
  json: {
    device_code: 'the-device-code',
    user_code: 'WDJB-MJHT',
    verification_uri: 'https://as.example/device',
    verification_uri_complete: 'https://as.example/device?user_code=WDJB-MJHT',
    expires_in: 60,
  },
} as const;
/** What a gateway answers in the server's place. */
export const HTML_PAGE = '<!doctype html><title>Bad Gateway</title>';
