import { describe, expect, it } from 'vitest';
import { machine, readFailure, run } from '../../helpers/run.ts';
import { API, answers, broker, SPOKEN } from '../../kafka/broker.ts';

const TOKEN = 'an-opaque-token-that-nobody-may-read';

const connect = (...args: string[]) => run('kafka', 'connect', ...args);

describe('kafka connect', () => {
  it.each([
    [['--bootstrap', 'nowhere', '--token', TOKEN], 'bootstrap_invalid'],
    [['--token', TOKEN], 'usage'],
    [['--bootstrap', 'one:1', '--token', TOKEN, '--refresh'], 'usage'],
    [['--bootstrap', 'one:1', '--token', TOKEN, '--produce', 'x'], 'topic_missing'],
    [['--bootstrap', 'one:1', '--token', TOKEN, '--topic', 't', '--consume', '0'], 'count_invalid'],
    [['--bootstrap', 'one:1', '--token', TOKEN, '--topic', 't', '--consume', '1.5'], 'count_invalid'],
    [['--bootstrap', 'one:1', '--token', TOKEN, '--hold', 'long'], 'seconds_invalid'],
    [['--bootstrap', 'one:1', '--token', TOKEN, '--sasl-extension', 'name'], 'param_invalid'],
    [['--bootstrap', 'one:1', '--token', TOKEN, '--sasl-extension', 'auth=x'], 'sasl_extension_invalid'],
    [['--bootstrap', 'one:1', '--token', TOKEN, '--curl'], 'curl_unfit'],
  ])('%j is %s, and nothing is connected to', async (args, code) => {
    const ended = await connect(...args, '--json');
    expect(ended.code).toBe(2);
    expect(readFailure(ended)).toMatchObject({ code, exit_code: 2 });
  });

  it('prints the verdict where the broker refused, with the exit code of a token that is no good', async () => {
    const { host, port } = await broker(({ api }) =>
      api === API.apiVersions
        ? SPOKEN
        : api === API.saslHandshake
          ? answers.saslHandshake(['OAUTHBEARER'])
          : answers.saslAuthenticate({
              errorCode: 58,
              errorMessage: `Failed to parse JWT. ${TOKEN}\x1b[2J (ErrId: 1)`,
            }),
    );
    const args = ['--bootstrap', `${host}:${port}`, '--token', TOKEN, '--sasl-extension', 'traceId=1'];
    const { code, stdout, stderr } = await connect(...args, '--json', '-v');
    expect(code).toBe(4);
    expect(stdout).toBe('');
    expect(JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '').error.kafka).toMatchObject({
      verdict: 'refused',
      claims: null,
      refusal: {
        error_code: 58,
        error_name: 'SASL_AUTHENTICATION_FAILED',
        reason: 'not_a_jwt',
        challenge: null,
      },
    });
    // Neither in the words of the broker, nor in steps, nor in what -v shows.
    expect(stderr).toContain('> SaslAuthenticate v1 kafka://');
    expect(stderr).not.toContain(TOKEN);
    expect(stderr).not.toContain('\x1b');
    const human = await connect(...args);
    expect(human.stdout).toMatch(/ · SASL_PLAINTEXT · refused · Failed to parse JWT\. /);
    expect(human.stdout + human.stderr).not.toContain('\x1b');
    expect(human.stdout + human.stderr).not.toContain(TOKEN);
  });

  it('prints the session where the broker accepted', async () => {
    const { host, port, requests } = await broker(({ api }, own) => {
      switch (api) {
        case API.apiVersions:
          return SPOKEN;
        case API.saslHandshake:
          return answers.saslHandshake(['OAUTHBEARER']);
        case API.saslAuthenticate:
          return answers.saslAuthenticate({ lifetimeMs: 90_000 });
        default:
          return answers.metadata(own);
      }
    });
    const { runWith } = await machine();
    const ended = await runWith(
      { stdin: `${TOKEN}\n` },
      ...['kafka', 'connect', '--bootstrap', `${host}:${port}`, '--token', '-'],
    );
    expect(ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('accepted · session of 1 min 30 s'),
    });
    expect(requests.map(({ api }) => api)).toEqual([18, 17, 36, 3]);
    expect(requests[2]?.body.toString()).toContain(`auth=Bearer ${TOKEN}\x01`);
  });
});
