import { describe, expect, it } from 'vitest';
import { machine } from '../helpers/run.ts';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** DEL, CSI of C1, a mark that turns the direction of text, and a line separator. */
const SIGNS = '\u007f\u009b\u202e\u2066\u200f\u2028';
const TOKEN = `${encode({ alg: 'none' })}.${encode({ sub: `a${SIGNS}b` })}.`;

describe('characters that could change the screen', () => {
  it('are escaped in --json on a terminal, which is the same JSON', async () => {
    const place = await machine();
    const shown = await place.runWith({ stdoutColumns: 80 }, 'jwt', 'decode', TOKEN, '--json');
    for (const sign of SIGNS) expect(shown.stdout).not.toContain(sign);
    expect(JSON.parse(shown.stdout).claims.sub).toBe(`a${SIGNS}b`);
  });

  it('stay as they came in a pipe', async () => {
    const piped = await (await machine()).run('jwt', 'decode', TOKEN, '--json');
    expect(piped.stdout).toContain(`a${SIGNS}b`);
    const field = await (await machine()).run('jwt', 'decode', TOKEN, '--field', 'claims.sub');
    expect(field.stdout).toBe(`a${SIGNS}b\n`);
  });

  it('are escaped in one value on a terminal', async () => {
    const shown = await (await machine()).runWith(
      { stdoutColumns: 80 },
      'jwt',
      'decode',
      TOKEN,
      '--field',
      'claims.sub',
    );
    expect(shown.stdout).toBe('a\\x7f\\x9b\\x202e\\x2066\\x200f\\x2028b\n');
  });

  it('are escaped in an error of --json on a terminal', async () => {
    const shown = await (await machine()).runWith(
      { terminal: true },
      'jwt',
      'verify',
      TOKEN,
      '--json',
      '--key',
      `no\u009b\u202e`,
    );
    expect(shown.stderr).not.toMatch(/[\u009b\u202e]/);
    expect(shown.code).toBe(2);
  });
});
