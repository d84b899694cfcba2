import { describe, expect, it } from 'vitest';
import { type Context, createContext } from '../../../src/context.ts';
import { InterruptedError, ValidationError } from '../../../src/errors.ts';
import { type CibaPollEvent, type CibaPollOptions, pollCiba } from '../../../src/flows/ciba/poll.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import {
  AUTH_REQ_ID,
  CLIENT_ID,
  type Flaws,
  type MisbehavingServer,
  PENDING,
  type ScriptedStep,
  SLOW_DOWN,
  TOKENS,
} from '../../helpers/misbehaving-server.ts';
import { testParts } from '../../helpers/parts.ts';
import { silence } from '../../helpers/wait.ts';
import {
  awaitFailure,
  CLIENT_SECRET,
  drive,
  type Lab,
  type LabOptions,
  ofType,
  startLab,
} from '../harness.ts';

interface CibaPolling extends Lab {
  readonly events: CibaPollEvent[];
  readonly run: (
    options?: Partial<Omit<CibaPollOptions, 'target' | 'authReqId'>>,
    ctx?: Context,
  ) => ReturnType<typeof pollCiba>;
  readonly kept: () => Promise<unknown>;
  readonly pending: () => Promise<unknown>;
}

/** A client whose request has just been acknowledged with an interval of 5 seconds. */
async function startCibaPolling(
  token: readonly ScriptedStep[],
  options: LabOptions = {},
): Promise<CibaPolling> {
  const lab = await startLab({ token, ...options });
  const { ctx, target, start } = lab;
  const store = await ctx.store();
  await store.pending.add({
    auth_req_id: AUTH_REQ_ID,
    owner: 'test',
    issuer: target.metadata.issuer,
    client_id: CLIENT_ID,
    scope: 'openid',
    requested_at: start,
    interval: 5,
    next_poll_at: start + 5_000,
    polls: 0,
  });
  const events: CibaPollEvent[] = [];
  return {
    ...lab,
    events,
    run: (more = {}, by = ctx) =>
      pollCiba(
        by,
        {
          target,
          authReqId: AUTH_REQ_ID,
          interval: 5,
          firstPollAt: start + 5_000,
          requestedAt: start,
          ...more,
        },
        (event) => events.push(event),
      ),
    kept: () => store.tokens.last('test'),
    pending: () => store.pending.find(AUTH_REQ_ID),
  };
}

/** Another process with the same files. */
async function anotherProcess({ parts, clock }: Lab): Promise<Context> {
  return createContext(await testParts({ clock, env: { OAUTHCTL_HOME: parts.home } }));
}

/** A token response with an ID token, made when the poll arrives. */
function tokensWith(server: () => MisbehavingServer, flaws?: Flaws): ScriptedStep {
  return async () => ({ json: { ...TOKENS.json, id_token: await server().idToken(flaws) } });
}

async function startWithIdToken(flaws: Flaws, options: LabOptions = {}): Promise<CibaPolling> {
  const step = tokensWith(() => polling.server, flaws);
  const polling: CibaPolling = await startCibaPolling([step], options);
  return polling;
}

