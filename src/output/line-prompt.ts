import { createInterface } from 'node:readline';
import { InterruptedError } from '../errors.ts';
import type { Choice, Prompt, PromptTerminal } from './prompt.ts';

interface Answerable {
  /** Returns why an answer is invalid; undefined if it is valid. */
  readonly check: (answer: string) => string | undefined;
  readonly isSecret?: boolean;
}

/**
 * Creates a prompt of plain lines, without escape sequences, for terminals that cannot move the cursor.
 * @param signal ends an open question
 */
export function createLinePrompt(signal: AbortSignal, { stdin, stderr }: PromptTerminal): Prompt {
  const ask = async (question: string, { check, isSecret = false }: Answerable, until: AbortSignal) => {
    for (;;) {
      until.throwIfAborted();
      stderr.write(`${question} `);
      const answer = isSecret ? await readHidden(stdin, stderr, until) : await readLine(stdin, until);
      const wrong = check(answer);
      if (wrong === undefined) return answer;
      stderr.write(`${wrong}\n`);
    }
  };
  return {
    async text(question, { initial, optional, signal: until } = {}) {
      const shown = initial === undefined ? question : `${question} [${initial}]`;
      const isEnough = optional === true || initial !== undefined;
      const check = (answer: string) =>
        answer.trim() === '' && !isEnough ? 'a value is required' : undefined;
      const answer = await ask(shown, { check }, until ? AbortSignal.any([signal, until]) : signal);
      return answer === '' && initial !== undefined ? initial : answer;
    },
    secret: (question) => ask(question, { check: () => undefined, isSecret: true }, signal),
    async choose<Value extends string>(
      question: string,
      choices: readonly Choice<Value>[],
      until: AbortSignal = signal,
    ) {
      const list = choices.map(({ label }, index) => `  ${index + 1}) ${label}\n`).join('');
      stderr.write(`${question}\n${list}`);
      const find = (answer: string) =>
        choices.find(({ label }, index) => answer.trim() === label || answer.trim() === String(index + 1));
      const check = (answer: string) =>
        find(answer) === undefined ? `a number from 1 to ${choices.length} is required` : undefined;
      const answer = await ask('Number:', { check }, AbortSignal.any([signal, until]));
      return (find(answer) as Choice<Value>).value;
    },
  };
}

/** @throws the reason of the signal; InterruptedError at the end of the input */
function readLine(stdin: NodeJS.ReadStream, until: AbortSignal): Promise<string> {
  const lines = createInterface({ input: stdin, terminal: false });
  return new Promise<string>((resolve, reject) => {
    const onAbort = () => reject(until.reason);
    until.addEventListener('abort', onAbort, { once: true });
    lines.once('line', resolve);
    lines.once('close', () => reject(new InterruptedError('SIGINT')));
  }).finally(() => {
    lines.close();
    stdin.pause();
  });
}

/** Reads a line without showing it. */
async function readHidden(
  stdin: NodeJS.ReadStream,
  stderr: NodeJS.WritableStream,
  until: AbortSignal,
): Promise<string> {
  stdin.setRawMode?.(true);
  let onData: ((chunk: Buffer) => void) | undefined;
  try {
    return await new Promise<string>((resolve, reject) => {
      let typed = '';
      until.addEventListener('abort', () => reject(until.reason), { once: true });
      onData = (chunk) => {
        for (const key of chunk.toString('utf8')) {
          if (key === '\r' || key === '\n') return resolve(typed);
          if (key === '\u0003' || key === '\u0004') return reject(new InterruptedError('SIGINT'));
          typed = key === '\u007f' || key === '\b' ? typed.slice(0, -1) : typed + key;
        }
      };
      stdin.on('data', onData);
      stdin.resume();
    });
  } finally {
    if (onData) stdin.off('data', onData);
    stdin.setRawMode?.(false);
    stdin.pause();
    stderr.write('\n');
  }
}
