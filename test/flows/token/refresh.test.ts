import { describe, expect, it } from 'vitest';
import type { Context } from '../../../src/context.ts';
import { InterruptedError } from '../../../src/errors.ts';
import {
  type RefreshOptions,
  refreshTokens,
  requestTokens,
  type TokenEvent,
} from '../../../src/flows/token/token.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { latch, until } from '../../helpers/wait.ts';
import { awaitFailure, type Lab, type LabOptions, ofType, startLab } from '../harness.ts';

const tokens = (number: number, more: Readonly<Record<string, unknown>> = {}) => ({
  access_token: `access-${number}`,
  token_type: 'Bearer',
  expires_in: 300,
  refresh_token: `refresh-${number}`,
  ...more,
});

const nothing = () => {};
const keptBy = async ({ ctx }: Lab) => (await ctx.store()).tokens.last('test');
const refresh = (lab: Lab, more: Partial<RefreshOptions> = {}, ctx: Context = lab.ctx) => {
  const events: TokenEvent[] = [];
  const run = refreshTokens(ctx, { target: lab.target, ...more }, (event) => events.push(event));
  run.catch(nothing);
  return { run, events };
};
const sentTokens = (lab: Lab) => lab.server.to('token').map(({ form }) => form.get('refresh_token'));

/** A lab that holds `refresh-1` of a password grant with an ID token, and then answers as scripted. */
async function startRefreshed({ token = [], ...options }: LabOptions = {}): Promise<Lab> {
  const lab = await startLab({ token: [{ json: tokens(1) }, ...token], ...options });
  await requestTokens(
    lab.ctx,
    { target: lab.target, grantType: 'password', values: { username: 'cl-taro', scope: 'a b' } },
    nothing,
  );
  return lab;
}

describe('a refresh whose answer turns out to be invalid', () => {
  it('keeps the new refresh token, and nothing else of the answer', async () => {
    const lab = await startRefreshed({
      token: [
        async () => ({
          json: tokens(2, { id_token: await lab.server.idToken({ claims: { iss: 'https://x.example' } }) }),
        }),
      ],
    });
    await expect(refresh(lab).run).rejects.toMatchObject({ code: 'id_token_invalid', exitCode: 4 });
    const kept = await keptBy(lab);
    expect(kept?.response).toEqual({ ...tokens(1), refresh_token: 'refresh-2' });
    expect(kept?.grant_type).toBe('password');
  });

  it('keeps the new refresh token where the keys of the server cannot be fetched', async () => {
    const lab = await startRefreshed({
      token: [async () => ({ json: tokens(2, { id_token: await lab.server.idToken() }) })],
      jwks: 'reset',
    });
    await expect(refresh(lab).run).rejects.toMatchObject({ exitCode: 5 });
    expect((await keptBy(lab))?.response).toEqual({ ...tokens(1), refresh_token: 'refresh-2' });
  });

  it('forgets how long the refresh token before would have lived', async () => {
    const lab = await startLab({
      token: [
        { json: tokens(1, { refresh_expires_in: 60 }) },
        async () => ({ json: tokens(2, { id_token: 'no JWT' }) }),
      ],
    });
    await requestTokens(lab.ctx, { target: lab.target, grantType: 'password', values: {} }, nothing);
    await expect(refresh(lab).run).rejects.toMatchObject({ code: 'id_token_invalid' });
    expect((await keptBy(lab))?.response).not.toHaveProperty('refresh_expires_in');
  });

  it.each([
    ['no access token', { access_token: undefined }],
    ['an empty access token', { access_token: '' }],
    ['an access token that is no string', { access_token: { value: 'a' } }],
  ])('keeps the new refresh token where it has %s', async (_what, odd) => {
    const lab = await startRefreshed({ token: [{ json: tokens(2, odd) }, { json: tokens(3) }] });
    await expect(refresh(lab).run).rejects.toMatchObject({ code: 'token_response_invalid', exitCode: 4 });
    expect((await keptBy(lab))?.response).toEqual({ ...tokens(1), refresh_token: 'refresh-2' });
    await refresh(lab).run;
    expect(sentTokens(lab)).toEqual([null, 'refresh-1', 'refresh-2']);
  });

  it('keeps the new refresh token in place of one that was given', async () => {
    const lab = await startRefreshed({ token: [{ json: tokens(7, { id_token: 'no JWT' }) }] });
    await expect(refresh(lab, { refreshToken: 'given-token' }).run).rejects.toMatchObject({
      code: 'id_token_invalid',
    });
    expect(await keptBy(lab)).toMatchObject({
      response: { refresh_token: 'refresh-7' },
      grant_type: 'refresh_token',
    });
  });

  it('keeps nothing where nothing is to be kept', async () => {
    const lab = await startRefreshed({ token: [{ json: tokens(2, { id_token: 'no JWT' }) }] });
    const target = { ...lab.target, keepTokens: false };
    await expect(refresh(lab, { target }).run).rejects.toMatchObject({ code: 'id_token_invalid' });
    expect((await keptBy(lab))?.response).toEqual(tokens(1));
  });
});

