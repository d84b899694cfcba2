import { expect, it } from 'vitest';
import type { ScriptedAnswer } from '../helpers/misbehaving-server.ts';
import { readFailure } from '../helpers/run.ts';
import { type Script, startWorkplace } from '../helpers/workplace.ts';

const REQUEST = ['ciba', 'request', '--login-hint', 'a'];
const CALLBACK = ['ciba', 'callback', 'succeed', '--bearer', 'env:BEARER'];
const EXCHANGE = ['token', 'exchange', '--subject-token', 'env:BEARER', '--audience', 'b'];

const refused = (error: string, error_description?: string, status = 400): ScriptedAnswer => ({
  status,
  json: { error, ...(error_description && { error_description }) },
});
const page = (status: number): ScriptedAnswer => ({
  status,
  headers: { 'content-type': 'text/html' },
  text: '<!doctype html><title>Error</title>',
});

/** Refusals that Keycloak sends as well, by a server whose addresses are not those of Keycloak. */
const REFUSALS: readonly [argv: readonly string[], script: Script][] = [
  [REQUEST, { backchannel: [refused('invalid_request', 'missing parameter : login_hint')] }],
  [REQUEST, { backchannel: [refused('invalid_request', 'invalid_user')] }],
  [REQUEST, { backchannel: [refused('server_error', 'Failed to send authentication request', 503)] }],
  [REQUEST, { backchannel: [refused('invalid_grant', 'Client not allowed OIDC CIBA Grant', 401)] }],
  [REQUEST, { backchannel: [refused('unauthorized_client', 'Invalid client credentials', 401)] }],
  [CALLBACK, { callback: [refused('invalid_request', undefined, 401)] }],
  [CALLBACK, { callback: [refused('invalid_token', 'Invalid token', 403)] }],
  [CALLBACK, { callback: [refused('unknown_error', undefined, 500)] }],
  [['token', 'device'], { device_authorization: [page(400)] }],
  [['token', 'device'], { device_authorization: [refused('unauthorized_client', 'not allowed')] }],
  [['token', 'client-credentials'], { token: [refused('unauthorized_client', 'no service account', 401)] }],
  [['token', 'client-credentials'], { token: [refused('access_denied', 'Policy evaluation failed', 403)] }],
  [EXCHANGE, { token: [refused('invalid_client', 'Audience not found')] }],
  [EXCHANGE, { token: [refused('access_denied', 'Client not allowed to exchange', 403)] }],
  [EXCHANGE, { token: [refused('not_supported', undefined, 501)] }],
  [['introspect'], { introspection: [refused('invalid_request', 'Client not allowed.', 403)] }],
  [['introspect'], { introspection: [{ json: { active: false } }] }],
  [['introspect', '--jwt'], { introspection: [{ json: { active: true } }] }],
  [['userinfo'], { userinfo: [refused('invalid_token', 'Token verification failed', 401)] }],
];

it.each(REFUSALS)(
  '%j at a server that is not Keycloak gets no hint about Keycloak: %j',
  async (argv, script) => {
    const place = await startWorkplace(script, { profile: ['--client-secret', 'env:CLIENT_SECRET'] });
    await place.keep({ access_token: 'the-access-token', refresh_token: 'the-refresh-token' });
    const env = { BEARER: await place.server.bearer() };
    const { message, hint } = readFailure(await place.runWith({ env }, ...argv, '--json'));
    expect(hint, String(message)).toEqual(expect.any(String));
    expect(`${message} ${hint}`).not.toMatch(/keycloak|realm|capability settings|mapper/i);
  },
);
