import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../../src/errors.ts';
import { createLinePrompt } from '../../src/output/line-prompt.ts';

/** A terminal that cannot move its cursor, and what was typed at it. */
function dumbTerminal(typed: string) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true }) as unknown as NodeJS.ReadStream;
  const stderr = new PassThrough();
  let written = '';
  stderr.setEncoding('utf8').on('data', (chunk) => {
    written += chunk;
  });
  const abort = new AbortController();
  const prompt = createLinePrompt(abort.signal, { env: { TERM: 'dumb' }, stdin, stderr });
  (stdin as unknown as PassThrough).write(typed);
  return { prompt, abort, written: () => written };
}

describe('a prompt on a terminal that cannot move its cursor', () => {
  it('asks for a text in a plain line', async () => {
    const { prompt, written } = dumbTerminal('cl-taro\n');
    expect(await prompt.text('User name:')).toBe('cl-taro');
    expect(written()).toBe('User name: ');
  });

  it('takes what it proposed for an empty answer', async () => {
    const { prompt, written } = dumbTerminal('\n');
    expect(await prompt.text('Realm:', { initial: 'sample' })).toBe('sample');
    expect(written()).toBe('Realm: [sample] ');
  });

  it('does not show a password, and takes back what was deleted', async () => {
    const { prompt, written } = dumbTerminal('pa55x\u007f-word\r');
    expect(await prompt.secret('Password:')).toBe('pa55-word');
    expect(written()).toBe('Password: \n');
  });

  it('offers choices by number', async () => {
    const { prompt, written } = dumbTerminal('2\n');
    const choices = [
      { value: 'approve', label: 'approve' },
      { value: 'deny', label: 'deny' },
    ] as const;
    expect(await prompt.choose('user cl-taro', choices)).toBe('deny');
    expect(written()).toBe('user cl-taro\n  1) approve\n  2) deny\nNumber: ');
  });

  it('writes no escape sequence, and ends with Ctrl-C', async () => {
    const { prompt, written } = dumbTerminal('abc\u0003');
    await expect(prompt.secret('Password:')).rejects.toBeInstanceOf(InterruptedError);
    expect(written()).not.toContain('\u001b');
  });

  it('ends when the run is interrupted', async () => {
    const { prompt, abort } = dumbTerminal('');
    const asked = prompt.text('User name:');
    abort.abort(new InterruptedError('SIGTERM'));
    await expect(asked).rejects.toMatchObject({ exitCode: 143 });
  });
});
