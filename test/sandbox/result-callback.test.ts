import { SignJWT } from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { send, startHarness } from './harness.ts';

afterEach(() => {
  vi.useRealTimers();
});

const INVALID_TOKEN = { error: 'invalid_token', error_description: 'Invalid token' };

describe('the result callback', () => {
  it('answers 200 with an empty body', async () => {
    const harness = await startHarness();
    await harness.acknowledged();
    const answer = await harness.callback('SUCCEED');
    expect(answer).toMatchObject({ status: 200, text: '' });
  });

  it('answers 403 to a second result, which destroys the transaction', async () => {
    const harness = await startHarness();
    const id = await harness.acknowledged();
    await harness.callback('SUCCEED');
    const second = await harness.callback('SUCCEED');
    expect(second).toMatchObject({ status: 403, json: INVALID_TOKEN });
    expect((await harness.poll(id)).json).toEqual({
      error: 'invalid_grant',
      error_description: 'Invalid auth_req_id',
    });
    expect((await harness.callback('SUCCEED')).status).toBe(403);
  });

  it('destroys the transaction too when both results come at the same time', async () => {
    const harness = await startHarness();
    const id = await harness.acknowledged();
    const answers = await Promise.all([harness.callback('SUCCEED'), harness.callback('SUCCEED')]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 403]);
    expect((await harness.poll(id)).json.error).toBe('invalid_grant');
  });

  it('answers 401 without a bearer, and waits on', async () => {
    const harness = await startHarness();
    const id = await harness.acknowledged();
    const answer = await harness.callback('SUCCEED', '');
    expect(answer).toMatchObject({ status: 401, json: INVALID_TOKEN });
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect((await harness.poll(id)).json.error).toBe('authorization_pending');
  });

  it('answers 403 to a bearer that is no JWT, is altered, or was signed by somebody else', async () => {
    const harness = await startHarness();
    const id = await harness.acknowledged();
    const foreign = await new SignJWT({ typ: 'Bearer' })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(harness.sandbox.issuer)
      .setAudience(harness.sandbox.issuer)
      .setJti('x')
      .setExpirationTime('1m')
      .sign(new TextEncoder().encode(harness.sandbox.clientSecret));
    const [head, , signature] = harness.bearer.split('.');
    for (const bearer of ['nonsense', `${head}.e30.${signature}`, foreign]) {
      expect(await harness.callback('SUCCEED', bearer)).toMatchObject({ status: 403, json: INVALID_TOKEN });
    }
    expect((await harness.poll(id)).json.error).toBe('authorization_pending');
  });

  it('answers 403 to the bearer of another sandbox and to an access token', async () => {
    const [one, other] = [await startHarness(), await startHarness({ interval: 0 })];
    await one.acknowledged();
    const { access_token: accessToken } = await other.tokens();
    expect((await one.callback('SUCCEED', other.bearer)).status).toBe(403);
    expect((await other.callback('SUCCEED', accessToken)).status).toBe(403);
  });

  it.each([undefined, null, 'succeed', 'DONE', 1])(
    'answers 400 to the status %j, and waits on',
    async (status) => {
      const harness = await startHarness();
      const id = await harness.acknowledged();
      const answer = await harness.callback(status);
      expect(answer.status).toBe(400);
      expect(answer.json.error_description).toBe('Invalid authentication status');
      expect((await harness.poll(id)).json.error).toBe('authorization_pending');
      expect((await harness.callback('SUCCEED')).status).toBe(200);
    },
  );

  it.each(['', '[', 'null', '"SUCCEED"', '[]'])('answers 400 to the body %j', async (body) => {
    const harness = await startHarness();
    await harness.acknowledged();
    const url = `${harness.sandbox.issuer}/protocol/openid-connect/ext/ciba/auth/callback`;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${harness.bearer}` };
    expect((await send(url, { method: 'POST', headers, body })).status).toBe(400);
  });

  it('answers 415 to a form', async () => {
    const harness = await startHarness();
    await harness.acknowledged();
    const answer = await harness.post(
      '/ext/ciba/auth/callback',
      { status: 'SUCCEED' },
      `Bearer ${harness.bearer}`,
    );
    expect(answer.status).toBe(415);
  });

  it('answers 403 to a result that comes before the 201, which does no harm', async () => {
    let early = 0;
    const harness = await startHarness({}, async () => {
      early = (await harness.callback('SUCCEED')).status;
      return 201;
    });
    const id = await harness.acknowledged();
    expect(early).toBe(403);
    expect((await harness.callback('SUCCEED')).status).toBe(200);
    expect((await harness.poll(id)).status).toBe(200);
  });

  it('answers 403 once the request has expired', async () => {
    const harness = await startHarness({ expiresIn: 30 });
    vi.useFakeTimers({ toFake: ['Date'] });
    await harness.acknowledged();
    vi.setSystemTime(Date.now() + 31_000);
    expect((await harness.callback('SUCCEED')).status).toBe(403);
  });
});