describe('a refresh whose answer has something odd beside the tokens', () => {
  it.each([
    [{ scope: ['a', 'b'] }, { scope: 'a b' }],
    [{ token_type: undefined }, {}],
    [{ id_token: '' }, {}],
    [{ id_token: 7 }, {}],
    [{ expires_in: '300' }, { expires_in: '300' }],
    [{ expires_in: 'soon' }, { expires_in: 'soon' }],
  ])('is used with %j, and is printed as it came', async (odd, kept) => {
    const json = JSON.parse(JSON.stringify(tokens(2, odd)));
    const lab = await startRefreshed({ token: [{ json }] });
    const { run, events } = refresh(lab);
    expect((await run).tokens.json).toEqual(json);
    expect(ofType(events, 'token_response').map((event) => event.tokens.remarks.length)).toEqual([1]);
    expect((await keptBy(lab))?.response).toEqual({ ...tokens(2), ...kept });
  });

  it.each(['', ' ', null, 5, undefined])(
    'with the refresh token %j keeps the one before',
    async (refresh_token) => {
      const lab = await startRefreshed({ token: [{ json: tokens(2, { refresh_token }) }] });
      await refresh(lab).run;
      expect((await keptBy(lab))?.response).toEqual({ ...tokens(2), refresh_token: 'refresh-1' });
    },
  );
});

describe('an interruption during a refresh', () => {
  it('waits for the answer, keeps it, and ends the run', async () => {
    const arrived = latch();
    const mayAnswer = latch();
    const lab = await startRefreshed({
      token: [
        async () => {
          arrived.open();
          await mayAnswer.opened;
          return { json: tokens(2) };
        },
      ],
    });
    const { run } = refresh(lab);
    await arrived.opened;
    lab.parts.abort(new InterruptedError('SIGINT'));
    mayAnswer.open();
    expect(await awaitFailure(run)).toMatchObject({ code: 'interrupted', exitCode: 130 });
    expect((await keptBy(lab))?.response).toEqual(tokens(2));
  });

  it('that comes before it sends nothing', async () => {
    const lab = await startRefreshed();
    lab.parts.abort(new InterruptedError('SIGTERM'));
    expect(await awaitFailure(refresh(lab).run)).toMatchObject({ code: 'terminated' });
    expect(sentTokens(lab)).toEqual([null]);
  });
});

describe('what a refresh keeps', () => {
  it('carries the grant on, and what it asked for', async () => {
    const lab = await startRefreshed({ token: [{ json: tokens(2) }] });
    const before = await keptBy(lab);
    await refresh(lab).run;
    expect(await keptBy(lab)).toEqual({ ...before, response: tokens(2) });
    expect(before).toMatchObject({ grant_type: 'password', asked: { scope: 'a b', user: 'cl-taro' } });
  });

  it('has the scope that the refresh asked for', async () => {
    const lab = await startRefreshed({ token: [{ json: tokens(2) }] });
    await refresh(lab, { scope: 'a' }).run;
    expect((await keptBy(lab))?.asked).toEqual({ scope: 'a', user: 'cl-taro' });
  });

  it('says when the answer came, not when the rest was done', async () => {
    const lab = await startRefreshed({ token: [{ json: tokens(2), takes: 5000 }] });
    await refresh(lab).run;
    expect((await keptBy(lab))?.received_at).toBe(lab.start + 5000);
  });
});

describe('the kept refresh token', () => {
  it.each([
    ['issuer', { metadata: { issuer: 'https://other.example', token_endpoint: 'https://other.example/t' } }],
    ['client', { client: { client_id: 'another', token_endpoint_auth_method: 'none' } }],
  ] as const)('is not sent to another %s', async (_what, change) => {
    const lab = await startRefreshed();
    const target = { ...lab.target, ...change } as Lab['target'];
    expect(await awaitFailure(refresh(lab, { target }).run)).toMatchObject({
      code: 'kept_elsewhere',
      exitCode: 2,
      hint: expect.stringContaining('test-client'),
    });
    expect(sentTokens(lab)).toEqual([null]);
  });
});

