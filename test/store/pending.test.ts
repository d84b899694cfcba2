import { beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/index.ts';
import type { HeldDelegation, PendingRequest, PendingStore } from '../../src/store/pending.ts';
import { emptyFolder } from './folder.ts';

const request = (auth_req_id: string, more: Partial<PendingRequest> = {}): PendingRequest => ({
  auth_req_id,
  owner: 'one',
  issuer: 'https://as.example',
  client_id: 'a',
  scope: 'openid',
  requested_at: 1_000,
  expires_at: 121_000,
  interval: 5,
  next_poll_at: 6_000,
  polls: 0,
  ...more,
});

const delegation = (bearer: string): HeldDelegation => ({
  bearer,
  callback_url: 'https://as.example/callback',
  received_at: 1,
});

describe('the store of pending requests', () => {
  let home: string;
  let pending: PendingStore;

  beforeEach(async () => {
    home = await emptyFolder();
    pending = openStore({ OAUTHCTL_HOME: home }).pending;
  });

  it('finds the last request of an owner, and any by its id', async () => {
    await pending.add(request('a'));
    await pending.add(request('b'));
    await pending.add(request('c', { owner: 'two' }));
    expect((await pending.last('one'))?.auth_req_id).toBe('b');
    expect((await pending.last('two'))?.auth_req_id).toBe('c');
    expect(await pending.last('three')).toBeUndefined();
    expect(await pending.find('a')).toEqual(request('a'));
    expect(await pending.find('z')).toBeUndefined();
  });

  it('holds one id once, and makes it the last when it is added again', async () => {
    await pending.add(request('a'));
    await pending.add(request('b'));
    await pending.add(request('a', { interval: 7 }));
    expect(await pending.last('one')).toEqual(request('a', { interval: 7 }));
    await pending.end('a', 1_000);
    expect(await pending.find('a')).toEqual(request('a', { interval: 7, ended: true }));
  });

  it('keeps a request that has ended, so that an older one is not taken for the last', async () => {
    await pending.add(request('a'));
    await pending.add(request('b'));
    await pending.end('b', 1_000);
    expect(await pending.last('one')).toEqual(request('b', { ended: true }));
  });

  it('forgets the oldest beyond fifty', async () => {
    for (let number = 0; number < 51; number += 1) await pending.add(request(`id-${number}`));
    expect(await pending.find('id-0')).toBeUndefined();
    expect(await pending.find('id-1')).toBeDefined();
    expect((await pending.last('one'))?.auth_req_id).toBe('id-50');
  });

  it('grants no poll before its time, and says when that is', async () => {
    await pending.add(request('a'));
    expect(await pending.claimPoll('a', { now: 5_999, leaseMs: 30_000, early: false })).toEqual({
      granted: false,
      waitUntil: 6_000,
    });
  });

  it('grants one poll at its time, and the next only after the lease', async () => {
    await pending.add(request('a'));
    const claim = (now: number) => pending.claimPoll('a', { now, leaseMs: 30_000, early: false });
    expect(await claim(6_000)).toEqual({
      granted: true,
      pending: request('a', { next_poll_at: 36_000, polls: 1 }),
    });
    expect(await claim(35_999)).toEqual({ granted: false, waitUntil: 36_000 });
    expect(await claim(36_000)).toMatchObject({ granted: true, pending: { polls: 2 } });
  });

  it('grants a further poll for an ended request after the interval, not only after the lease', async () => {
    await pending.add(request('a'));
    const claim = (now: number) => pending.claimPoll('a', { now, leaseMs: 30_000, early: false });
    await claim(6_000);
    await pending.end('a', 6_100);
    expect(await claim(11_099)).toEqual({ granted: false, waitUntil: 11_100 });
    expect(await claim(11_100)).toMatchObject({ granted: true, pending: { ended: true } });
  });

  it('grants the very first poll before its time where that is allowed, and no second', async () => {
    await pending.add(request('a'));
    const claim = () => pending.claimPoll('a', { now: 1_001, leaseMs: 10, early: true });
    expect(await claim()).toMatchObject({ granted: true });
    expect(await claim()).toEqual({ granted: false, waitUntil: 1_011 });
  });

  it('grants one of two that claim at once', async () => {
    await pending.add(request('a'));
    const other = openStore({ OAUTHCTL_HOME: home }).pending;
    const claims = await Promise.all(
      [pending, other].map((store) => store.claimPoll('a', { now: 6_000, leaseMs: 30_000, early: false })),
    );
    expect(claims.map((claim) => claim?.granted).toSorted()).toEqual([false, true]);
  });

  it('knows nothing of a claim for an id that it does not have', async () => {
    expect(await pending.claimPoll('z', { now: 0, leaseMs: 1, early: true })).toBeUndefined();
  });

  it('remembers when the next poll may be, and the interval that grew', async () => {
    await pending.add(request('a'));
    await pending.add(request('b'));
    await pending.schedule('a', 20_000, 10);
    expect(await pending.find('a')).toEqual(request('a', { next_poll_at: 20_000, interval: 10 }));
    expect(await pending.find('b')).toEqual(request('b'));
  });

  it('keeps which errors mean "still pending" for an id', async () => {
    await pending.add(request('a'));
    await pending.add(request('b'));
    await pending.keepPendingErrors('a', ['invalid_grant']);
    expect(await pending.find('a')).toEqual(request('a', { pending_errors: ['invalid_grant'] }));
    expect(await pending.find('b')).toEqual(request('b'));
  });

  it('gives the delegation held last first, and each once', async () => {
    await pending.hold(delegation('first'));
    await pending.hold(delegation('second'));
    expect(await pending.takeHeld()).toEqual(delegation('second'));
    expect(await pending.takeHeld()).toEqual(delegation('first'));
    expect(await pending.takeHeld()).toBeUndefined();
  });

  it('gives a held delegation to one of two that take at once', async () => {
    await pending.hold(delegation('only'));
    const other = openStore({ OAUTHCTL_HOME: home }).pending;
    const taken = await Promise.all([pending.takeHeld(), other.takeHeld()]);
    expect(taken.filter((held) => held !== undefined)).toEqual([delegation('only')]);
  });
});
