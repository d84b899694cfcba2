import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { pollCiba } from '../../../src/flows/ciba/poll.ts';
import type { DpopEvent } from '../../../src/flows/server/dpop.ts';
import type { Target } from '../../../src/flows/server/target.ts';
import { postForm } from '../../../src/flows/server/target.ts';
import { refreshTokens, requestTokens } from '../../../src/flows/token/token.ts';
import { generateKey } from '../../../src/protocol/jose/key.ts';
import { type DpopKey, generateDpopKey } from '../../../src/protocol/oauth/dpop.ts';
import { buildParameters } from '../../../src/protocol/oauth/form.ts';
import {
  AUTH_REQ_ID,
  type CapturedRequest,
  PENDING,
  type ScriptedStep,
} from '../../helpers/misbehaving-server.ts';
import { awaitFailure, startLab } from '../harness.ts';

const BOUND = { json: { access_token: 'a-dpop-token', token_type: 'DPoP', refresh_token: 'refresh-1' } };

const nonceWanted = (nonce: string, status = 400) => ({
  status,
  headers: { 'dpop-nonce': nonce },
  json: { error: 'use_dpop_nonce' },
});

const nonceOf = ({ headers }: CapturedRequest) => decodeJwt(String(headers.dpop)).nonce;
const jtiOf = ({ headers }: CapturedRequest) => decodeJwt(String(headers.dpop)).jti;

async function start(token: readonly ScriptedStep[], more: Partial<Target> = {}) {
  const key = await generateDpopKey();
  const told: DpopEvent[] = [];
  const proofs = { nonces: new Map<string, string>(), onEvent: (event: DpopEvent) => told.push(event) };
  const lab = await startLab({ token, target: { dpop: key, proofs, ...more } });
  const request = (target: Target = lab.target) =>
    requestTokens(lab.ctx, { target, grantType: 'client_credentials', values: {} }, () => {});
  const refresh = (target: Target = lab.target) => refreshTokens(lab.ctx, { target }, () => {});
  const kept = async () => (await lab.ctx.store()).tokens.last('test');
  return { ...lab, key, told, request, refresh, kept, sent: () => lab.server.to('token') };
}

describe('a token request with DPoP', () => {
  it('proves the key for method and address, and keeps it with the tokens', async () => {
    const { request, sent, key, kept, server, told } = await start([BOUND]);
    await request();
    const proof = String(sent()[0]?.headers.dpop);
    expect(decodeProtectedHeader(proof)).toMatchObject({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty: 'EC' } });
    expect(decodeJwt(proof)).toMatchObject({ htm: 'POST', htu: `${server.issuer}/token` });
    expect(decodeJwt(proof)).not.toHaveProperty('ath');
    expect((await kept())?.dpop).toEqual({ jkt: key.jkt, alg: 'ES256', jwk: key.jwk });
    expect(told).toEqual([]);
  });

  it('keeps of a key of one’s own the thumbprint alone', async () => {
    const { request, key, kept, target } = await start([BOUND]);
    await request({ ...target, dpop: { ...key, isOwn: true } });
    expect((await kept())?.dpop).toEqual({ jkt: key.jkt, alg: 'ES256' });
  });

  it('is sent once more with the nonce that the server wants, and says so', async () => {
    const { request, sent, told } = await start([nonceWanted('n-1'), BOUND]);
    await request();
    expect(sent().map(nonceOf)).toEqual([undefined, 'n-1']);
    expect(new Set(sent().map(jtiOf)).size).toBe(2);
    expect(told).toEqual([
      { type: 'dpop_nonce_wanted', url: expect.stringMatching(/\/token$/), status: 400 },
    ]);
  });

  it('is not sent a third time', async () => {
    const { request, sent } = await start([nonceWanted('n-1'), nonceWanted('n-2')]);
    expect(await awaitFailure(request())).toMatchObject({ code: 'use_dpop_nonce', exitCode: 3 });
    expect(sent()).toHaveLength(2);
  });

  it.each([
    ['no nonce', { status: 400, json: { error: 'use_dpop_nonce' } }],
    ['a nonce that is none', nonceWanted('two words')],
    ['another error', { ...nonceWanted('n-1'), json: { error: 'invalid_request' } }],
    ['a status of its own', nonceWanted('n-1', 503)],
  ])('is not sent again for %s', async (_what, answer) => {
    const { request, sent } = await start([answer]);
    await awaitFailure(request());
    expect(sent()).toHaveLength(1);
  });

  it('uses the last nonce of the same origin at once, whatever the answer that brought it', async () => {
    const { request, sent } = await start([
      { ...BOUND, headers: { 'dpop-nonce': 'n-1' } },
      { status: 400, headers: { 'dpop-nonce': 'n-2' }, json: { error: 'invalid_scope' } },
      BOUND,
    ]);
    await request();
    await awaitFailure(request());
    await request();
    expect(sent().map(nonceOf)).toEqual([undefined, 'n-1', 'n-2']);
  });

  it('makes a client assertion of its own for each time', async () => {
    const { jwk } = await generateKey('ES256');
    const { request, sent, target } = await start([nonceWanted('n-1'), BOUND]);
    const client = {
      client_id: 'test-client',
      token_endpoint_auth_method: 'private_key_jwt',
      client_key: jwk,
    } as const;
    await request({ ...target, client });
    const assertions = sent().map(({ form }) => decodeJwt(String(form.get('client_assertion'))).jti);
    expect(new Set(assertions).size).toBe(2);
  });

  it('sends no proof where none is to be sent, or to an endpoint that reads none', async () => {
    const { request, target, sent } = await start([BOUND]);
    await request({ ...target, proofs: undefined });
    expect(sent()[0]?.headers).not.toHaveProperty('dpop');
    const device = await startLab({ device_authorization: [{ json: {} }], target: { ...target } });
    await postForm(device.ctx, device.target, {
      url: `${device.server.issuer}/device`,
      endpoint: 'device_authorization',
      parameters: buildParameters('device_authorization', {}),
    });
    expect(device.server.to('device_authorization')[0]?.headers).not.toHaveProperty('dpop');
  });

  it('tells that the server ignored the proof', async () => {
    const { request, told } = await start([{ json: { access_token: 'a-token', token_type: 'Bearer' } }]);
    await request();
    expect(told).toEqual([{ type: 'dpop_ignored', token_type: 'Bearer' }]);
  });

  it('refuses an access token that is bound to another key', async () => {
    const access_token = await new SignJWT({ cnf: { jkt: (await generateDpopKey()).jkt } })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new Uint8Array(32));
    const { request, kept } = await start([{ json: { access_token, token_type: 'DPoP' } }]);
    expect(await awaitFailure(request())).toMatchObject({ code: 'dpop_binding_wrong', exitCode: 4 });
    expect(await kept()).toBeUndefined();
  });
});