describe('a poll of CIBA', () => {
  it('sends the grant type and the id, however odd its characters, and authenticates the client', async () => {
    const { run, server } = await startCibaPolling([TOKENS]);
    await run();
    const [request] = server.to('token');
    expect(Object.fromEntries(request?.form ?? [])).toEqual({
      grant_type: 'urn:openid:params:grant-type:ciba',
      auth_req_id: AUTH_REQ_ID,
    });
    expect(request?.headers.authorization).toBe(`Basic ${btoa(`${CLIENT_ID}:${CLIENT_SECRET}`)}`);
  });

  it('returns the token response as it came, and keeps it', async () => {
    const response = {
      ...TOKENS.json,
      session_state: 's',
      'not-before-policy': 0,
      refresh_token: 'refresh-me',
    };
    const { run, kept, clock, server } = await startCibaPolling([{ json: response }]);
    const { tokens, idToken } = await run();
    expect(tokens.json).toEqual(response);
    expect(idToken).toBeUndefined();
    expect(await kept()).toEqual({
      response,
      grant_type: 'urn:openid:params:grant-type:ciba',
      issuer: server.issuer,
      client_id: CLIENT_ID,
      received_at: clock.now(),
    });
  });

  it('ends the pending request when there are tokens', async () => {
    const { run, pending } = await startCibaPolling([TOKENS]);
    await run();
    expect(await pending()).toMatchObject({ ended: true });
  });

  it('keeps no tokens where that is not wanted', async () => {
    const { run, kept, pending } = await startCibaPolling([TOKENS], { target: { keepTokens: false } });
    await run();
    expect(await kept()).toBeUndefined();
    expect(await pending()).toMatchObject({ ended: true });
  });

  it('touches no file where there is nobody to keep anything for', async () => {
    const { run, kept, pending } = await startCibaPolling([PENDING, TOKENS], {
      target: { owner: undefined },
    });
    await run();
    expect(await kept()).toBeUndefined();
    expect(await pending()).toMatchObject({ polls: 0 });
  });

  it('leaves the tokens masked in whatever is written to stderr', async () => {
    const { run, parts } = await startCibaPolling([
      { json: { ...TOKENS.json, refresh_token: 'refresh-me' } },
    ]);
    await run();
    parts.io.err('the-access-token and refresh-me');
    expect(parts.stderr()).toBe('(masked) and (masked)');
  });

  it.each([
    ['an ID token was due and did not come', true, 1],
    ['none was due', false, 0],
    ['nobody knows whether one was due', undefined, 0],
  ])('says so only when needed: %s', async (_what, expectIdToken, times) => {
    const { run, events } = await startCibaPolling([TOKENS]);
    await run({ expectIdToken });
    expect(ofType(events, 'id_token_missing')).toHaveLength(times);
  });

  it.each(['invalid_grant', 'not_decided_yet'])(
    'keeps a request whose first poll is answered with %s, and names the option',
    async (error) => {
      const { run, pending, server } = await startCibaPolling([{ status: 400, json: { error } }]);
      expect(await awaitFailure(run())).toMatchObject({
        exitCode: 3,
        oauth: { error },
        furtherHint: expect.stringContaining(`go on with "oauthctl ciba poll --pending-error ${error}"`),
      });
      expect(await pending()).not.toHaveProperty('ended');
      expect(server.to('token')).toHaveLength(1);
    },
  );

  it.each<[string, ScriptedStep[], Partial<CibaPollOptions>]>([
    ['another poll before it was pending', [PENDING, { status: 400, json: { error: 'invalid_grant' } }], {}],
    [
      'the device has sent a result',
      [{ status: 400, json: { error: 'invalid_grant' } }],
      { mayBePending: () => false },
    ],
    ['the error is no word for a command', [{ status: 400, json: { error: '$(ls)' } }], {}],
  ])('ends the pending request where %s, without naming the option', async (_what, token, options) => {
    const { run, pending } = await startCibaPolling(token);
    expect(await awaitFailure(run(options))).toMatchObject({ exitCode: 3, furtherHint: undefined });
    expect(await pending()).toMatchObject({ ended: true });
  });

  it('counts the polls of an earlier run: its second poll is not the first', async () => {
    const refused = { status: 400, json: { error: 'invalid_grant' } };
    const { run, pending } = await startCibaPolling([PENDING, refused]);
    expect(await awaitFailure(run({ once: true }))).toMatchObject({ exitCode: 8 });
    expect(await awaitFailure(run())).toMatchObject({ exitCode: 3, furtherHint: undefined });
    expect(await pending()).toMatchObject({ ended: true });
  });

  it('names the option alone where nothing is kept to go on with', async () => {
    const { run } = await startCibaPolling([{ status: 400, json: { error: 'invalid_grant' } }], {
      target: { owner: undefined },
    });
    expect(await awaitFailure(run())).toMatchObject({
      furtherHint: expect.stringMatching(/as Apereo CAS does, add --pending-error invalid_grant; /),
    });
  });

  it.each(['invalid_grant', 'invalid_request', 'expired_token'])(
    'is out of time, and ends the request, at %s after the lifetime that was acknowledged',
    async (error) => {
      const { run, pending, start } = await startCibaPolling([PENDING, { status: 400, json: { error } }]);
      const failure = await awaitFailure(run({ expiresAt: start + 9_000, lifetimeSeconds: 9 }));
      expect(failure).toMatchObject({ exitCode: 6, oauth: { error } });
      expect(failure.message).toContain('after its lifetime of 9 s');
      expect(await pending()).toMatchObject({ ended: true });
    },
  );

  it.each(['access_denied', 'expired_token', 'invalid_request', 'unauthorized_client'])(
    'ends the pending request at %s',
    async (error) => {
      const { run, pending, kept } = await startCibaPolling([{ status: 400, json: { error } }]);
      expect(await awaitFailure(run())).toMatchObject({ oauth: { error } });
      expect(await pending()).toMatchObject({ ended: true });
      expect(await kept()).toBeUndefined();
    },
  );

  it('ends the pending request at a token response without an access token', async () => {
    const { run, pending } = await startCibaPolling([{ json: { token_type: 'Bearer' } }]);
    expect(await awaitFailure(run())).toMatchObject({ code: 'token_response_invalid', exitCode: 4 });
    expect(await pending()).toMatchObject({ ended: true });
  });

  it('ends the pending request that has expired unheard', async () => {
    const { run, pending, start } = await startCibaPolling([PENDING]);
    expect(await awaitFailure(run({ expiresAt: start + 5_000 }))).toMatchObject({ code: 'expired' });
    expect(await pending()).toMatchObject({ ended: true });
  });

  it('leaves the request pending at a deadline', async () => {
    const { run, pending, start } = await startCibaPolling([PENDING]);
    expect(await awaitFailure(run({ deadlineAt: start + 8_000 }))).toMatchObject({ code: 'deadline' });
    expect(await pending()).not.toHaveProperty('ended');
  });

  it('leaves the request pending after one poll, with the time of the next', async () => {
    const { run, pending, start } = await startCibaPolling([PENDING]);
    expect(await awaitFailure(run({ once: true }))).toMatchObject({ exitCode: 8 });
    expect(await pending()).toMatchObject({ polls: 1, interval: 5, next_poll_at: start + 10_000 });
    expect(await pending()).not.toHaveProperty('ended');
  });

  it('leaves the request pending when it is interrupted in mid-poll, and the next may follow an interval later', async () => {
    const abort = () => {
      polling.parts.abort(new InterruptedError('SIGINT'));
      return 'hang' as const;
    };
    const polling = await startCibaPolling([abort]);
    expect(await awaitFailure(polling.run())).toMatchObject({ exitCode: 130 });
    expect(await polling.pending()).toMatchObject({ next_poll_at: polling.start + 10_000 });
    expect(await polling.pending()).not.toHaveProperty('ended');
  });
});

