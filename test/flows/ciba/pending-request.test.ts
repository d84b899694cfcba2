import { describe, expect, it } from 'vitest';
import {
  findPendingRequest,
  type PollPendingOptions,
  pollPendingRequest,
} from '../../../src/flows/ciba/pending-request.ts';
import {
  AUTH_REQ_ID,
  CLIENT_ID,
  PENDING,
  type ScriptedStep,
  TOKENS,
} from '../../helpers/misbehaving-server.ts';
import { awaitFailure, startLab } from '../harness.ts';

/** A client with a store of pending requests; `kept` changes the request that is kept, null keeps none. */
async function startPending(token: readonly ScriptedStep[], kept: object | null = {}) {
  const lab = await startLab({ token });
  const { ctx, target, start } = lab;
  const { pending } = await ctx.store();
  if (kept !== null)
    await pending.add({
      auth_req_id: AUTH_REQ_ID,
      owner: 'test',
      issuer: target.metadata.issuer,
      client_id: CLIENT_ID,
      scope: '',
      requested_at: start,
      expires_at: start + 120_000,
      interval: 7,
      next_poll_at: start + 7_000,
      polls: 0,
      ...kept,
    });
  return {
    ...lab,
    pending,
    run: (options: Partial<PollPendingOptions> = {}) =>
      pollPendingRequest(ctx, { target, owner: 'test', ...options }, () => {}),
    sentAt: () => lab.server.to('token').map(({ at }) => at - start),
  };
}

describe('polling for a kept authentication request', () => {
  it('takes the last one of the owner, and keeps to its interval', async () => {
    const { run, sentAt, pending } = await startPending([PENDING, TOKENS]);
    expect((await run()).tokens.access_token).toBe('the-access-token');
    expect(sentAt()).toEqual([7_000, 14_000]);
    expect(await pending.find(AUTH_REQ_ID)).toMatchObject({ ended: true });
  });

  it('polls in the interval that is given, and keeps it for the next run', async () => {
    const { run, sentAt, pending } = await startPending([PENDING, TOKENS]);
    await run({ interval: 2 });
    expect(sentAt()).toEqual([2_000, 4_000]);
    expect(await pending.find(AUTH_REQ_ID)).toMatchObject({ interval: 2 });
  });

  it('keeps an auth_req_id that was not known, and polls for it at once', async () => {
    const { run, sentAt, pending, server, start } = await startPending([PENDING, TOKENS], null);
    await run({ authReqId: 'given-by-hand' });
    expect(new URLSearchParams(server.to('token')[0]?.body).get('auth_req_id')).toBe('given-by-hand');
    expect(sentAt()).toEqual([0, 5_000]);
    expect(await pending.find('given-by-hand')).toMatchObject({
      owner: 'test',
      client_id: CLIENT_ID,
      requested_at: start,
      ended: true,
    });
  });

  it('polls for an ended request only when it is named, and not sooner than before', async () => {
    const { run, sentAt } = await startPending([TOKENS], { ended: true });
    expect(await awaitFailure(run())).toMatchObject({ code: 'nothing_pending', exitCode: 2 });
    await run({ authReqId: AUTH_REQ_ID });
    expect(sentAt()).toEqual([7_000]);
  });

  it('fails where no request of the owner is kept', async () => {
    const { run, server } = await startPending([], { owner: 'another' });
    expect(await awaitFailure(run())).toMatchObject({ code: 'nothing_pending', exitCode: 2 });
    expect(server.to('token')).toEqual([]);
  });

  it('gives up after ten minutes where the expiry is not known, and at its deadline', async () => {
    const unknown = await startPending(
      Array.from({ length: 120 }, () => PENDING),
      null,
    );
    expect(await awaitFailure(unknown.run({ authReqId: 'x' }))).toMatchObject({
      code: 'deadline',
      exitCode: 6,
    });
    expect(unknown.clock.now() - unknown.start).toBeLessThanOrEqual(600_000);
    expect(Math.max(...unknown.sentAt())).toBeGreaterThan(590_000);
    const limited = await startPending(Array.from({ length: 2 }, () => PENDING));
    expect(await awaitFailure(limited.run({ deadlineMs: 20_000 }))).toMatchObject({ code: 'deadline' });
    expect(limited.sentAt()).toEqual([7_000, 14_000]);
  });
});

describe('the errors that mean "still pending"', () => {
  const odd = (error: string) => ({ status: 400, json: { error } });

  it.each<[string, object, Partial<PollPendingOptions>, string]>([
    ['those kept with the request', { pending_errors: ['kept'] }, {}, 'kept'],
    [
      'those given, before those kept',
      { pending_errors: ['kept'] },
      { pendingErrors: ['given'], defaultPendingErrors: ['given'] },
      'given',
    ],
    [
      'those kept, before those of the profile',
      { pending_errors: ['kept'] },
      { defaultPendingErrors: ['of-profile'] },
      'kept',
    ],
    ['those of the profile where none are kept', {}, { defaultPendingErrors: ['of-profile'] }, 'of-profile'],
  ])('are %s, and are kept for the next run', async (_what, kept, options, word) => {
    const { run, pending, sentAt } = await startPending([odd(word), TOKENS], kept);
    await run(options);
    expect(sentAt()).toEqual([7_000, 14_000]);
    expect(await pending.find(AUTH_REQ_ID)).toMatchObject({ pending_errors: [word] });
    const other = await startPending([odd('another')], kept);
    expect(await awaitFailure(other.run(options))).toMatchObject({ oauth: { error: 'another' } });
  });
});

it.each([
  ['is pending', {}, true],
  ['has ended', { ended: true }, false],
  ['is of another owner', { owner: 'another' }, false],
])('a last request that %s is reported as such', async (_, kept, expected) => {
  const { ctx } = await startPending([], kept);
  expect((await findPendingRequest(ctx, 'test')) !== undefined).toBe(expected);
});