describe('a poll with DPoP', () => {
  it('that is repeated for a nonce is one poll, and later polls bring the nonce along', async () => {
    const {
      ctx,
      target,
      sent,
      server,
      start: at,
      told,
    } = await start([nonceWanted('n-1'), PENDING, { ...PENDING, headers: { 'dpop-nonce': 'n-2' } }, BOUND]);
    await pollCiba(ctx, { target, authReqId: AUTH_REQ_ID, interval: 5, firstPollAt: at + 5_000 }, () => {});
    expect(sent().map(nonceOf)).toEqual([undefined, 'n-1', 'n-1', 'n-2']);
    expect(server.gaps()).toEqual([0, 5_000, 5_000]);
    expect(told).toHaveLength(1);
  });

  it('leaves the second try only the time that is left', async () => {
    const lab = await start([
      { ...nonceWanted('n-1'), takes: 9_000 },
      { ...PENDING, takes: 5_000 },
    ]);
    const timeouts: (number | undefined)[] = [];
    const http = await lab.ctx.http();
    const send: typeof http.send = (request, signal) => {
      timeouts.push(request.timeoutMs);
      return http.send({ ...request, timeoutMs: 30_000 }, signal);
    };
    const ctx = { ...lab.ctx, http: async () => ({ send }) };
    const options = { target: lab.target, authReqId: AUTH_REQ_ID, interval: 5, firstPollAt: lab.start };
    const run = pollCiba(ctx, { ...options, deadlineAt: lab.start + 10_000 }, () => {});
    expect(await awaitFailure(run)).toMatchObject({ exitCode: 6 });
    expect(timeouts).toEqual([10_000, 1_000]);
  });
});

describe('a refresh of tokens that were requested with DPoP', () => {
  const jktOf = async ({ headers }: CapturedRequest) => {
    const { jwk } = decodeProtectedHeader(String(headers.dpop));
    const { calculateJwkThumbprint } = await import('jose');
    return calculateJwkThumbprint(jwk ?? {});
  };

  it('proves the kept key, whatever key is made for this run, or none', async () => {
    const { request, refresh, key, sent, target, kept } = await start([BOUND, BOUND, BOUND]);
    await request();
    await refresh({ ...target, dpop: await generateDpopKey() });
    await refresh({ ...target, dpop: undefined });
    expect(await Promise.all(sent().map(jktOf))).toEqual([key.jkt, key.jkt, key.jkt]);
    expect((await kept())?.dpop?.jkt).toBe(key.jkt);
  });

  it('proves the key that the person names, even a wrong one', async () => {
    const { request, refresh, sent, target } = await start([BOUND, BOUND]);
    await request();
    const own: DpopKey = { ...(await generateDpopKey()), isOwn: true };
    await refresh({ ...target, dpop: own });
    expect(await jktOf(sent()[1] as CapturedRequest)).toBe(own.jkt);
  });

  it('sends no proof where none is to be sent', async () => {
    const { request, refresh, sent, target } = await start([BOUND, BOUND]);
    await request();
    await refresh({ ...target, dpop: undefined, proofs: undefined });
    expect(sent()[1]?.headers).not.toHaveProperty('dpop');
  });

  it('asks for the key that is a file of the person’s, and sends nothing', async () => {
    const { request, refresh, key, sent, target } = await start([BOUND]);
    await request({ ...target, dpop: { ...key, isOwn: true } });
    expect(await awaitFailure(refresh({ ...target, dpop: undefined }))).toMatchObject({
      code: 'dpop_key_missing',
      exitCode: 2,
      hint: expect.stringContaining('--dpop-key'),
    });
    expect(sent()).toHaveLength(1);
  });

  it('keeps the new refresh token even when the new access token is bound to another key', async () => {
    const access_token = await new SignJWT({ cnf: { jkt: 'another' } })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new Uint8Array(32));
    const { request, refresh, kept } = await start([
      BOUND,
      { json: { access_token, token_type: 'DPoP', refresh_token: 'refresh-2' } },
    ]);
    await request();
    expect(await awaitFailure(refresh())).toMatchObject({ code: 'dpop_binding_wrong' });
    expect((await kept())?.response).toMatchObject({
      access_token: 'a-dpop-token',
      refresh_token: 'refresh-2',
    });
  });
});
