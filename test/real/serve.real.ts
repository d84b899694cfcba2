import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  base64url,
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  type JWK,
  SignJWT,
} from 'jose';
import { afterAll, beforeAll, describe, expect, inject, type TestContext, test } from 'vitest';
import type { KeycloakServer } from '../lab/keycloak.ts';
import { freePort } from '../lab/ports.ts';
import { server } from '../lab/provided.ts';
import { createSampleRealm, type SampleClient, type SampleRealm } from '../lab/sample-realm.ts';
import { trustAtSpring } from '../lab/spring.ts';
import { type Cli, openCli } from './cli.ts';
import { openProxy, type RecordingProxy } from './recording-proxy.ts';
import { requestTokens, type Tokens, untilExpired } from './tokens.ts';

/** What the tokens of the realms name as their audience. */
const AUDIENCE = 'plain-client';

/** Seconds for which Spring takes a token that has expired. */
const SPRINGS_SKEW = 60;

const provided = inject('keycloak26');

/** A realm behind an address of its own, which is in its issuer's name. */
interface Site {
  readonly sample: SampleRealm;
  readonly proxy: RecordingProxy;
  readonly issuer: string;
}

describe.skipIf('skipped' in provided)('serve', () => {
  const keycloak = provided as KeycloakServer;
  const realms: SampleRealm[] = [];

  beforeAll(async () => {
    for (const name of ['One', 'Two', 'Untrusted']) {
      const sample = await createSampleRealm(keycloak, { realm: `Serve${name}` });
      realms.push(sample);
      await sample.admin.addAudienceMapper(sample.realm, sample.client.id, AUDIENCE);
    }
  });

  afterAll(async () => {
    for (const realm of realms) await realm.remove();
  });

  /** Each realm behind a proxy of this test. */
  async function openSites(context: TestContext): Promise<[Site, Site, Site]> {
    const sites = realms.map(async (sample) => {
      const proxy = await openProxy(context, keycloak.baseUrl);
      return { sample, proxy, issuer: `${proxy.origin}/realms/${sample.realm}` };
    });
    return (await Promise.all(sites)) as [Site, Site, Site];
  }

  const signIn = ({ issuer, sample }: Site, client?: SampleClient): Promise<Tokens> =>
    requestTokens({ ...sample, issuer }, client);

  test('takes the tokens of two realms, and refuses what Spring refuses and more', {
    timeout: 600_000,
  }, async (context) => {
    const spring = await server(context, 'spring');
    const [one, two, untrusted] = await openSites(context);
    const { admin, realm, client, plainClient } = one.sample;
    const cli = await openCli(context, one.sample);
    await trustAtSpring(spring, [one.issuer, two.issuer]);
    const base = await start(cli, '--issuer', one.issuer, '--issuer', two.issuer, '--audience', AUDIENCE);
    for (const { proxy } of [one, two, untrusted]) expect(fetches(proxy)).toEqual([]);

    const [ofOne, ofTwo, ofUntrusted] = await Promise.all([one, two, untrusted].map((site) => signIn(site)));
    if (ofOne === undefined || ofTwo === undefined || ofUntrusted === undefined) throw new Error('no tokens');
    for (const tokens of [ofOne, ofTwo, ofUntrusted])
      cli.know(...Object.values(tokens).filter((value) => /^ey/.test(String(value))));
    const good = ofOne.access_token;
    const recorder = await openProxy(context, keycloak.baseUrl);
    const forged = await forgeries(good, one, recorder.origin);
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

    const same: Record<string, [Record<string, string>, number, RegExp]> = {
      'no token': [{}, 401, /^Bearer realm="oauthctl", resource_metadata="[^"]*"$/],
      'another scheme': [{ authorization: 'Basic dXNlcjpwYXNz' }, 401, /^Bearer realm="oauthctl", resource/],
      'an untrusted issuer': [bearer(ofUntrusted.access_token), 401, /is not trusted here/],
      'an issuer that nobody knows': [bearer(forged.stranger), 401, /is not trusted here/],
      'the issuer with a slash at its end': [bearer(forged.slash), 401, /is not trusted here/],
      'no issuer': [bearer(forged.withoutIssuer), 401, /does not name its issuer/],
      'the first realm': [bearer(good), 200, /^$/],
      'the second realm': [bearer(ofTwo.access_token), 200, /^$/],
      'the scheme in lower case': [{ authorization: `bearer ${good}` }, 200, /^$/],
      'an altered signature': [bearer(forged.signature), 401, /signature: the signature is wrong/],
      'an altered payload': [bearer(forged.payload), 401, /signature: the signature is wrong/],
      'the second realm posing as the first': [
        bearer(repack(ofTwo.access_token, {}, { iss: one.issuer })),
        401,
        /no key has the kid/,
      ],
      'a kid that nobody has': [bearer(forged.kid), 401, /no key has the kid/],
      'alg none': [bearer(forged.none), 401, /alg is 'none'/],
      'alg NONE': [bearer(forged.None), 401, /alg is 'nOnE'/],
      'an HMAC by the public key': [bearer(forged.confused), 401, /requires a shared secret/],
      'a key of its own': [bearer(forged.jwk), 401, /the key in the token itself/],
      'keys at an address of its own': [bearer(forged.jku), 401, /never used|not of a key/],
      'a refresh token': [bearer(ofOne.refresh_token), 401, /HS512/],
      'no JWT': [bearer('opaque'), 401, /no signed JWT/],
      'half a JWT': [bearer(good.split('.').slice(0, 2).join('.')), 401, /no signed JWT/],
      'what no token can be': [{ authorization: 'Bearer !!' }, 401, /the Bearer token is malformed/],
      'two words': [{ authorization: `Bearer ${good} x` }, 401, /the Bearer token is malformed/],
      'no word': [{ authorization: 'Bearer' }, 401, /the Bearer token is malformed/],
    };
    for (const [what, [headers, status, challenge]] of Object.entries(same)) {
      const [ours, springs] = await Promise.all([ask(base, headers), ask(spring.baseUrl, headers)]);
      expect({ what, ours: ours.status, spring: springs.status }).toEqual({
        what,
        ours: status,
        spring: status,
      });
      expect({ what, challenge: ours.challenge }).toEqual({
        what,
        challenge: expect.stringMatching(challenge),
      });
      if (status === 401) expect(springs.challenge).toMatch(/^Bearer/);
    }

    const forNobody = (await signIn(one, plainClient)).access_token;
    const limitLifespan = (lifespan: string) =>
      admin.updateClient(realm, client.id, { attributes: { 'access.token.lifespan': lifespan } });
    context.onTestFinished(() => limitLifespan(''));
    await limitLifespan('1');
    const shortLived = (await signIn(one)).access_token;
    cli.know(forNobody, shortLived);
    await untilExpired(shortLived);
    const stricter: Record<string, [string, RegExp]> = {
      'expired within the skew of a minute': [shortLived, /exp: it expired/],
      'an ID token': [ofOne.id_token, /it is an ID token/],
      'another audience': [forNobody, /aud: it is/],
    };
    for (const [what, [token, challenge]] of Object.entries(stricter)) {
      const [ours, springs] = await Promise.all([
        ask(base, bearer(token)),
        ask(spring.baseUrl, bearer(token)),
      ]);
      expect({ what, ours: ours.status, spring: springs.status }).toEqual({ what, ours: 401, spring: 200 });
      expect(ours.challenge).toMatch(challenge);
    }
    await untilExpired(shortLived, SPRINGS_SKEW);
    const [ours, springs] = await Promise.all([
      ask(base, bearer(shortLived)),
      ask(spring.baseUrl, bearer(shortLived)),
    ]);
    expect([ours.status, springs.status]).toEqual([401, 401]);
    expect(springs.challenge).toContain('Jwt expired at');

    // The untrusted issuer, and the address that tokens pointed to, were asked for nothing by either of the two.
    expect(fetches(untrusted.proxy)).toEqual([]);
    expect(recorder.requests).toEqual([]);
    for (const { proxy } of [one, two]) expect(fetches(proxy).length).toBeGreaterThan(0);

    const loose = await start(
      cli,
      ...['--issuer', one.issuer, '--any-audience', '--allow-id-token', '--leeway', '3600'],
    );
    for (const token of [ofOne.id_token, forNobody, shortLived])
      expect((await ask(loose, bearer(token))).status).toBe(200);
  });

  test('asks an issuer once, however many first tokens come at once, and once more when its keys change', async (context) => {
    const [one, two] = await openSites(context);
    const cli = await openCli(context, one.sample);
    const base = await start(cli, '--issuer', one.issuer, '--issuer', two.issuer, '--audience', AUDIENCE);
    const { access_token } = await signIn(one);
    cli.know(access_token);
    expect(fetches(one.proxy)).toEqual([]);
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(base, access_token)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(fetches(one.proxy)).toEqual(['openid-configuration', 'certs']);
    expect(fetches(two.proxy)).toEqual([]);

    await rotateKeys(one.sample);
    const renewed = (await signIn(one)).access_token;
    cli.know(renewed);
    expect(headerOf(renewed).kid).not.toBe(headerOf(access_token).kid);
    const after = await Promise.all(Array.from({ length: 20 }, () => ask(base, renewed)));
    expect(new Set(after.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await ask(base, access_token)).status).toBe(200);
    for (let count = 0; count < 20; count += 1)
      expect((await ask(base, repack(renewed, { kid: `random-${count}` }))).status).toBe(401);
    expect(fetches(one.proxy)).toEqual(['openid-configuration', 'certs', 'certs']);
    expect(await counters(base)).toContain(
      `oauthctl_issuer_fetches_total{tenant="${one.issuer}",document="jwks",outcome="ok"} 2`,
    );
  });

  test('answers 503 for the tokens of an issuer that is down, and for no others, until it is back', async (context) => {
    const [one, two] = await openSites(context);
    const cli = await openCli(context, one.sample);
    const base = await start(cli, '--issuer', one.issuer, '--issuer', two.issuer, '--audience', AUDIENCE);
    const [ofOne, ofTwo] = [(await signIn(one)).access_token, (await signIn(two)).access_token];
    cli.know(ofOne, ofTwo);
    await two.proxy.goDown();
    for (let count = 0; count < 3; count += 1) {
      const refused = await ask(base, ofTwo);
      expect(refused.status).toBe(503);
      expect(Number(refused.retryAfter)).toBeGreaterThanOrEqual(1);
      expect((await ask(base, ofOne)).status).toBe(200);
    }
    await two.proxy.comeBack();
    await expect.poll(async () => (await ask(base, ofTwo)).status).toBe(200);
    // What is known of it lasts for a while.
    await two.proxy.goDown();
    expect((await ask(base, ofTwo)).status).toBe(200);
  });

  test('tenants come and go under load, and no request is dropped', async (context) => {
    const [one, two] = await openSites(context);
    const cli = await openCli(context, one.sample);
    const file = join(cli.home, 'tenants.json');
    const tenants = (...args: string[]) => cli.run('serve', 'tenants', ...args, '--tenants', file);
    expect((await tenants('add', one.issuer, '--audience', AUDIENCE)).exitCode).toBe(0);
    const running = await startProgram(cli, '--tenants', file);
    const { base } = running;
    const [ofOne, ofTwo] = [(await signIn(one)).access_token, (await signIn(two)).access_token];
    cli.know(ofOne, ofTwo);

    const load = underLoad(base, ofOne);
    for (let round = 0; round < 3; round += 1) {
      expect((await ask(base, ofTwo)).status).toBe(401);
      await tenants('add', two.issuer, '--audience', AUDIENCE);
      await expect.poll(async () => (await ask(base, ofTwo)).status).toBe(200);
      await tenants('remove', two.issuer);
      await expect.poll(async () => (await ask(base, ofTwo)).status).toBe(401);
    }
    await expect.poll(() => load.statuses[200]).toBeGreaterThan(100);
    const { statuses, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(Object.keys(statuses)).toEqual(['200']);

    const asked = Array.from({ length: 20 }, () => ask(base, ofOne));
    const underWay = Promise.allSettled(asked);
    await Promise.race(asked);
    running.signal('SIGINT');
    const ended = await underWay;
    expect((await running.ended).exitCode).toBe(130);
    // Each is answered as usual, or came too late for a connection.
    expect(ended.filter((one) => one.status === 'fulfilled' && one.value.status !== 200)).toEqual([]);
  });

  test('a tenant that is introspected sees a logout at once', async (context) => {
    const [one, two] = await openSites(context);
    const { plainClient, admin, realm, user } = one.sample;
    const cli = await openCli(context, one.sample, { client: plainClient });
    const file = join(cli.home, 'tenants.json');
    const add = (...args: string[]) => cli.run('serve', 'tenants', 'add', ...args, '--tenants', file);
    const introspection = [
      ...['--validation', 'introspection', '--client-id', plainClient.clientId],
      ...['--client-secret', 'env:SAMPLE_CLIENT_SECRET'],
    ];
    await add(one.issuer, '--audience', AUDIENCE, ...introspection);
    await add(two.issuer, '--audience', AUDIENCE, '--scope', 'no-such-scope');
    const base = await start(cli, '--tenants', file);
    const [ofOne, ofTwo] = [(await signIn(one)).access_token, (await signIn(two)).access_token];
    cli.know(ofOne, ofTwo);
    expect((await ask(base, ofOne)).status).toBe(200);
    expect(fetches(one.proxy)).toEqual(['openid-configuration', 'introspect']);
    const weak = await ask(base, ofTwo);
    expect(weak.status).toBe(403);
    expect(weak.challenge).toContain('error="insufficient_scope"');
    expect(weak.challenge).toContain('scope="no-such-scope"');
    await admin.logoutUser(realm, user.id);
    const refused = await ask(base, ofOne);
    expect(refused.status).toBe(401);
    expect(refused.challenge).toContain('not active');
    expect((await ask(base, 'opaque')).challenge).toContain('not active');
  });
});

async function start(cli: Cli, ...args: string[]): Promise<string> {
  return (await startProgram(cli, ...args)).base;
}

/** Starts the program, and waits until it listens. The end of the test ends it. */
async function startProgram(cli: Cli, ...args: string[]) {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const running = cli.start('serve', '--listen', `127.0.0.1:${port}`, ...args);
  await expect.poll(() => counters(base).catch(() => '')).toContain('oauthctl_tenants');
  return { ...running, base };
}

async function counters(base: string): Promise<string> {
  return (await fetch(`${base}/metrics`)).text();
}

async function ask(base: string, given: string | Record<string, string>) {
  const headers = typeof given === 'string' ? { authorization: `Bearer ${given}` } : given;
  const response = await fetch(`${base}/`, { headers });
  await response.text();
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate') ?? '',
    retryAfter: response.headers.get('retry-after'),
  };
}

