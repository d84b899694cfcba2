import { describe, expect, it } from 'vitest';
import { NetworkError, RefusedError, UsageError, ValidationError } from '../../../src/errors.ts';
import {
  type CibaRequestEvent,
  type CibaRequestOptions,
  requestAuthentication,
} from '../../../src/flows/ciba/request.ts';
import {
  ACKNOWLEDGEMENT,
  AUTH_REQ_ID,
  CLIENT_ID,
  HTML_PAGE,
  type ScriptedStep,
  USER,
} from '../../helpers/misbehaving-server.ts';
import { awaitFailure, CLIENT_SECRET, type LabOptions, ofType, startLab } from '../harness.ts';

async function startRequest(
  answer: ScriptedStep,
  options: Partial<Omit<CibaRequestOptions, 'target'>> & Pick<LabOptions, 'target'> = {},
) {
  const { target, ...rest } = options;
  const lab = await startLab({ backchannel: [answer], ...(target && { target }) });
  const events: CibaRequestEvent[] = [];
  const run = () =>
    requestAuthentication(lab.ctx, { target: lab.target, request: { login_hint: USER }, ...rest }, (event) =>
      events.push(event),
    );
  const kept = async () => (await lab.ctx.store()).pending.last('test');
  return { ...lab, events, run, kept };
}

const acknowledged = (members: Record<string, unknown>): ScriptedStep => ({
  json: { ...ACKNOWLEDGEMENT.json, ...members },
});

