import { describe, expect, it } from 'vitest';
import { verifyReceivedIdToken } from '../../../src/flows/token/received-tokens.ts';
import { refreshTokens, requestTokens } from '../../../src/flows/token/token.ts';
import { computeHalfHash } from '../../../src/protocol/jose/token-hash.ts';
import type { AuthenticationExpectations } from '../../../src/protocol/oidc/id-token.ts';
import { FakeClock } from '../../helpers/fake-clock.ts';
import { awaitFailure, type Lab, startLab } from '../harness.ts';

const TOKENS = { access_token: 'opaque-access', token_type: 'Bearer', expires_in: 300 };
const nothing = () => {};

type Claims = Readonly<Record<string, unknown>>;

/** A token request whose answer has an ID token with these claims. */
async function request(expected: AuthenticationExpectations, claimsAt: (lab: Lab) => Claims) {
  const lab: Lab = await startLab({
    token: [
      async () => ({ json: { ...TOKENS, id_token: await lab.server.idToken({ claims: claimsAt(lab) }) } }),
    ],
  });
  const run = () =>
    requestTokens(
      lab.ctx,
      { target: lab.target, grantType: 'authorization_code', values: { code: 'the-code' }, expected },
      nothing,
    );
  const kept = async () => (await lab.ctx.store()).tokens.last('test');
  return { run, kept };
}

const secondsOf = (ms: number) => Math.floor(ms / 1000);

describe('the ID token of a token response', () => {
  it('is the answer to what was asked', async () => {
    const hashes = {
      at_hash: await computeHalfHash(TOKENS.access_token, 'ES256'),
      c_hash: await computeHalfHash('the-code', 'ES256'),
    };
    const { run, kept } = await request(
      { nonce: 'n', maxAge: 300, acrValues: 'gold', code: 'the-code' },
      ({ start }) => ({ ...hashes, nonce: 'n', auth_time: secondsOf(start) - 200, acr: 'gold' }),
    );
    expect((await run()).idToken).toMatchObject({ claims: hashes, remarks: [] });
    expect(await kept()).toMatchObject({ grant_type: 'authorization_code' });
  });

  it.each<[string, AuthenticationExpectations, Claims, RegExp]>([
    ['no nonce', { nonce: 'n' }, {}, /nonce is missing/],
    ['another nonce', { nonce: 'n' }, { nonce: 'm' }, /nonce is not the one that was sent/],
    ['no auth_time', { maxAge: 300 }, {}, /auth_time is missing/],
    [
      'the hash of another code',
      { code: 'the-code' },
      { c_hash: 'AAAA' },
      /c_hash is not the hash of the code/,
    ],
    [
      'the hash of another access token',
      {},
      { at_hash: 'AAAA' },
      /at_hash is not the hash of the access token/,
    ],
  ])('with %s is refused, and no tokens are kept', async (_what, expected, claims, message) => {
    const { run, kept } = await request(expected, () => claims);
    const error = await awaitFailure(run());
    expect(error).toMatchObject({ code: 'id_token_invalid', exitCode: 4 });
    expect(error.message).toMatch(message);
    expect(await kept()).toBeUndefined();
  });

  it('is held against its own access token, not one that came before by the browser', async () => {
    const at_hash = await computeHalfHash('from-the-browser', 'ES256');
    const { run } = await request({ accessToken: 'from-the-browser' }, () => ({ at_hash }));
    expect((await awaitFailure(run())).message).toMatch(/at_hash is not the hash of the access token/);
  });

  it('of a login that took long is young enough, where it is known when it was asked for', async () => {
    const claims = ({ start }: Lab) => ({ nonce: 'n', auth_time: secondsOf(start) - 600 });
    const requestedAt = new FakeClock().now() - 601_000;
    const patient = await request({ maxAge: 10, requestedAt }, claims);
    expect((await patient.run()).idToken?.claims.sub).toBe('user-1');
    const hasty = await request({ maxAge: 10 }, claims);
    expect((await awaitFailure(hasty.run())).message).toMatch(/max_age allows 10 s/);
  });

  it('with another acr than was asked for is remarked', async () => {
    const { run } = await request({ acrValues: 'gold' }, () => ({ acr: '0' }));
    expect((await run()).idToken?.remarks).toEqual(['acr is "0", but acr_values requested gold']);
  });

  it('that a refresh brings is of the new access token', async () => {
    const json = async (lab: Lab, access_token: string) => ({
      json: {
        ...TOKENS,
        access_token,
        refresh_token: 'refresh-1',
        id_token: await lab.server.idToken({
          claims: { at_hash: await computeHalfHash('access-2', 'ES256') },
        }),
      },
    });
    const lab: Lab = await startLab({ token: [() => json(lab, 'access-2'), () => json(lab, 'access-3')] });
    const options = { target: lab.target, refreshToken: 'refresh-0' };
    expect((await refreshTokens(lab.ctx, options, nothing)).tokens.access_token).toBe('access-2');
    expect((await awaitFailure(refreshTokens(lab.ctx, options, nothing))).message).toMatch(/at_hash is not/);
  });
});

describe('an ID token from the browser', () => {
  it('must have the hashes of what came with it', async () => {
    const lab = await startLab();
    const came = { accessToken: 'the-token', code: 'the-code', nonce: 'n', isFrontChannel: true };
    const idToken = await lab.server.idToken({
      claims: {
        nonce: 'n',
        at_hash: await computeHalfHash('the-token', 'ES256'),
        c_hash: await computeHalfHash('the-code', 'ES256'),
      },
    });
    const { claims } = await verifyReceivedIdToken(lab.ctx, lab.target, idToken, came);
    expect(claims.sub).toBe('user-1');
    const without = await lab.server.idToken({ claims: { nonce: 'n' } });
    expect((await awaitFailure(verifyReceivedIdToken(lab.ctx, lab.target, without, came))).message).toMatch(
      /at_hash is missing.*c_hash is missing/,
    );
  });
});
