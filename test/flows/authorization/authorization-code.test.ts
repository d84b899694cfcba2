import { createHash } from 'node:crypto';
import { compactDecrypt, decodeJwt, exportJWK, type JWK, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../../../src/errors.ts';
import {
  type AuthorizationCodeEvent,
  type AuthorizationCodeOptions,
  authorizeByCode,
} from '../../../src/flows/authorization/authorization-code.ts';
import { computeCodeChallenge } from '../../../src/protocol/oauth/pkce.ts';
import { parseRedirectUri } from '../../../src/protocol/oauth/redirect-uri.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { keyPair } from '../../helpers/keys.ts';
import { CLIENT_ID, TOKENS } from '../../helpers/misbehaving-server.ts';
import { silence } from '../../helpers/wait.ts';
import { awaitFailure, CLIENT_SECRET, type LabOptions, ofType, startLab } from '../harness.ts';

type Query = Record<string, string>;

/** What the person's browser does with the address: what it sends to the redirect URI, and how. */
type Browser = (sent: URLSearchParams, visit: Visit) => Promise<void>;
interface Visit {
  (query: Query): Promise<Response>;
  post(form: Query): Promise<Response>;
}

const CODE = 'the-authorization-code';
const REQUEST = { response_type: 'code', scope: 'openid' };

/** A browser that comes back with the code and the state that was sent. */
const comesBack: Browser = async (sent, visit) => {
  await visit({ code: CODE, state: sent.get('state') ?? '' });
};

interface CodeLabOptions extends LabOptions {
  readonly browser?: Browser;
  readonly flow?: Partial<AuthorizationCodeOptions>;
}

/** A scripted server, and the flow with a person whose browser does as it is told. */
async function startCodeLab({ browser = comesBack, flow, ...options }: CodeLabOptions = {}) {
  // Nobody waits in a test, unless the test moves the clock.
  const lab = await startLab({ clock: new FakeClock({ auto: false }), ...options });
  const events: AuthorizationCodeEvent[] = [];
  const visits: Promise<void>[] = [];
  let sent = new URLSearchParams();
  let address = '';
  const run = () =>
    authorizeByCode(
      lab.ctx,
      {
        target: lab.target,
        request: REQUEST,
        redirectUri: parseRedirectUri('http://127.0.0.1/callback'),
        redirect: { kind: 'listen', listen: { host: '127.0.0.1', port: 0, path: '/callback' } },
        pushed: false,
        deadlineMs: 300_000,
        failFast: false,
        preflight: false,
        ...flow,
      },
      (event) => {
        events.push(event);
        if (event.type !== 'authorization_request') return;
        address = event.url;
        sent = new URLSearchParams(event.parameters.map(([name, value]): [string, string] => [name, value]));
        const { listensAt = '' } = event;
        const visit = (query: Query) => fetch(`${listensAt}?${new URLSearchParams(query)}`);
        const post = (form: Query) => fetch(listensAt, { method: 'POST', body: new URLSearchParams(form) });
        visits.push(browser(sent, Object.assign(visit, { post })));
      },
    );
  return {
    ...lab,
    events,
    run,
    sent: () => sent,
    address: () => new URL(address),
    /** Everything that the browser wanted to do is done. */
    visited: () => Promise.all(visits),
    listensAt: () => ofType(events, 'authorization_request')[0]?.listensAt ?? '',
  };
}

type CodeLab = Awaited<ReturnType<typeof startCodeLab>>;

/** A token response with an ID token that answers the request. */
function tokensOf(lab: () => CodeLab, claims: Record<string, unknown> = {}) {
  return async () => ({
    json: {
      ...TOKENS.json,
      id_token: await lab().server.idToken({ claims: { nonce: lab().sent().get('nonce'), ...claims } }),
    },
  });
}

const leftHalf = (text: string) =>
  createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url');

async function isClosed(url: string): Promise<void> {
  await expect(fetch(url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
}

describe('the authorization code grant', () => {
  it('sends PKCE, state and nonce, exchanges the code, verifies the ID token and keeps the tokens', async () => {
    const lab: CodeLab = await startCodeLab({ token: [tokensOf(() => lab)] });
    const { tokens, idToken, json } = await lab.run();
    expect(json).toEqual(tokens?.json);
    expect(idToken?.claims.nonce).toBe(lab.sent().get('nonce'));
    const url = lab.address();
    expect(`${url.origin}${url.pathname}`).toBe(`${lab.server.issuer}/authorize`);
    const port = new URL(lab.listensAt()).port;
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: CLIENT_ID,
      response_type: 'code',
      redirect_uri: `http://127.0.0.1:${port}/callback`,
      scope: 'openid',
      state: expect.stringMatching(/^[\w-]{32}$/),
      nonce: expect.stringMatching(/^[\w-]{32}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    const form = lab.server.to('token')[0]?.form;
    expect(Object.fromEntries(form ?? [])).toEqual({
      grant_type: 'authorization_code',
      code: CODE,
      redirect_uri: `http://127.0.0.1:${port}/callback`,
      code_verifier: expect.any(String),
    });
    expect(await computeCodeChallenge(form?.get('code_verifier') ?? '')).toBe(
      url.searchParams.get('code_challenge'),
    );
    await isClosed(lab.listensAt());
    const kept = await (await lab.ctx.store()).tokens.last('test');
    expect(kept).toMatchObject({
      grant_type: 'authorization_code',
      response: json,
      asked: { scope: 'openid' },
    });
    expect(lab.events.map(({ type }) => type)).toEqual([
      'authorization_request',
      'waiting',
      'authorization_response',
      'token_request',
      'token_response',
      'id_token_verified',
    ]);
  });

  it('draws another state, nonce and challenge every time', async () => {
    const seen = new Set<string | null>();
    for (let runs = 0; runs < 2; runs += 1) {
      const lab: CodeLab = await startCodeLab({ token: [tokensOf(() => lab)] });
      await lab.run();
      for (const name of ['state', 'nonce', 'code_challenge']) seen.add(lab.sent().get(name));
    }
    expect(seen.size).toBe(6);
  });

  it('makes code and verifier known as secrets', async () => {
    const lab = await startCodeLab({ token: [TOKENS], flow: { request: { response_type: 'code' } } });
    await lab.run();
    const verifier = lab.server.to('token')[0]?.form.get('code_verifier') ?? '';
    expect(lab.parts.redactor.text(`${CODE} ${verifier}`)).toBe('(masked) (masked)');
  });

  it('needs no nonce where no ID token is asked for', async () => {
    const lab = await startCodeLab({ token: [TOKENS], flow: { request: { response_type: 'code' } } });
    await lab.run();
    expect(lab.sent().has('nonce')).toBe(false);
    expect(lab.events.at(-1)?.type).toBe('token_response');
  });

  it('says when "openid" was asked for and no ID token came', async () => {
    const lab = await startCodeLab({ token: [TOKENS] });
    await lab.run();
    expect(lab.events.at(-1)?.type).toBe('id_token_missing');
  });

  it('lets the parameters of the person have the last word, and expects what was really sent', async () => {
    const lab: CodeLab = await startCodeLab({
      token: [tokensOf(() => lab)],
      target: {
        extraParameters: [
          ['state', 'my-own-state'],
          ['nonce', 'my-own-nonce'],
          ['code_challenge_method', 'plain'],
        ],
        omittedParameters: ['code_challenge'],
      },
      flow: {
        tokenRequest: { extraParameters: [['code_verifier', 'my-own']], omittedParameters: ['redirect_uri'] },
      },
    });
    const { idToken } = await lab.run();
    expect(idToken?.claims.nonce).toBe('my-own-nonce');
    expect(lab.sent().get('state')).toBe('my-own-state');
    expect(lab.sent().has('code_challenge')).toBe(false);
    expect(Object.fromEntries(lab.server.to('token')[0]?.form ?? [])).toEqual({
      grant_type: 'authorization_code',
      code: CODE,
      code_verifier: 'my-own',
    });
  });

  it('sends resources to both endpoints, and the thumbprint of the DPoP key', async () => {
    const resource = ['https://one.example', 'https://two.example'];
    const { privateKey } = await keyPair('ES256');
    const lab = await startCodeLab({
      token: [TOKENS],
      target: { dpop: { jwk: await exportJWK(privateKey), alg: 'ES256', jkt: 'the-thumbprint' } },
      flow: { request: { response_type: 'code', resource } },
    });
    await lab.run();
    expect(lab.sent().getAll('resource')).toEqual(resource);
    expect(lab.sent().get('dpop_jkt')).toBe('the-thumbprint');
    expect(lab.server.to('token')[0]?.form.getAll('resource')).toEqual(resource);
  });
});

describe('the redirect', () => {
  it('with a wrong state, a second time or elsewhere is turned away, and ends nothing', async () => {
    const statuses: number[] = [];
    const lab = await startCodeLab({
      browser: async (sent, visit) => {
        statuses.push((await visit({ code: 'evil', state: 'forged' })).status);
        statuses.push((await visit({ code: 'evil' })).status);
        statuses.push((await visit.post({ code: 'evil', state: '' })).status);
        await comesBack(sent, visit);
      },
      flow: { request: { response_type: 'code' } },
      token: [
        // While the code is exchanged, the listener is still there for whoever comes late.
        async () => {
          const replay = { code: 'again', state: lab.sent().get('state') ?? '' };
          statuses.push((await fetch(`${lab.listensAt()}?${new URLSearchParams(replay)}`)).status);
          return TOKENS;
        },
      ],
    });
    await lab.run();
    expect(statuses).toEqual([400, 400, 400, 410]);
    expect(lab.server.to('token')[0]?.form.get('code')).toBe(CODE);
    expect(ofType(lab.events, 'redirect_refused')).toMatchObject([
      { reason: 'another state than the one that was sent', status: 400 },
      { reason: 'no state', status: 400 },
      { status: 400 },
      { status: 410 },
    ]);
    expect(lab.parts.redactor.text('evil-and-again')).toBe('evil-and-again');
  });

  it('with the iss of another server is a mix-up, whose code is sent nowhere: exit 4', async () => {
    const lab = await startCodeLab({
      browser: async (sent, visit) => {
        await visit({ code: CODE, state: sent.get('state') ?? '', iss: 'https://evil.example' });
      },
    });
    expect(await awaitFailure(lab.run())).toMatchObject({ code: 'issuer_mix_up', exitCode: 4 });
    expect(lab.server.requests).toEqual([]);
    await isClosed(lab.listensAt());
  });

  it('without iss is a mix-up where the server says that it sends one: exit 4', async () => {
    const lab = await startCodeLab({ metadata: { authorization_response_iss_parameter_supported: true } });
    expect(await awaitFailure(lab.run())).toMatchObject({ code: 'issuer_mix_up' });
  });

  it('with a refusal is passed on with its words: exit 3, and 7 where the person said no', async () => {
    for (const [error, exitCode] of [
      ['invalid_scope', 3],
      ['access_denied', 7],
    ] as const) {
      const lab = await startCodeLab({
        browser: async (sent, visit) => {
          const page = await visit({ error, error_description: 'so it is', state: sent.get('state') ?? '' });
          expect(await page.text()).toContain(`${error}: so it is`);
        },
      });
      expect(await awaitFailure(lab.run())).toMatchObject({
        code: error,
        exitCode,
        message: `the server answered ${error}: so it is`,
        oauth: { error, error_description: 'so it is', endpoint: 'authorization' },
      });
      await lab.visited();
      await isClosed(lab.listensAt());
    }
  });

  it('with neither code nor error breaks the protocol: exit 4', async () => {
    const lab = await startCodeLab({
      browser: async (sent, visit) => void (await visit({ state: sent.get('state') ?? '' })),
    });
    expect(await awaitFailure(lab.run())).toMatchObject({
      code: 'authorization_response_invalid',
      exitCode: 4,
    });
  });

  it('that comes by another way than it was asked for is taken, and remarked', async () => {
    const lab = await startCodeLab({
      token: [TOKENS],
      browser: async (sent, visit) => void (await visit.post({ code: CODE, state: sent.get('state') ?? '' })),
      flow: { request: { response_type: 'code' } },
    });
    await lab.run();
    expect(ofType(lab.events, 'authorization_response')).toMatchObject([
      { place: 'form_post', remarks: ['the response was to come by query, and came by form_post'] },
    ]);
  });

  it('that nobody brings ends the wait at the deadline: exit 6', async () => {
    const clock = new FakeClock({ auto: false });
    const lab = await startCodeLab({
      clock,
      browser: async (_sent, visit) => {
        // A page that is reloaded, or opened by hand, is no response.
        await visit({});
        while (lab.events.at(-1)?.type !== 'redirect_refused') await silence();
        clock.advance(300_000);
      },
    });
    const error = await awaitFailure(lab.run());
    expect(error).toMatchObject({ code: 'nobody_came', exitCode: 6 });
    // Another port is free the next time.
    expect(lab.sent().get('redirect_uri')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
    expect(error.hint).toContain('register http://127.0.0.1/callback as a redirect URI');
    expect(error.hint).toContain('no state');
    await isClosed(lab.listensAt());
  });

  const WORDS = { error: 'invalid_scope', error_description: 'no such scope' };
  const BROUGHT = '; it brought the error invalid_scope: no such scope';
  it.each([
    ['another state', { code: 'evil', state: 'forged' }, 'another state than the one that was sent'],
    ['no state', { code: 'evil' }, 'no state'],
    ['an empty state', { code: 'evil', state: '' }, 'another state than the one that was sent'],
    ['nothing but another state', { state: 'forged' }, 'another state than the one that was sent'],
    ['an error and no state', WORDS, `no state${BROUGHT}`],
    [
      'an error and another state',
      { ...WORDS, state: 'x' },
      `another state than the one that was sent${BROUGHT}`,
    ],
    ['an error alone', { error: 'server_error' }, 'no state; it brought the error server_error'],
  ])(
    'with %s is the finding when the wait ends, and with failFast at once: exit 4',
    async (_what, query, has) => {
      for (const failFast of [false, true]) {
        const clock = new FakeClock({ auto: false });
        const pages: [number, string][] = [];
        const lab = await startCodeLab({
          clock,
          flow: { failFast },
          browser: async (_sent, visit) => {
            const page = await visit(query as Query);
            pages.push([page.status, await page.text()]);
            if (!failFast) clock.advance(300_000);
          },
        });
        expect(await awaitFailure(lab.run())).toMatchObject({
          code: 'state_mismatch',
          exitCode: 4,
          message: `the response that came back has ${has}`,
        });
        await lab.visited();
        expect(ofType(lab.events, 'redirect_refused')).toEqual([
          { type: 'redirect_refused', reason: has, status: 400 },
        ]);
        // Anyone may have written the words.
        expect(pages).toEqual([[400, expect.not.stringContaining('no such scope')]]);
        expect(clock.now() - lab.start).toBe(failFast ? 0 : 300_000);
        expect(lab.server.to('token')).toEqual([]);
        await isClosed(lab.listensAt());
      }
    },
  );

  it('with a state that is there twice is not the one that was sent', async () => {
    const lab = await startCodeLab({
      flow: { failFast: true },
      browser: async (sent) => {
        const state = sent.get('state') ?? '';
        await fetch(`${sent.get('redirect_uri')}?code=c&state=${state}&state=${state}`);
      },
    });
    expect((await awaitFailure(lab.run())).message).toBe(
      'the response that came back has more than one state',
    );
  });

  it('with the right state is taken after one with a wrong state, unless it is to fail fast', async () => {
    const forgedFirst: Browser = async (sent, visit) => {
      await visit({ code: 'evil', state: 'forged' });
      await comesBack(sent, visit).catch(() => {});
    };
    const flow = { request: { response_type: 'code' } };
    const patient = await startCodeLab({ browser: forgedFirst, flow, token: [TOKENS] });
    expect((await patient.run()).json).toEqual(TOKENS.json);
    const hasty = await startCodeLab({ browser: forgedFirst, flow: { ...flow, failFast: true } });
    expect(await awaitFailure(hasty.run())).toMatchObject({ code: 'state_mismatch' });
    await hasty.visited();
  });

  it('is told of second by second', async () => {
    const clock = new FakeClock({ auto: false });
    const lab = await startCodeLab({
      clock,
      token: [TOKENS],
      browser: async (sent, visit) => {
        for (let seconds = 0; seconds < 2; seconds += 1) {
          await silence();
          clock.advance(1000);
        }
        await silence();
        await comesBack(sent, visit);
      },
    });
    await lab.run();
    expect(ofType(lab.events, 'waiting').map(({ leftMs }) => leftMs)).toEqual([300_000, 299_000, 298_000]);
  });

  it('is waited for no longer once the run is interrupted: exit 130', async () => {
    const lab = await startCodeLab({
      browser: async () => lab.parts.abort(new InterruptedError('SIGINT')),
    });
    expect(await awaitFailure(lab.run())).toMatchObject({ code: 'interrupted', exitCode: 130 });
    await isClosed(lab.listensAt());
  });

  it('finds the listener gone after a refusal of the token endpoint', async () => {
    const refused = { status: 400, json: { error: 'invalid_grant', error_description: 'Code not valid' } };
    const lab = await startCodeLab({ token: [refused] });
    expect(await awaitFailure(lab.run())).toMatchObject({ code: 'invalid_grant', exitCode: 3 });
    await isClosed(lab.listensAt());
  });
});

describe('the ID token of the code flow', () => {
  it.each([
    ['another nonce', { nonce: 'of-somebody-else' }, 'nonce is not the one that was sent'],
    ['no nonce', { nonce: undefined }, 'nonce is missing'],
    ['another code', { c_hash: 'of-another-code' }, 'c_hash is not the hash of the code'],
  ])('of %s is refused, and no tokens are kept: exit 4', async (_what, claims, why) => {
    const lab: CodeLab = await startCodeLab({ token: [tokensOf(() => lab, claims)] });
    expect(await awaitFailure(lab.run())).toMatchObject({
      code: 'id_token_invalid',
      exitCode: 4,
      message: expect.stringContaining(why),
    });
    expect(await (await lab.ctx.store()).tokens.last('test')).toBeUndefined();
  });

  it('must say when the person signed in, where max_age asks for it', async () => {
    const flow = { request: { ...REQUEST, max_age: '60' } };
    const lab: CodeLab = await startCodeLab({ token: [tokensOf(() => lab)], flow });
    expect(await awaitFailure(lab.run())).toMatchObject({ message: expect.stringContaining('auth_time') });
    const fresh: CodeLab = await startCodeLab({
      token: [() => tokensOf(() => fresh, { auth_time: fresh.start / 1000 - 30 })()],
      flow,
    });
    expect((await fresh.run()).idToken).toBeDefined();
  });
});

describe('a pushed authorization request', () => {
  const PUSHED = { status: 201, json: { request_uri: 'urn:example:pushed', expires_in: 60 } };

  it('carries the parameters, so that the browser carries a reference only', async () => {
    const lab = await startCodeLab({
      pushed_authorization: [PUSHED],
      token: [TOKENS],
      target: { extraParameters: [['ui_locales', 'de']], omittedParameters: ['nonce'] },
      flow: { pushed: true },
    });
    await lab.run();
    expect([...lab.address().searchParams]).toEqual([
      ['client_id', CLIENT_ID],
      ['request_uri', 'urn:example:pushed'],
    ]);
    const [request] = lab.server.to('pushed_authorization');
    expect(request?.headers.authorization).toMatch(/^Basic /);
    expect([...(request?.form ?? [])].sort()).toEqual([...lab.sent()].sort());
    expect(request?.form.get('ui_locales')).toBe('de');
    expect(request?.form.has('nonce')).toBe(false);
    // They are no parameters of the token request.
    expect(lab.server.to('token')[0]?.form.has('ui_locales')).toBe(false);
  });

  it('names the client once, however it authenticates', async () => {
    const lab = await startCodeLab({
      pushed_authorization: [PUSHED],
      token: [TOKENS],
      target: { client: { client_id: CLIENT_ID, token_endpoint_auth_method: 'none' } },
      flow: { pushed: true },
    });
    await lab.run();
    expect(lab.server.to('pushed_authorization')[0]?.form.getAll('client_id')).toEqual([CLIENT_ID]);
  });

  it.each([
    [
      'a refusal',
      { status: 400, json: { error: 'invalid_request' } },
      { code: 'invalid_request', exitCode: 3 },
    ],
    ['a page', { status: 200, text: '<!doctype html>' }, { code: 'not_the_protocol', exitCode: 5 }],
    ['no request_uri', { json: {} }, { code: 'pushed_authorization_response_invalid', exitCode: 4 }],
  ])('that is answered with %s ends it, and nobody is sent anywhere', async (_what, answer, failure) => {
    const lab = await startCodeLab({ pushed_authorization: [answer], flow: { pushed: true } });
    expect(await awaitFailure(lab.run())).toMatchObject(failure);
    expect(lab.address).toThrow();
  });

  it('needs a server that takes them: exit 4', async () => {
    const metadata = { pushed_authorization_request_endpoint: undefined };
    const lab = await startCodeLab({ metadata, flow: { pushed: true } });
    expect(await awaitFailure(lab.run())).toMatchObject({ code: 'endpoint_missing', exitCode: 4 });
  });
});

describe('a request object', () => {
  const signingKey = async () => {
    const { privateKey, publicKey } = await keyPair('ES256');
    return { key: { ...(await exportJWK(privateKey)), kid: 'k', alg: 'ES256' } as JWK, publicKey };
  };

  it('holds every parameter, signed; beside it stands what OAuth and OpenID Connect want there', async () => {
    const { key, publicKey } = await signingKey();
    const lab = await startCodeLab({
      token: [TOKENS],
      target: { extraParameters: [['ui_locales', 'de']] },
      flow: { requestObject: { key } },
    });
    await lab.run();
    const { searchParams } = lab.address();
    expect([...searchParams.keys()]).toEqual(['client_id', 'response_type', 'scope', 'request']);
    const { payload } = await jwtVerify(searchParams.get('request') ?? '', publicKey, {
      issuer: CLIENT_ID,
      audience: lab.server.issuer,
      currentDate: new Date(lab.start),
    });
    expect(payload).toMatchObject(Object.fromEntries(lab.sent()));
    expect(payload.ui_locales).toBe('de');
  });

  it('is pushed alone', async () => {
    const { key } = await signingKey();
    const lab = await startCodeLab({
      pushed_authorization: [{ status: 201, json: { request_uri: 'urn:x', expires_in: 60 } }],
      token: [TOKENS],
      target: { extraParameters: [['ui_locales', 'de']] },
      flow: { pushed: true, requestObject: { key } },
    });
    await lab.run();
    expect([...(lab.server.to('pushed_authorization')[0]?.form.keys() ?? [])]).toEqual(['request']);
  });

  it('is encrypted with a key of the server', async () => {
    const { key } = await signingKey();
    const server = await keyPair('RSA-OAEP');
    const jwk = { ...(await exportJWK(server.publicKey)), kid: 'enc', alg: 'RSA-OAEP', use: 'enc' };
    const lab = await startCodeLab({
      jwks: { json: { keys: [jwk] } },
      token: [TOKENS],
      flow: { requestObject: { key, encryption: { alg: 'RSA-OAEP', enc: 'A256GCM' } } },
    });
    await lab.run();
    const request = lab.address().searchParams.get('request') ?? '';
    const { plaintext, protectedHeader } = await compactDecrypt(request, server.privateKey);
    expect(protectedHeader).toMatchObject({ alg: 'RSA-OAEP', enc: 'A256GCM', kid: 'enc' });
    expect(new TextDecoder().decode(plaintext).split('.')).toHaveLength(3);
  });
});

describe('a response in a JWT (JARM)', () => {
  const flow = { request: { response_type: 'code', response_mode: 'jwt' } };
  /** A browser that comes back with such a response. */
  const bringing =
    (lab: () => CodeLab, claims: Record<string, unknown> = {}, flaws = {}): Browser =>
    async (sent, visit) => {
      const response = await lab().server.idToken({
        claims: { sub: undefined, code: CODE, state: sent.get('state'), ...claims },
        ...flaws,
      });
      await visit({ response });
    };

  it('is verified, and its code exchanged', async () => {
    const lab: CodeLab = await startCodeLab({
      token: [TOKENS],
      flow,
      // Its own iss is the one that counts.
      metadata: { authorization_response_iss_parameter_supported: true },
      browser: (...all) => bringing(() => lab)(...all),
    });
    await lab.run();
    expect(lab.server.to('token')[0]?.form.get('code')).toBe(CODE);
  });

  it('that carries an error is a refusal: exit 7', async () => {
    const lab: CodeLab = await startCodeLab({
      flow,
      browser: (...all) => bringing(() => lab, { code: undefined, error: 'access_denied' })(...all),
    });
    expect(await awaitFailure(lab.run())).toMatchObject({ code: 'access_denied', exitCode: 7 });
  });

  it.each<[string, Record<string, unknown>, object]>([
    ['signed by somebody else', {}, { foreignKey: true }],
    ['not signed', {}, { alg: 'none' }],
    ['of another issuer', { iss: 'https://evil.example' }, {}],
    ['for another client', { aud: 'somebody-else' }, {}],
    ['expired', { exp: 1 }, {}],
  ])('that is %s is refused, and its code sent nowhere: exit 4', async (_what, claims, flaws) => {
    const lab: CodeLab = await startCodeLab({
      flow,
      browser: (...all) => bringing(() => lab, claims, flaws)(...all),
    });
    expect(await awaitFailure(lab.run())).toMatchObject({
      code: 'authorization_response_invalid',
      exitCode: 4,
    });
    expect(lab.server.to('token')).toEqual([]);
  });

  it('with another state, or that nobody can read, is turned away', async () => {
    const lab: CodeLab = await startCodeLab({
      token: [TOKENS],
      flow,
      browser: async (sent, visit) => {
        await bringing(() => lab, { state: 'forged' })(sent, visit);
        await visit({ response: 'eyJhbGciOiJub25lIn0' });
        await visit({ response: 'a.b.c.d.e', state: sent.get('state') ?? '' });
        await bringing(() => lab)(sent, visit);
      },
    });
    await lab.run();
    expect(ofType(lab.events, 'redirect_refused')).toHaveLength(3);
  });

  it.each([
    ['another state', { state: 'forged' }, 'state_mismatch', /another state than the one that was sent$/],
    [
      'an error and no state',
      { code: undefined, state: undefined, error: 'invalid_scope' },
      'state_mismatch',
      /no state; it brought the error invalid_scope$/,
    ],
  ])('with %s is the finding when the wait ends: exit 4', async (_what, claims, code, message) => {
    const lab: CodeLab = await startCodeLab({
      flow: { ...flow, failFast: true },
      browser: (...all) => bringing(() => lab, claims)(...all),
    });
    expect(await awaitFailure(lab.run())).toMatchObject({
      code,
      exitCode: 4,
      message: expect.stringMatching(message),
    });
    await lab.visited();
  });

  it('that comes bare where it was asked for is refused: exit 4', async () => {
    const lab = await startCodeLab({ flow });
    expect(await awaitFailure(lab.run())).toMatchObject({
      code: 'authorization_response_invalid',
      message: expect.stringContaining('came bare'),
    });
  });
});

describe('the implicit and hybrid flows', () => {
  const front = async (lab: CodeLab, claims: Record<string, unknown> = {}) =>
    lab.server.idToken({ claims: { nonce: lab.sent().get('nonce'), ...claims } });
  const flow = (response_type: string) => ({
    request: { response_type, scope: 'openid' },
  });

  const implicit = async (claims: Record<string, unknown>) => {
    const lab: CodeLab = await startCodeLab({
      flow: flow('id_token token'),
      browser: async (sent, visit) => {
        await visit.post({
          access_token: 'the-access-token',
          token_type: 'Bearer',
          expires_in: '900',
          id_token: await front(lab, claims),
          state: sent.get('state') ?? '',
        });
      },
    });
    return lab;
  };

  it('bring verified tokens of the front channel, which are kept', async () => {
    const lab = await implicit({ at_hash: leftHalf('the-access-token') });
    const { tokens, json } = await lab.run();
    expect(lab.sent().has('code_challenge')).toBe(false);
    expect(tokens).toMatchObject({ access_token: 'the-access-token', expires_in: 900 });
    expect(json).toMatchObject({ expires_in: '900', state: lab.sent().get('state') });
    const kept = await (await lab.ctx.store()).tokens.last('test');
    expect(kept).toMatchObject({ grant_type: 'implicit', response: { access_token: 'the-access-token' } });
    expect(kept?.response).not.toHaveProperty('state');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['of another access token', { at_hash: leftHalf('another') }, 'at_hash is not the hash'],
    ['without at_hash', {}, 'at_hash is missing'],
    ['of another nonce', { nonce: 'other', at_hash: leftHalf('the-access-token') }, 'nonce is not'],
    ['of another state', { s_hash: leftHalf('x'), at_hash: leftHalf('the-access-token') }, 's_hash is not'],
  ])('refuse an ID token %s: exit 4', async (_what, claims, why) => {
    const lab = await implicit(claims);
    expect(await awaitFailure(lab.run())).toMatchObject({
      code: 'id_token_invalid',
      message: expect.stringContaining(why),
    });
  });

  const hybrid = async (backSub: string) => {
    const lab: CodeLab = await startCodeLab({
      flow: flow('code id_token'),
      token: [() => tokensOf(() => lab, { sub: backSub })()],
      browser: async (sent, visit) => {
        const id_token = await front(lab, { c_hash: leftHalf(CODE) });
        await visit.post({ code: CODE, id_token, state: sent.get('state') ?? '' });
      },
    });
    return lab;
  };

  it('verify both ID tokens of a hybrid response, and show what came by which way', async () => {
    const lab = await hybrid('user-1');
    const { json } = await lab.run();
    expect(ofType(lab.events, 'id_token_verified')).toHaveLength(2);
    expect(json).toMatchObject({
      access_token: TOKENS.json.access_token,
      authorization_response: { code: CODE, id_token: expect.any(String) },
    });
    const kept = await (await lab.ctx.store()).tokens.last('test');
    expect(kept?.response).not.toHaveProperty('authorization_response');
  });

  it('refuse two ID tokens of different users, and keep nothing: exit 4', async () => {
    const lab = await hybrid('user-2');
    expect(await awaitFailure(lab.run())).toMatchObject({
      code: 'id_token_invalid',
      message: expect.stringContaining('different users'),
    });
    expect(await (await lab.ctx.store()).tokens.last('test')).toBeUndefined();
  });
});

describe('an address that is pasted', () => {
  const labOf = async (uri: string, made: (sent: URLSearchParams) => string, more: CodeLabOptions = {}) => {
    const lab: CodeLab = await startCodeLab({
      ...more,
      browser: async () => {},
      flow: {
        redirectUri: parseRedirectUri(uri),
        request: { response_type: 'code' },
        redirect: { kind: 'paste', read: async () => made(lab.sent()) },
      },
    });
    return lab;
  };

  it.each([
    ['com.example.app:/callback', '?'],
    ['https://app.example/callback', '?'],
    ['https://app.example', '/?'],
    ['https://app.example/callback', '#'],
  ])('below %s brings the code behind %s', async (uri, mark) => {
    const lab = await labOf(uri, (sent) => `  ${uri}${mark}code=${CODE}&state=${sent.get('state')}\n`, {
      token: [TOKENS],
    });
    await lab.run();
    expect(lab.sent().get('redirect_uri')).toBe(uri);
    const form = lab.server.to('token')[0]?.form;
    expect([form?.get('code'), form?.get('redirect_uri')]).toEqual([CODE, uri]);
    expect(ofType(lab.events, 'authorization_response')).toMatchObject([{ place: 'paste' }]);
  });

  it('with another state is refused: exit 4', async () => {
    const lab = await labOf('app:/cb', () => `app:/cb?code=${CODE}&state=forged`);
    expect(await awaitFailure(lab.run())).toMatchObject({ code: 'state_mismatch', exitCode: 4 });
    expect(lab.server.to('token')).toEqual([]);
  });

  it('with an error and no state is refused, and the error is named: exit 4', async () => {
    const lab = await labOf('app:/cb', () => 'app:/cb?error=invalid_scope');
    expect(await awaitFailure(lab.run())).toMatchObject({
      code: 'state_mismatch',
      message: expect.stringContaining('no state; it brought the error invalid_scope'),
    });
  });

  it('without parameters is no response: exit 4', async () => {
    const lab = await labOf('app:/cb', () => 'app:/cb');
    expect(await awaitFailure(lab.run())).toMatchObject({
      code: 'authorization_response_invalid',
      exitCode: 4,
    });
  });

  it.each(['', 'code=1', 'https://elsewhere.example/?code=1', 'app:/cb2?code=1'])(
    'that is none below the redirect URI is a mistake of the person: %j, exit 2',
    async (text) => {
      const lab = await labOf('app:/cb', () => text);
      expect(await awaitFailure(lab.run())).toMatchObject({ code: 'pasted_address_wrong', exitCode: 2 });
    },
  );

  it('that nobody pastes ends the wait at the deadline: exit 6', async () => {
    const clock = new FakeClock({ auto: false });
    let signal: AbortSignal | undefined;
    const lab: CodeLab = await startCodeLab({
      clock,
      browser: async () => {
        await silence();
        clock.advance(300_000);
      },
      flow: {
        redirect: {
          kind: 'paste',
          read: (given) => {
            signal = given;
            return new Promise(() => {});
          },
        },
      },
    });
    expect(await awaitFailure(lab.run())).toMatchObject({ code: 'nobody_came', exitCode: 6 });
    // The question is taken away.
    expect(signal?.aborted).toBe(true);
  });
});

describe('a preflight', () => {
  const flow = { request: { response_type: 'code', login_hint: 'cl-taro', prompt: 'none' }, preflight: true };
  const PAGE = '<div id="kc-error-message"><p class="instruction">Invalid parameter: redirect_uri</p></div>';

  it('requests the address once without a session, with nothing that is used up, before a browser is sent', async () => {
    const lab = await startCodeLab({ flow, token: [TOKENS] });
    await lab.run();
    const [request, ...others] = lab.server.to('authorization');
    expect(others).toEqual([]);
    expect(request?.method).toBe('GET');
    expect(request?.headers).not.toHaveProperty('cookie');
    expect(request?.headers).not.toHaveProperty('authorization');
    expect(request?.headers).toMatchObject({
      accept: expect.stringMatching(/^text\/html/),
      'accept-language': 'en',
    });
    expect([...new URL(request?.path ?? '', lab.server.issuer).searchParams]).toEqual([
      ['client_id', CLIENT_ID],
      ['response_type', 'code'],
      ['redirect_uri', lab.sent().get('redirect_uri')],
      ['code_challenge', lab.sent().get('code_challenge')],
      ['code_challenge_method', 'S256'],
    ]);
    expect(lab.events.map(({ type }) => type).slice(0, 3)).toEqual([
      'preflight_request',
      'preflight_response',
      'authorization_request',
    ]);
  });

  it.each([
    ['an error page', { status: 400, text: PAGE }, 'bad_request', 'Invalid parameter: redirect_uri'],
    ['JSON', { status: 404, json: { error: 'Realm does not exist' } }, 'refused', undefined],
    ['no words', { status: 500, text: '' }, 'internal_server_error', undefined],
  ])(
    'that is answered by %s ends the flow: exit 3, and no browser is sent',
    async (_what, answer, code, words) => {
      for (const paste of [false, true]) {
        const lab = await startCodeLab({
          authorization: [answer],
          flow: {
            ...flow,
            ...(paste && { redirect: { kind: 'paste', read: () => expect.fail('nobody is asked') } }),
          },
        });
        const error = await awaitFailure(lab.run());
        expect(error).toMatchObject({
          code,
          exitCode: 3,
          oauth: { endpoint: 'authorization', status: answer.status, error_description: words },
        });
        expect(ofType(lab.events, 'authorization_request')).toEqual([]);
        expect(ofType(lab.events, 'preflight_response')).toMatchObject([{ verdict: { kind: 'refused' } }]);
      }
    },
  );

  it('that is redirected to the redirect URI with an error ends the flow: exit 3, access_denied included', async () => {
    for (const error of ['invalid_scope', 'access_denied']) {
      const lab = await startCodeLab({
        flow,
        authorization: [
          ({ path }) => {
            const uri = new URLSearchParams(path.split('?')[1]).get('redirect_uri');
            return { status: 302, headers: { location: `${uri}?error=${error}&error_description=so` } };
          },
        ],
      });
      // Nobody has decided anything yet.
      expect(await awaitFailure(lab.run())).toMatchObject({ code: error, exitCode: 3 });
      expect(ofType(lab.events, 'authorization_request')).toEqual([]);
    }
  });

  it.each([
    [
      'a login page elsewhere',
      { status: 302, headers: { location: 'https://login.example/' } },
      /login\.example/,
    ],
    ['405', { status: 405, text: '' }, /405/],
    ['no answer', 'reset', /reset|closed|ended/i],
    [
      'what concerns a parameter that it does not send',
      { status: 400, text: 'prompt is required' },
      /"prompt"/,
    ],
  ] as const)(
    'that is answered by %s decides nothing, and the flow goes on',
    async (_what, answer, reason) => {
      const lab = await startCodeLab({ flow, authorization: [answer], token: [TOKENS] });
      expect((await lab.run()).json).toEqual(TOKENS.json);
      expect(ofType(lab.events, 'preflight_response')).toMatchObject([
        { verdict: { kind: 'unclear', reason: expect.stringMatching(reason) } },
      ]);
    },
  );

  it('is not sent where the request is pushed, which the server has judged already', async () => {
    const lab = await startCodeLab({
      flow: { ...flow, pushed: true },
      pushed_authorization: [{ status: 201, json: { request_uri: 'urn:example:pushed', expires_in: 60 } }],
      token: [TOKENS],
    });
    await lab.run();
    expect(lab.server.to('authorization')).toEqual([]);
  });

  it('has a request object of its own where the request has one', async () => {
    const lab = await startCodeLab({
      flow: { ...flow, requestObject: { key: CLIENT_SECRET.padEnd(32, '-'), alg: 'HS256' } },
      token: [TOKENS],
    });
    await lab.run();
    const { path = '' } = lab.server.to('authorization')[0] ?? {};
    const claimsOf = (url: URL) => decodeJwt(url.searchParams.get('request') ?? '');
    const preflight = claimsOf(new URL(path, lab.server.issuer));
    const sent = claimsOf(lab.address());
    expect(preflight).toMatchObject({
      client_id: CLIENT_ID,
      response_type: 'code',
      code_challenge_method: 'S256',
    });
    for (const name of ['state', 'nonce', 'login_hint', 'prompt']) expect(preflight).not.toHaveProperty(name);
    expect(preflight.jti).not.toBe(sent.jti);
  });

  it('is interrupted like everything else: exit 130', async () => {
    const lab = await startCodeLab({
      flow,
      authorization: [
        () => {
          lab.parts.abort(new InterruptedError('SIGINT'));
          return 'hang';
        },
      ],
    });
    expect(await awaitFailure(lab.run())).toMatchObject({ exitCode: 130 });
  });
});