/** The documents that somebody fetched, and introspections; the last part of their paths. */
function fetches({ requests }: RecordingProxy): string[] {
  return requests
    .map(({ path }) => path.split('/').at(-1) ?? '')
    .filter((name) => ['openid-configuration', 'certs', 'introspect'].includes(name));
}

/** Asks all the time, over connections that are kept; as often as a trace of all of it can be searched afterwards. */
function underLoad(base: string, token: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const statuses: Record<number, number> = {};
  const failures: string[] = [];
  let isOver = false;
  const once = () =>
    new Promise<void>((resolve) => {
      const sent = request(base, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
        const { statusCode = 0 } = response;
        statuses[statusCode] = (statuses[statusCode] ?? 0) + 1;
        response.resume().once('close', resolve);
      });
      sent.once('error', (error) => {
        failures.push(error.message);
        resolve();
      });
      sent.end();
    });
  const workers = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      await once();
      await sleep(10);
    }
  });
  return {
    statuses,
    async stop() {
      isOver = true;
      await Promise.all(workers);
      agent.destroy();
      return { statuses, failures };
    },
  };
}

/** Gives a realm a key that goes before the one it has; that one stays. */
async function rotateKeys({ admin, realm }: SampleRealm): Promise<void> {
  const { id } = (await (await admin.request('GET', `/${realm}`)).json()) as { id: string };
  await admin.request('POST', `/${realm}/components`, {
    name: 'rsa-next',
    providerId: 'rsa-generated',
    providerType: 'org.keycloak.keys.KeyProvider',
    parentId: id,
    config: {
      priority: ['200'],
      enabled: ['true'],
      active: ['true'],
      algorithm: ['RS256'],
      keySize: ['2048'],
    },
  });
}