describe('two processes that poll for one id', () => {
  it('never poll at once, never early, and only one of them gets the tokens', async () => {
    const clock = new FakeClock({ auto: false });
    let underWay = 0;
    let mostAtOnce = 0;
    const slowly = (answer: ScriptedStep) => async () => {
      underWay += 1;
      mostAtOnce = Math.max(mostAtOnce, underWay);
      await silence();
      underWay -= 1;
      return answer as typeof PENDING;
    };
    const polling = await startCibaPolling([PENDING, PENDING, PENDING, TOKENS].map(slowly), { clock });
    const other = await anotherProcess(polling);
    const runs = [polling.run(), polling.run({}, other)];
    await drive(clock, runs);
    const outcomes = await Promise.allSettled(runs);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    expect(refused?.reason).toMatchObject({ code: 'nothing_pending', exitCode: 2 });
    expect(mostAtOnce).toBe(1);
    expect(polling.server.to('token')[0]?.at).toBe(polling.start + 5_000);
    expect(Math.min(...polling.server.gaps())).toBeGreaterThanOrEqual(5_000);
  });

  it('send no request more once one of them was refused', async () => {
    const clock = new FakeClock({ auto: false });
    const denied = { status: 400, json: { error: 'access_denied' } };
    const polling = await startCibaPolling([PENDING, denied], { clock });
    const other = await anotherProcess(polling);
    const runs = [polling.run(), polling.run({}, other)];
    await drive(clock, runs);
    const codes = (await Promise.allSettled(runs)).map((outcome) =>
      outcome.status === 'rejected' ? outcome.reason.code : 'tokens',
    );
    expect(codes.toSorted()).toEqual(['access_denied', 'nothing_pending']);
    expect(polling.server.to('token')).toHaveLength(2);
  });

  it('keep the interval that a slow_down to one of them has made longer', async () => {
    const polling = await startCibaPolling([SLOW_DOWN, PENDING, PENDING, TOKENS]);
    expect(await awaitFailure(polling.run({ once: true }))).toMatchObject({ exitCode: 8 });
    expect(await polling.pending()).toMatchObject({ interval: 10, next_poll_at: polling.start + 15_000 });
    // The other one was started before, and knows of five seconds only.
    await polling.run({ interval: 5 }, await anotherProcess(polling));
    expect(polling.server.gaps()).toEqual([10_000, 10_000, 10_000]);
    expect(await polling.pending()).toMatchObject({ interval: 10 });
  });

  it('poll early once only, even if both know that the result is there', async () => {
    const polling = await startCibaPolling([PENDING, TOKENS]);
    const other = await anotherProcess(polling);
    const wake = Promise.resolve();
    expect(await awaitFailure(polling.run({ once: true, wake }))).toMatchObject({ exitCode: 8 });
    await polling.run({ wake }, other);
    expect(polling.server.to('token')[0]?.at).toBeLessThan(polling.start + 5_000);
    expect(polling.server.gaps()[0]).toBeGreaterThanOrEqual(5_000);
  });
});

