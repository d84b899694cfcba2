import { afterEach, describe, expect, it, vi } from 'vitest';
import { basic, startHarness } from './harness.ts';

afterEach(() => {
  vi.useRealTimers();
});

function clock() {
  let milliseconds = 1_000_000;
  return {
    now: () => milliseconds,
    advance: (seconds: number) => {
      milliseconds += seconds * 1000;
    },
  };
}

describe('a poll', () => {
  it('is authorization_pending until the device has answered, however often it comes', async () => {
    const time = clock();
    const harness = await startHarness({ interval: 5, now: time.now });
    const id = await harness.acknowledged();
    for (let poll = 0; poll < 3; poll += 1) {
      const answer = await harness.poll(id);
      expect(answer.status).toBe(400);
      expect(answer.json.error).toBe('authorization_pending');
      time.advance(5);
    }
  });

  it('is never slow_down when it is the first', async () => {
    const time = clock();
    const harness = await startHarness({ interval: 5, now: time.now });
    const id = await harness.acknowledged();
    await harness.callback('SUCCEED');
    expect((await harness.poll(id)).status).toBe(200);
  });

  it('that comes too early is slow_down, which hides an approval', async () => {
    const time = clock();
    const harness = await startHarness({ interval: 5, now: time.now });
    const id = await harness.acknowledged();
    await harness.poll(id);
    await harness.callback('SUCCEED');
    time.advance(4.999);
    const early = await harness.poll(id);
    expect(early.status).toBe(400);
    expect(early.json).toEqual({ error: 'slow_down', error_description: 'too early to access' });
    time.advance(0.001);
    expect((await harness.poll(id)).status).toBe(200);
  });

  it('that comes too early hides a denial too', async () => {
    const time = clock();
    const harness = await startHarness({ interval: 5, now: time.now });
    const id = await harness.acknowledged();
    await harness.poll(id);
    await harness.callback('UNAUTHORIZED');
    expect((await harness.poll(id)).json.error).toBe('slow_down');
    time.advance(5);
    expect((await harness.poll(id)).json.error).toBe('access_denied');
  });

  it('that was too early neither counts nor makes the interval grow', async () => {
    const time = clock();
    const harness = await startHarness({ interval: 5, now: time.now });
    const id = await harness.acknowledged();
    await harness.poll(id);
    for (let early = 0; early < 4; early += 1) {
      time.advance(1);
      expect((await harness.poll(id)).json.error).toBe('slow_down');
    }
    time.advance(1);
    expect((await harness.poll(id)).json.error).toBe('authorization_pending');
  });

  it('of one request does not slow down another', async () => {
    const time = clock();
    const harness = await startHarness({ interval: 5, now: time.now });
    const [one, other] = [await harness.acknowledged(), await harness.acknowledged()];
    await harness.poll(one);
    expect((await harness.poll(other)).json.error).toBe('authorization_pending');
  });

  it('with a wrong secret does not count', async () => {
    const time = clock();
    const harness = await startHarness({ interval: 5, now: time.now });
    const id = await harness.acknowledged();
    expect((await harness.poll(id, basic('sandbox-client', 'wrong'))).status).toBe(401);
    expect((await harness.poll(id)).json.error).toBe('authorization_pending');
  });

  it('is not limited, and the acknowledgement says no interval, when that is 0', async () => {
    const harness = await startHarness({ interval: 0 });
    const acknowledgement = (await harness.request()).json;
    expect(acknowledgement).not.toHaveProperty('interval');
    const id = acknowledgement.auth_req_id as string;
    await harness.poll(id);
    expect((await harness.poll(id)).json.error).toBe('authorization_pending');
  });

  it.each(['UNAUTHORIZED', 'CANCELLED'])('after %s is access_denied each time', async (status) => {
    const harness = await startHarness();
    const id = await harness.acknowledged();
    expect((await harness.callback(status)).status).toBe(200);
    for (let poll = 0; poll < 3; poll += 1) {
      const answer = await harness.poll(id);
      expect(answer.status).toBe(400);
      expect(answer.json).toEqual({ error: 'access_denied', error_description: 'not authorized' });
    }
  });

  it('with a used auth_req_id is invalid_grant, and the tokens stay good', async () => {
    const harness = await startHarness();
    const id = await harness.acknowledged();
    await harness.callback('SUCCEED');
    const tokens = (await harness.poll(id)).json;
    expect((await harness.poll(id)).json).toEqual({
      error: 'invalid_grant',
      error_description: 'Invalid auth_req_id',
    });
    const introspection = await harness.post('/token/introspect', { token: tokens.access_token as string });
    expect(introspection.json.active).toBe(true);
  });

  it('wins once when two arrive together', async () => {
    const harness = await startHarness();
    const id = await harness.acknowledged();
    await harness.callback('SUCCEED');
    const statuses = (await Promise.all([harness.poll(id), harness.poll(id), harness.poll(id)])).map(
      ({ status }) => status,
    );
    expect(statuses.toSorted()).toEqual([200, 400, 400]);
  });

  it('with an unknown auth_req_id is invalid_grant', async () => {
    const harness = await startHarness();
    const answer = await harness.poll('x'.repeat(43));
    expect(answer.json).toEqual({ error: 'invalid_grant', error_description: 'Invalid auth_req_id' });
  });

  it('with a malformed auth_req_id is invalid_grant in other words', async () => {
    const harness = await startHarness();
    const answer = await harness.poll('no such id');
    expect(answer.json).toEqual({ error: 'invalid_grant', error_description: 'Invalid Auth Req ID' });
  });

  it('without an auth_req_id is invalid_request', async () => {
    const harness = await startHarness();
    const answer = await harness.post('/token', { grant_type: 'urn:openid:params:grant-type:ciba' });
    expect(answer.status).toBe(400);
    expect(answer.json.error).toBe('invalid_request');
  });

  it('after the request expired is expired_token, and later invalid_grant', async () => {
    const harness = await startHarness({ interval: 5, expiresIn: 30, now: () => Date.now() });
    vi.useFakeTimers({ toFake: ['Date'] });
    const id = await harness.acknowledged();
    vi.setSystemTime(Date.now() + 31_000);
    expect((await harness.poll(id)).json.error).toBe('expired_token');
    vi.setSystemTime(Date.now() + 15_000);
    expect((await harness.poll(id)).json.error).toBe('invalid_grant');
  });
});

describe('several requests at once', () => {
  it('are decided each on its own, for each user', async () => {
    const harness = await startHarness({ users: ['cl-taro', 'cl-hanako'] });
    const ids = [await harness.acknowledged(), await harness.acknowledged({ login_hint: 'cl-hanako' })];
    const bearers = harness.received.map(({ headers }) => headers.authorization?.replace('Bearer ', ''));
    await harness.callback('UNAUTHORIZED', bearers[0]);
    await harness.callback('SUCCEED', bearers[1]);
    expect((await harness.poll(ids[0] ?? '')).json.error).toBe('access_denied');
    const tokens = (await harness.poll(ids[1] ?? '')).json;
    const introspection = await harness.post('/token/introspect', { token: tokens.access_token as string });
    expect(introspection.json.username).toBe('cl-hanako');
  });
});