describe('two refreshes at the same time', () => {
  /** The first is under way and the second waits for it; `finish` lets the first have its answer. */
  async function meet(
    second: Partial<RefreshOptions>,
    later: NonNullable<LabOptions['token']> = [],
    more: Readonly<Record<string, unknown>> = {},
  ) {
    const arrived = latch();
    const answer = latch();
    const clock = new FakeClock({ auto: false });
    const lab = await startRefreshed({
      clock,
      token: [
        async () => {
          arrived.open();
          await answer.opened;
          return { json: tokens(2, more) };
        },
        ...later,
      ],
    });
    const one = refresh(lab);
    await arrived.opened;
    const other = refresh(lab, second);
    await until(() => clock.asleep === 1, 'the second waits');
    return {
      lab,
      one,
      other,
      async finish() {
        answer.open();
        await one.run.catch(nothing);
        clock.advance(100);
        return other.run;
      },
    };
  }

  it('send one request, and the second uses the result of the first', async () => {
    const { lab, one, other, finish } = await meet({});
    const result = await finish();
    // A tenth of a second later.
    expect(result.tokens.json).toEqual({ ...(await one.run).tokens.json, expires_in: 299 });
    expect(sentTokens(lab)).toEqual([null, 'refresh-1']);
    expect(other.events.map(({ type }) => type)).toEqual(['refresh_waiting', 'refreshed_elsewhere']);
    expect(ofType(one.events, 'refresh_waiting')).toEqual([]);
  });

  it('use the new refresh token where the second asks for another scope', async () => {
    const { lab, finish } = await meet({ scope: 'a' }, [{ json: tokens(3) }]);
    expect((await finish()).tokens.access_token).toBe('access-3');
    expect(sentTokens(lab)).toEqual([null, 'refresh-1', 'refresh-2']);
  });

  it('use the new refresh token where the result does not suffice', async () => {
    const { lab, finish } = await meet({ suffices: () => false }, [{ json: tokens(3) }]);
    expect((await finish()).tokens.access_token).toBe('access-3');
    expect(sentTokens(lab)).toEqual([null, 'refresh-1', 'refresh-2']);
  });

  it('use the new refresh token where the first brought no tokens to be trusted', async () => {
    const { lab, one, finish } = await meet({}, [{ json: tokens(3) }], { id_token: 'no JWT' });
    expect((await finish()).tokens.access_token).toBe('access-3');
    await expect(one.run).rejects.toMatchObject({ code: 'id_token_invalid' });
    expect(sentTokens(lab)).toEqual([null, 'refresh-1', 'refresh-2']);
  });

  it('leave a token that was given by hand as it is', async () => {
    const { lab, finish } = await meet({ refreshToken: 'given-token' }, [{ json: tokens(9) }]);
    expect((await finish()).tokens.access_token).toBe('access-9');
    expect(sentTokens(lab)).toEqual([null, 'refresh-1', 'given-token']);
  });

  it('do not wait for each other for ever', async () => {
    const lab = await startRefreshed();
    const unlock = await (await lab.ctx.store()).tokens.lockRefresh('test');
    const { run, events } = refresh(lab);
    expect(await awaitFailure(run)).toMatchObject({
      code: 'refresh_locked',
      exitCode: 6,
      hint: expect.stringContaining('nothing was sent'),
    });
    expect(ofType(events, 'refresh_waiting')).toHaveLength(1);
    expect(lab.clock.now() - lab.start).toBe(120_000);
    await unlock?.();
  });

  it('do not hold each other up for different profiles', async () => {
    const lab = await startRefreshed({ token: [{ json: tokens(2) }] });
    const unlock = await (await lab.ctx.store()).tokens.lockRefresh('another');
    expect((await refresh(lab).run).tokens.access_token).toBe('access-2');
    await unlock?.();
  });
});

describe('the lock of a refresh', () => {
  it('is given back when the server refuses', async () => {
    const lab = await startRefreshed({
      token: [{ status: 400, json: { error: 'invalid_grant' } }, { json: tokens(2) }],
    });
    await expect(refresh(lab).run).rejects.toMatchObject({ code: 'invalid_grant' });
    expect((await refresh(lab).run).tokens.access_token).toBe('access-2');
  });
});

describe('the ID token of a refresh', () => {
  /** A lab that holds an ID token of `user-1`, and refreshes it to one of another subject. */
  const startOther = async (claims: Readonly<Record<string, unknown>>) => {
    const first = async () => ({ json: tokens(1, { id_token: await lab.server.idToken() }) });
    const second = async () => ({ json: tokens(2, { id_token: await lab.server.idToken({ claims }) }) });
    const lab: Lab = await startLab({ token: [first, second] });
    await requestTokens(lab.ctx, { target: lab.target, grantType: 'password', values: {} }, nothing);
    return lab;
  };

  it('is kept where it is about the same user', async () => {
    const lab = await startOther({ jti: 'new' });
    const before = (await keptBy(lab))?.response.id_token;
    await refresh(lab).run;
    expect((await keptBy(lab))?.response.id_token).not.toBe(before);
  });

  it('is refused where it is about another user, and the one that is kept stays', async () => {
    const lab = await startOther({ sub: 'user-2' });
    const before = (await keptBy(lab))?.response.id_token;
    await expect(refresh(lab).run).rejects.toMatchObject({
      code: 'id_token_invalid',
      exitCode: 4,
      message: expect.stringContaining('sub is "user-2", but in the original ID token it is "user-1"'),
    });
    const kept = (await keptBy(lab))?.response;
    expect(kept).toMatchObject({ id_token: before, access_token: 'access-1', refresh_token: 'refresh-2' });
  });
});