describe('the authentication request', () => {
  it('is a form with the client authenticated in the header', async () => {
    const { run, server } = await startRequest(ACKNOWLEDGEMENT, {
      request: { login_hint: USER, binding_message: 'test-0001', acr_values: 'gold', requested_expiry: 60 },
    });
    await run();
    const [request] = server.to('backchannel');
    expect(request?.method).toBe('POST');
    expect(request?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(request?.headers.authorization).toBe(`Basic ${btoa(`${CLIENT_ID}:${CLIENT_SECRET}`)}`);
    expect(Object.fromEntries(request?.form ?? [])).toEqual({
      scope: 'openid',
      login_hint: USER,
      binding_message: 'test-0001',
      acr_values: 'gold',
      requested_expiry: '60',
    });
  });

  it('carries what the person adds, and what the person puts in place of ours', async () => {
    const { run, server } = await startRequest(ACKNOWLEDGEMENT, {
      target: {
        extraParameters: [
          ['scope', 'openid email'],
          ['resource', 'https://a.example'],
          ['resource', 'https://b.example'],
        ],
      },
    });
    await run();
    const form = server.to('backchannel')[0]?.form;
    expect(form?.getAll('scope')).toEqual(['openid email']);
    expect(form?.getAll('resource')).toEqual(['https://a.example', 'https://b.example']);
  });

  it.each([
    ['no hint', {}, 'hint_missing'],
    ['two hints', { login_hint: USER, id_token_hint: 'eyJ' }, 'hint_ambiguous'],
    ['a requested expiry of 0', { login_hint: USER, requested_expiry: 0 }, 'requested_expiry_invalid'],
  ])('is not sent with %s', async (_what, request, code) => {
    const lab = await startLab();
    const error = await awaitFailure(
      requestAuthentication(lab.ctx, { target: lab.target, request }, () => {}),
    );
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({ code, exitCode: 2 });
    expect(lab.server.requests).toEqual([]);
  });

  it('is not sent to a server without a backchannel endpoint', async () => {
    const lab = await startLab({ metadata: { backchannel_authentication_endpoint: undefined } });
    const error = await awaitFailure(
      requestAuthentication(lab.ctx, { target: lab.target, request: { login_hint: USER } }, () => {}),
    );
    expect(error).toMatchObject({ code: 'endpoint_missing', exitCode: 4 });
    expect(lab.server.requests).toEqual([]);
  });
});

describe('the acknowledgement', () => {
  it('sets the first poll one interval after its arrival', async () => {
    const { run, start } = await startRequest({
      json: { ...ACKNOWLEDGEMENT.json, interval: 7 },
      takes: 1_300,
    });
    expect(await run()).toMatchObject({
      interval: 7,
      requestedAt: start,
      firstPollAt: start + 8_300,
      expiresAt: start + 121_300,
    });
  });

  it('without an interval means five seconds', async () => {
    const { run, start, events } = await startRequest(ACKNOWLEDGEMENT);
    expect(await run()).toMatchObject({ interval: 5, firstPollAt: start + 5_000 });
    expect(ofType(events, 'acknowledged')).toMatchObject([{ interval: 5 }]);
  });

  it('is kept for a later poll, and with every member for the result', async () => {
    const { run, kept, start, server } = await startRequest(acknowledged({ interval: 31, vendor: { a: 1 } }));
    const { acknowledgement } = await run();
    expect(acknowledgement.json).toEqual({
      auth_req_id: AUTH_REQ_ID,
      expires_in: 120,
      interval: 31,
      vendor: { a: 1 },
    });
    expect(await kept()).toEqual({
      auth_req_id: AUTH_REQ_ID,
      owner: 'test',
      issuer: server.issuer,
      client_id: CLIENT_ID,
      scope: 'openid',
      asked: { scope: 'openid', user: USER },
      requested_at: start,
      expires_in: 120,
      expires_at: start + 120_000,
      interval: 31,
      next_poll_at: start + 31_000,
      polls: 0,
    });
  });

  it('is not kept where nothing is to be kept', async () => {
    const { run, kept } = await startRequest(ACKNOWLEDGEMENT, { target: { owner: undefined } });
    await run();
    expect(await kept()).toBeUndefined();
  });

  it('leaves its id masked in whatever is written to stderr', async () => {
    const { run, parts } = await startRequest(ACKNOWLEDGEMENT);
    await run();
    parts.io.err(`polling for ${AUTH_REQ_ID} or ${encodeURIComponent(AUTH_REQ_ID)}`);
    expect(parts.stderr()).toBe('polling for (masked) or (masked)');
  });

  const broken: [string, Record<string, unknown>, RegExp][] = [
    ['no auth_req_id', { auth_req_id: undefined }, /no "auth_req_id"/],
    ['an empty auth_req_id', { auth_req_id: '' }, /no "auth_req_id"/],
    ['an auth_req_id that is a number', { auth_req_id: 17 }, /no "auth_req_id"/],
    ['no expires_in', { expires_in: undefined }, /"expires_in" must be .* is missing$/],
    ['an expires_in of 0', { expires_in: 0 }, /"expires_in" must be .* is 0$/],
    ['a negative expires_in', { expires_in: -1 }, /"expires_in" must be .* is -1$/],
    ['an expires_in that is a text', { expires_in: '2 min' }, /"expires_in" must be .* is "2 min"$/],
    ['an expires_in of half a second', { expires_in: 0.5 }, /"expires_in" must be .* is 0\.5$/],
    ['an interval of 0', { interval: 0 }, /"interval" must be .* is 0$/],
    ['a negative interval', { interval: -5 }, /"interval" must be .* is -5$/],
    ['an interval that is a text', { interval: 'often' }, /"interval" must be .* is "often"$/],
    ['an interval of 1e9', { interval: 1e9 }, /"interval" of 1000000000 s is longer than its "expires_in"/],
  ];

  it.each(broken)('that has %s breaks the protocol: exit 4', async (_what, members, message) => {
    const { run, kept, events } = await startRequest(acknowledged(members));
    const error = await awaitFailure(run());
    expect(error).toBeInstanceOf(ValidationError);
    expect(error).toMatchObject({ code: 'acknowledgement_invalid', exitCode: 4 });
    expect(error.message).toMatch(message);
    expect(await kept()).toBeUndefined();
    expect(ofType(events, 'acknowledged')).toEqual([]);
  });

  it.each(broken.filter(([what]) => what.includes('interval')))(
    'that has %s is usable with an interval of the person',
    async (_what, members) => {
      const { run, kept, start } = await startRequest(acknowledged(members), { interval: 2 });
      expect(await run()).toMatchObject({ interval: 2, firstPollAt: start + 2_000 });
      expect(await kept()).toMatchObject({ interval: 2, next_poll_at: start + 2_000 });
    },
  );

  it.each(broken.filter(([what]) => !what.includes('interval')))(
    'that has %s is not mended by an interval of the person',
    async (_what, members) => {
      const { run } = await startRequest(acknowledged(members), { interval: 2 });
      expect(await awaitFailure(run())).toMatchObject({ code: 'acknowledgement_invalid' });
    },
  );

  it('gives way to an interval of the person', async () => {
    const { run, start } = await startRequest(acknowledged({ interval: 31 }), { interval: 2 });
    expect(await run()).toMatchObject({ interval: 2, firstPollAt: start + 2_000 });
  });
});

describe('an answer that is no acknowledgement', () => {
  it.each<[string, ScriptedStep]>([
    ['HTML with 200', { text: HTML_PAGE }],
    ['HTML with 404', { status: 404, text: HTML_PAGE }],
    ['an empty body', {}],
    ['a JSON array', { json: [] }],
    ['a redirect', { status: 302, headers: { location: 'https://login.example/' } }],
  ])('because it is %s is told as not the protocol: exit 5', async (_what, answer) => {
    const { run, kept } = await startRequest(answer);
    const error = await awaitFailure(run());
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ code: 'not_the_protocol', exitCode: 5 });
    expect(await kept()).toBeUndefined();
  });

  it.each<[string, number, number]>([
    ['invalid_request', 200, 3],
    ['unknown_user_id', 400, 3],
    ['invalid_binding_message', 400, 3],
    ['invalid_client', 401, 3],
    ['access_denied', 403, 3],
    ['server_error', 503, 3],
  ])('because it is %s with status %i is a refusal: exit %i', async (word, status, exitCode) => {
    const { run, kept } = await startRequest({
      status,
      json: { ...ACKNOWLEDGEMENT.json, error: word, error_description: 'in its own words' },
    });
    const error = await awaitFailure(run());
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({
      code: word,
      exitCode,
      oauth: {
        error: word,
        error_description: 'in its own words',
        status,
        endpoint: 'backchannel_authentication',
      },
    });
    expect(await kept()).toBeUndefined();
  });

  it('because the connection broke is not asked for again', async () => {
    const { run, server } = await startRequest('reset');
    expect(await awaitFailure(run())).toMatchObject({ code: 'connection_reset', exitCode: 5 });
    expect(server.to('backchannel')).toHaveLength(1);
  });
});