function partsOf(token: string) {
  const [header = '', claims = '', signature = ''] = token.split('.');
  return { header, claims, signature };
}

function decode(part: string): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(base64url.decode(part)));
}

function headerOf(token: string) {
  return decode(partsOf(token).header);
}

/** The token with other members in its header and claims, and the signature that it had. */
function repack(token: string, header: object, claims: object = {}, signature?: string): string {
  const parts = partsOf(token);
  const encode = (part: string, changes: object) =>
    base64url.encode(JSON.stringify({ ...decode(part), ...changes }));
  return `${encode(parts.header, header)}.${encode(parts.claims, claims)}.${signature ?? parts.signature}`;
}

/** What an attacker makes of a good token. */
async function forgeries(good: string, { issuer }: Site, elsewhere: string) {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const { header, claims, signature } = partsOf(good);
  const certs = (await (await fetch(`${issuer}/protocol/openid-connect/certs`)).json()) as { keys: JWK[] };
  const key = certs.keys.find(({ kid }) => kid === decode(header).kid);
  const publicPem = await exportSPKI(
    (await importJWK({ ...key }, 'RS256', { extractable: true })) as CryptoKey,
  );
  const sign = (own: object, changes: object = {}) =>
    new SignJWT({ ...decode(claims), ...changes })
      .setProtectedHeader({ ...decode(header), alg: 'RS256', ...own })
      .sign(privateKey);
  return {
    signature: `${header}.${claims}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    payload: repack(good, {}, { preferred_username: 'administrator' }),
    withoutIssuer: repack(good, {}, { iss: undefined }),
    slash: repack(good, {}, { iss: `${issuer}/` }),
    kid: repack(good, { kid: '../../etc/passwd' }),
    none: repack(good, { alg: 'none' }, {}, ''),
    None: repack(good, { alg: 'nOnE' }, {}, ''),
    confused: await new SignJWT(decode(claims))
      .setProtectedHeader({ ...decode(header), alg: 'HS256' })
      .sign(new TextEncoder().encode(publicPem)),
    jwk: await sign({ jwk: await exportJWK(publicKey) }),
    jku: await sign({ jku: `${elsewhere}/jwks`, x5u: `${elsewhere}/x5u`, kid: 'elsewhere' }),
    stranger: await sign({}, { iss: `${elsewhere}/realms/stranger` }),
  };
}
