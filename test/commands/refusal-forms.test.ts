import { describe, expect, it } from 'vitest';
import { ACKNOWLEDGEMENT, type ScriptedAnswer, type ScriptedStep } from '../helpers/misbehaving-server.ts';
import { readFailure } from '../helpers/run.ts';
import { type Script, startWorkplace, type Workplace } from '../helpers/workplace.ts';

type Answered = (answer: ScriptedStep) => Script;

/** Every command that reads an answer of the server, by the endpoint that gives it. */
const COMMANDS: readonly [name: string, argv: (place: Workplace) => readonly string[], script: Answered][] = [
  ['discover', ({ server }) => ['discover', server.issuer], (one) => ({ metadataAnswer: one })],
  [
    'discover acct: (WebFinger)',
    ({ server }) => ['discover', `acct:me@${new URL(server.issuer).host}`],
    (one) => ({ webfinger: [one] }),
  ],
  ['token client-credentials', () => ['token', 'client-credentials'], (one) => ({ token: [one] })],
  ['token refresh', () => ['token', 'refresh'], (one) => ({ token: [one] })],
  [
    'token device (device authorization)',
    () => ['token', 'device'],
    (one) => ({ device_authorization: [one] }),
  ],
  [
    'token code --par (pushed authorization request)',
    () => ['token', 'code', '--par', '--no-browser', '--listen', '127.0.0.1:0'],
    (one) => ({ pushed_authorization: [one] }),
  ],
  [
    'ciba request (authentication request)',
    () => ['ciba', 'request', '--login-hint', 'a'],
    (one) => ({ backchannel: [one] }),
  ],
  [
    'ciba start (poll)',
    () => ['ciba', 'start', '--login-hint', 'a'],
    (one) => ({ backchannel: [ACKNOWLEDGEMENT], token: [one] }),
  ],
  [
    'ciba callback',
    () => ['ciba', 'callback', 'succeed', '--bearer', 'env:BEARER'],
    (one) => ({ callback: [one] }),
  ],
  ['introspect', () => ['introspect'], (one) => ({ introspection: [one] })],
  ['revoke', () => ['revoke'], (one) => ({ revocation: [one] })],
  ['userinfo', () => ['userinfo'], (one) => ({ userinfo: [one] })],
  ['logout', () => ['logout'], (one) => ({ end_session: [one] })],
  [
    'kafka connect (token request)',
    () => ['kafka', 'connect', '--bootstrap', '127.0.0.1:1'],
    (one) => ({ token: [one] }),
  ],
  ['jwt verify (JWKS)', () => ['jwt', 'verify', 'env:JWT'], (one) => ({ jwks: one })],
  ['call', ({ server }) => ['call', `${server.issuer}/resource`], (one) => ({ resource: [one] })],
];

const text = (status: number, body: string, headers: Readonly<Record<string, string>>): ScriptedAnswer => ({
  status,
  text: body,
  headers,
});

const REFUSALS: readonly [form: string, answer: ScriptedAnswer, words: readonly string[]][] = [
  [
    'an error object',
    { status: 403, json: { error: { code: 'Authorization_Denied', message: 'No privileges.' } } },
    ['403', 'Authorization_Denied', 'No privileges.'],
  ],
  [
    'errorCode and errorSummary',
    { status: 400, json: { errorCode: 'E0000021', errorSummary: 'Bad media type' } },
    ['400', 'E0000021', 'Bad media type'],
  ],
  [
    'problem details',
    {
      status: 403,
      headers: { 'content-type': 'application/problem+json' },
      json: { type: 'https://example.com/out-of-credit', title: 'No credit', detail: 'The balance is 30.' },
    },
    ['403', 'out-of-credit', 'The balance is 30.'],
  ],
  [
    'a form',
    text(400, 'error=bad_code&error_description=The+code+is+wrong.', {
      'content-type': 'application/x-www-form-urlencoded',
    }),
    ['400', 'bad_code', 'The code is wrong.'],
  ],
  [
    'a bare challenge',
    text(401, '', { 'www-authenticate': 'Basic realm="the-api"' }),
    ['401', 'WWW-Authenticate: Basic realm="the-api"'],
  ],
  [
    '429 with Retry-After',
    text(429, '<html><title>Slow down</title>', { 'retry-after': '30' }),
    ['429', 'Retry-After: 30'],
  ],
  [
    'the JSON of a framework',
    { status: 400, json: { statusCode: 400, error: 'Bad Request', message: 'The client is not known' } },
    ['400', 'The client is not known'],
  ],
  [
    'plain text',
    text(400, 'client_id is unknown\n', { 'content-type': 'text/plain' }),
    ['400', 'client_id is unknown'],
  ],
];

const HINT = /Another program, a proxy or a login page/;

/** Runs a command whose request gets an answer. */
async function runCommand(argv: (place: Workplace) => readonly string[], script: Script) {
  const place = await startWorkplace(script, { profile: ['--client-secret', 'env:CLIENT_SECRET'] });
  await place.keep({ access_token: 'the-access-token', refresh_token: 'the-refresh-token' });
  const env = { BEARER: await place.server.bearer(), JWT: await place.server.idToken() };
  const run = await place.runWith({ env }, ...argv(place), '--json');
  return readFailure(run) as { message: string; hint?: string };
}

describe.each(COMMANDS)('%s', (name, argv, script) => {
  // A poll that gets 429 is sent again later.
  const refusals = name.includes('poll') ? REFUSALS.filter(([form]) => !form.startsWith('429')) : REFUSALS;

  it.each(refusals)('shows the words of %s, and ends with 3', async (_form, answer, words) => {
    const failure = await runCommand(argv, script(answer));
    expect(failure).toMatchObject({ exit_code: 3 });
    for (const word of words) expect(failure.message).toContain(word);
    expect(failure.hint ?? '').not.toMatch(HINT);
  });
});

/** A resource answers in any form, so that there is no wrong one. */
const PROTOCOL_COMMANDS = COMMANDS.filter(([name]) => name !== 'call');

describe.each(PROTOCOL_COMMANDS)('%s', (_name, argv, script) => {
  it('ends with 5 and the hint where an HTML page is the answer', async () => {
    const page = text(403, '<!doctype html><title>Log in</title>', {});
    const failure = await runCommand(argv, script(page));
    expect(failure).toMatchObject({
      code: 'not_the_protocol',
      exit_code: 5,
      message: expect.stringContaining('"Log in"'),
      hint: expect.stringMatching(HINT),
    });
  });
});

/** `call` follows redirects on demand, and a redirect of `logout` is that of a browser. */
const WITHOUT_REDIRECT = ['call', 'logout'];

describe.each(COMMANDS.filter(([name]) => !WITHOUT_REDIRECT.includes(name)))('%s', (_name, argv, script) => {
  it('says where a redirect leads, and not that another program answers', async () => {
    const redirect = text(302, '', { location: 'https://elsewhere.example/x' });
    const failure = await runCommand(argv, script(redirect));
    expect(failure).toMatchObject({
      code: 'not_the_protocol',
      exit_code: 5,
      message: expect.stringContaining('(302) to https://elsewhere.example/x'),
      hint: expect.not.stringMatching(HINT),
    });
  });
});
