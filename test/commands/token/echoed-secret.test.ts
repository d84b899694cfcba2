import { describe, expect, it } from 'vitest';
import { CLIENT_ID } from '../../helpers/misbehaving-server.ts';
import { CLIENT_SECRET, startWorkplace } from '../../helpers/workplace.ts';

const PASSWORD = 'pass&word"of/taro+ü';
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** What a server may send back of what it was sent. */
const ECHOES: readonly (readonly [string, string])[] = [
  ['the client secret', CLIENT_SECRET],
  ['the client secret in base64', base64(CLIENT_SECRET)],
  ['id and client secret in base64', base64(`${CLIENT_ID}:${CLIENT_SECRET}`)],
  ['id and client secret with the scheme', `Basic ${base64(`${CLIENT_ID}:${CLIENT_SECRET}`)}`],
  ['the beginning of the client secret', CLIENT_SECRET.slice(0, 13)],
  ['the client secret in hex', Buffer.from(CLIENT_SECRET).toString('hex')],
  ['the password', PASSWORD],
  ['the password in base64', base64(PASSWORD)],
  ['the password percent-encoded twice', encodeURIComponent(encodeURIComponent(PASSWORD))],
  ['the password in HTML', PASSWORD.replaceAll('&', '&amp;').replaceAll('"', '&#34;')],
  ['the password in JSON', JSON.stringify(JSON.stringify(PASSWORD))],
  ['the password as a form', new URLSearchParams({ PASSWORD }).toString().slice('PASSWORD='.length)],
];

describe('a secret in a refusal', () => {
  it.each(ECHOES)('is masked in messages, -v and the trace: %s', async (_what, echo) => {
    for (const json of [
      { error: 'invalid_grant', error_description: `you sent ${echo} to us` },
      { error: echo },
      { error: 'invalid_grant', error_uri: `https://as.example/?sent=${encodeURIComponent(echo)}` },
    ]) {
      for (const format of [[], ['--json']]) {
        const place = await startWorkplace({
          token: [{ status: 400, json, headers: { 'x-debug': encodeURI(echo) } }],
        });
        const { trace } = place;
        const { code, stdout, stderr } = await place.runWith(
          { env: { PASSWORD } },
          ...['token', 'password', '--username', 'cl-taro', '--password', 'env:PASSWORD'],
          ...[...place.target, '--client-secret', 'env:CLIENT_SECRET', '-v', '--trace', trace, ...format],
        );
        expect(code).toBe(3);
        expect(stdout).toBe('');
        const all = `${stderr}\n${await place.traced()}`;
        expect(all).toContain('(masked)');
        for (const form of [
          echo,
          encodeURI(echo),
          encodeURIComponent(echo),
          JSON.stringify(echo).slice(1, -1),
        ])
          expect(all).not.toContain(form);
        expect(all).not.toContain(CLIENT_SECRET.slice(0, 12));
        expect(all).not.toContain(PASSWORD.slice(0, 12));
      }
    }
  });
});
