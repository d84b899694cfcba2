import { describe, expect, it } from 'vitest';
import { refreshTokens, requestTokens } from '../../../src/flows/token/token.ts';
import { CLIENT_SECRET, type Lab, startLab } from '../harness.ts';

const TOKENS = { access_token: 'opaque-access', token_type: 'Bearer', expires_in: 300 };
const nothing = () => {};

const lastOf = async ({ ctx }: Lab) => (await (await ctx.store()).tokens.last('test'))?.response;

describe('a token request', () => {
  it('sends the grant and its parameters, authenticated as the client', async () => {
    const lab = await startLab({ token: [{ json: TOKENS }] });
    await requestTokens(
      lab.ctx,
      { target: lab.target, grantType: 'client_credentials', values: { scope: 'a b' } },
      nothing,
    );
    const [request] = lab.server.to('token');
    expect(Object.fromEntries(request?.form ?? [])).toEqual({
      grant_type: 'client_credentials',
      scope: 'a b',
    });
    expect(request?.headers.authorization).toBe(`Basic ${btoa(`test-client:${CLIENT_SECRET}`)}`);
  });

  it('returns and keeps every member of the answer', async () => {
    const json = { ...TOKENS, refresh_expires_in: 0, 'not-before-policy': 0, custom: { deep: [1] } };
    const lab = await startLab({ token: [{ json }] });
    const { tokens } = await requestTokens(
      lab.ctx,
      { target: lab.target, grantType: 'client_credentials', values: {} },
      nothing,
    );
    expect(tokens.json).toEqual(json);
    expect(await lastOf(lab)).toEqual(json);
  });

  it('keeps nothing where nothing is to be kept', async () => {
    const lab = await startLab({ token: [{ json: TOKENS }], target: { keepTokens: false } });
    await requestTokens(
      lab.ctx,
      { target: lab.target, grantType: 'client_credentials', values: {} },
      nothing,
    );
    expect(await lastOf(lab)).toBeUndefined();
  });

  it('replaces and adds parameters as the person says', async () => {
    const lab = await startLab({
      token: [{ json: TOKENS }],
      target: {
        extraParameters: [
          ['scope', 'c'],
          ['audience', 'x'],
        ],
      },
    });
    await requestTokens(
      lab.ctx,
      { target: lab.target, grantType: 'client_credentials', values: { scope: 'a' } },
      nothing,
    );
    expect([...(lab.server.to('token')[0]?.form ?? [])]).toEqual([
      ['grant_type', 'client_credentials'],
      ['scope', 'c'],
      ['audience', 'x'],
    ]);
  });

  it('ends with the refusal as it came', async () => {
    const lab = await startLab({
      token: [{ status: 401, json: { error: 'invalid_client', error_description: 'no' } }],
    });
    const request = requestTokens(
      lab.ctx,
      { target: lab.target, grantType: 'client_credentials', values: {} },
      nothing,
    );
    await expect(request).rejects.toMatchObject({
      code: 'invalid_client',
      exitCode: 3,
      oauth: { error: 'invalid_client', error_description: 'no', status: 401, endpoint: 'token' },
    });
  });

  it('refuses an answer that is not JSON with exit code 5, and a success without a token with 4', async () => {
    const html = await startLab({ token: [{ text: '<html><title>Sign in</title></html>' }] });
    const request = (lab: Lab) =>
      requestTokens(lab.ctx, { target: lab.target, grantType: 'client_credentials', values: {} }, nothing);
    await expect(request(html)).rejects.toMatchObject({ code: 'not_the_protocol', exitCode: 5 });
    const empty = await startLab({ token: [{ json: { token_type: 'Bearer' } }] });
    await expect(request(empty)).rejects.toMatchObject({ code: 'token_response_invalid', exitCode: 4 });
  });

  it('keeps nothing when the ID token must not be trusted', async () => {
    const lab = await startLab({
      token: [
        async () => ({ json: { ...TOKENS, id_token: await lab.server.idToken({ claims: { iss: 'x' } }) } }),
      ],
    });
    const request = requestTokens(
      lab.ctx,
      { target: lab.target, grantType: 'password', values: {} },
      nothing,
    );
    await expect(request).rejects.toMatchObject({ code: 'id_token_invalid', exitCode: 4 });
    expect(await lastOf(lab)).toBeUndefined();
  });
});

describe('a refresh', () => {
  it('takes the kept refresh token, and the new one replaces it at once', async () => {
    const lab = await startLab({
      token: [
        { json: { ...TOKENS, refresh_token: 'refresh-1' } },
        { json: { ...TOKENS, refresh_token: 'refresh-2' } },
        { json: { ...TOKENS, refresh_token: 'refresh-3' } },
      ],
    });
    await requestTokens(lab.ctx, { target: lab.target, grantType: 'password', values: {} }, nothing);
    await refreshTokens(lab.ctx, { target: lab.target }, nothing);
    await refreshTokens(lab.ctx, { target: lab.target }, nothing);
    expect(lab.server.to('token').map(({ form }) => form.get('refresh_token'))).toEqual([
      null,
      'refresh-1',
      'refresh-2',
    ]);
    expect(await lastOf(lab)).toMatchObject({ refresh_token: 'refresh-3' });
  });

  it('keeps the old refresh token where no new one came', async () => {
    const lab = await startLab({
      token: [{ json: { ...TOKENS, refresh_token: 'refresh-1' } }, { json: TOKENS }],
    });
    await requestTokens(lab.ctx, { target: lab.target, grantType: 'password', values: {} }, nothing);
    const { tokens } = await refreshTokens(lab.ctx, { target: lab.target }, nothing);
    expect(tokens.json).toEqual(TOKENS);
    expect(await lastOf(lab)).toEqual({ ...TOKENS, refresh_token: 'refresh-1' });
  });

  it('loses the kept tokens by no refusal', async () => {
    const lab = await startLab({
      token: [
        { json: { ...TOKENS, refresh_token: 'refresh-1' } },
        { status: 400, json: { error: 'invalid_grant' } },
      ],
    });
    await requestTokens(lab.ctx, { target: lab.target, grantType: 'password', values: {} }, nothing);
    await expect(refreshTokens(lab.ctx, { target: lab.target }, nothing)).rejects.toMatchObject({
      exitCode: 3,
    });
    expect(await lastOf(lab)).toMatchObject({ refresh_token: 'refresh-1' });
  });

  it('asks no server when no refresh token is kept', async () => {
    const lab = await startLab({});
    await expect(refreshTokens(lab.ctx, { target: lab.target }, nothing)).rejects.toMatchObject({
      code: 'nothing_kept',
      exitCode: 2,
    });
    expect(lab.server.requests).toEqual([]);
  });
});