const WEEK = 7 * 24 * 3600;
const now = Math.floor(new FakeClock().now() / 1000);
const claims = (changed: Record<string, unknown>): Flaws => ({ claims: changed });

describe('the ID token', () => {
  it.each<[string, Flaws, LabOptions]>([
    ['signed with ES256', {}, {}],
    ['signed with RS256', { alg: 'RS256' }, {}],
    ['with an aud that is an array of one', claims({ aud: [CLIENT_ID] }), {}],
    ['with the client as azp', claims({ azp: CLIENT_ID }), {}],
    ['issued a little before it was asked for, by a clock that is behind', claims({ iat: now - 200 }), {}],
    ['issued a little in the future, by a clock that is ahead', claims({ iat: now + 50 }), {}],
    [
      'signed with HS256 and the client secret, where that is registered',
      { alg: 'HS256', secret: CLIENT_SECRET },
      { target: { idTokenAlg: 'HS256' } },
    ],
    [
      'signed with what the client is registered for, though the metadata does not list it',
      {},
      { target: { idTokenAlg: 'ES256' }, metadata: { id_token_signing_alg_values_supported: ['RS256'] } },
    ],
    [
      'of a server that does not say which algorithms it uses',
      {},
      { metadata: { id_token_signing_alg_values_supported: undefined } },
    ],
  ])('is accepted: %s', async (_what, flaws, options) => {
    const { run, events, kept } = await startWithIdToken(flaws, options);
    const { idToken } = await run();
    expect(idToken?.claims.sub).toBe('user-1');
    expect(ofType(events, 'id_token_verified')).toHaveLength(1);
    expect(await kept()).toMatchObject({ response: { id_token: expect.any(String) } });
  });

  it.each<[string, Flaws, RegExp, LabOptions?]>([
    ['another iss', claims({ iss: 'https://evil.example' }), /iss is "https:\/\/evil\.example", expected/],
    ['no iss', claims({ iss: undefined }), /iss is missing/],
    ['another aud', claims({ aud: 'another-client' }), /aud is "another-client", expected test-client/],
    ['no aud', claims({ aud: undefined }), /aud is missing/],
    ['an empty aud', claims({ aud: [] }), /aud is \[\]/],
    ['a second aud', claims({ aud: [CLIENT_ID, 'another'] }), /aud also names another, which is not trusted/],
    [
      'a second aud, though azp is the client',
      claims({ aud: [CLIENT_ID, 'another'], azp: CLIENT_ID }),
      /aud also names another/,
    ],
    ['another azp', claims({ azp: 'another-client' }), /azp is "another-client"/],
    ['no sub', claims({ sub: undefined }), /sub is missing/],
    ['an empty sub', claims({ sub: '' }), /sub is missing/],
    ['an exp that has passed', claims({ exp: now - 10 }), /it expired 15 s ago/],
    ['an exp of this very moment', claims({ exp: now + 5 }), /it expired 0 s ago/],
    ['no exp', claims({ exp: undefined }), /exp is missing/],
    ['an exp that is a string', claims({ exp: '9999999999' }), /exp is missing or not a number/],
    ['an iat a week old', claims({ iat: now - WEEK }), /issued 604800 s before it was requested/],
    ['an iat in the future', claims({ iat: now + 3600 }), /iat is 3595 s in the future/],
    ['no iat', claims({ iat: undefined }), /iat is missing/],
    [
      'the hash of another access token',
      claims({ at_hash: 'AAAA' }),
      /at_hash is not the hash of the access token/,
    ],
    ['a wrong signature', { foreignKey: true }, /its signature is wrong/],
    ['a wrong signature with RS256', { alg: 'RS256', foreignKey: true }, /its signature is wrong/],
    ['an unknown kid', { kid: 'nobody' }, /no key in the JWKS matches/],
    ['alg none', { alg: 'none' }, /not signed/],
    ['HS256 keyed with the public key', { alg: 'HS256' }, /HS256, which the server's metadata does not list/],
    [
      'HS256 keyed with the public key, where the metadata lists nothing',
      { alg: 'HS256' },
      /its signature is wrong/,
      { metadata: { id_token_signing_alg_values_supported: undefined } },
    ],
    [
      'HS256 keyed with the public key, where it is registered',
      { alg: 'HS256' },
      /its signature is wrong/,
      { target: { idTokenAlg: 'HS256' } },
    ],
    [
      'HS256 for a client without a secret',
      { alg: 'HS256' },
      /there is no client secret to check it with/,
      {
        target: {
          idTokenAlg: 'HS256',
          client: { client_id: CLIENT_ID, token_endpoint_auth_method: 'none' },
        },
      },
    ],
    [
      'another alg than registered',
      { alg: 'ES256' },
      /its alg is ES256, and the client is registered for RS256/,
      { target: { idTokenAlg: 'RS256' } },
    ],
    ['alg none where it is registered', { alg: 'none' }, /not signed/, { target: { idTokenAlg: 'none' } }],
    [
      'another alg than the metadata lists',
      { alg: 'ES256' },
      /its alg is ES256, which the server's metadata does not list/,
      { metadata: { id_token_signing_alg_values_supported: ['RS256'] } },
    ],
    ['a JWKS without keys', {}, /no key in the JWKS matches/, { jwks: { json: { keys: [] } } }],
    [
      'a JWKS whose key is too weak',
      { alg: 'RS256' },
      /its signature cannot be checked/,
      {
        jwks: {
          json: { keys: [{ kty: 'RSA', kid: 'RS256', alg: 'RS256', n: `${'x'.repeat(170)}0`, e: 'AQAB' }] },
        },
      },
    ],
    [
      'a JWKS whose key is broken',
      {},
      /no key in the JWKS .*key 1 \("ES256"\): its members are no valid key/,
      {
        jwks: { json: { keys: [{ kty: 'EC', crv: 'P-256', kid: 'ES256', alg: 'ES256', x: 'AA', y: 'AA' }] } },
      },
    ],
  ])('is refused, and no tokens are kept: %s', async (_what, flaws, message, options) => {
    const { run, events, kept, pending, server } = await startWithIdToken(flaws, options);
    const error = await awaitFailure(run());
    expect(error).toBeInstanceOf(ValidationError);
    expect(error).toMatchObject({ code: 'id_token_invalid', exitCode: 4 });
    expect(error.message).toMatch(message);
    expect(ofType(events, 'id_token_verified')).toEqual([]);
    expect(await kept()).toBeUndefined();
    // The id is used up, and must not be sent again.
    expect(await pending()).toMatchObject({ ended: true });
    await silence();
    expect(server.to('token')).toHaveLength(1);
  });

  it('is refused with every claim that is wrong in one message', async () => {
    const { run } = await startWithIdToken(claims({ iss: 'x', aud: 'y', exp: undefined, sub: undefined }));
    const { message } = await awaitFailure(run());
    expect(message).toMatch(/iss is "x".*; aud is "y".*; exp is missing.*; sub is missing/);
  });

  it.each(['opaque', 'a.b.c', 'a.b', 'a.b.c.d.e'])('is refused when it is no JWS but %s', async (text) => {
    const { run, kept } = await startCibaPolling([{ json: { ...TOKENS.json, id_token: text } }]);
    expect(await awaitFailure(run())).toMatchObject({ code: 'id_token_invalid', exitCode: 4 });
    expect(await kept()).toBeUndefined();
  });

  it('is refused when a byte of its payload was changed', async () => {
    const forged: ScriptedStep = async () => {
      const [head, , signature] = (await polling.server.idToken()).split('.');
      const [, body] = (await polling.server.idToken({ claims: { sub: 'user-2' } })).split('.');
      return { json: { ...TOKENS.json, id_token: `${head}.${body}.${signature}` } };
    };
    const polling = await startCibaPolling([forged]);
    expect((await awaitFailure(polling.run())).message).toMatch(/its signature is wrong/);
  });

  it('that cannot be checked, because the keys cannot be had, leaves nothing behind', async () => {
    const { run, kept } = await startWithIdToken({}, { jwks: { status: 500, text: 'down' } });
    expect(await awaitFailure(run())).toMatchObject({ code: 'not_the_protocol', exitCode: 5 });
    expect(await kept()).toBeUndefined();
  });
});
