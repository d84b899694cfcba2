import { InterruptedError } from '../errors.ts';
import type { Prompt, PromptTerminal } from './prompt.ts';
import { wantsColour } from './style.ts';

interface Question {
  type: 'input' | 'password' | 'select';
  name: 'answer';
  message: string;
  initial?: string;
  choices?: { name: string; message: string }[];
  validate?: (value: string) => true | string;
  stdout: NodeJS.WritableStream;
}

/** The part of enquirer's prompt that is used besides its promise. */
interface RunningPrompt {
  cancel(): Promise<void>;
}

/**
 * Creates a prompt with enquirer, which moves the cursor.
 * @param signal ends an open question
 */
export async function createEnquirerPrompt(signal: AbortSignal, terminal: PromptTerminal): Promise<Prompt> {
  const [{ default: Enquirer }, { default: colors }] = await Promise.all([
    import('enquirer'),
    import('ansi-colors'),
  ]);
  // The colours that enquirer uses.
  colors.enabled = wantsColour(terminal.env, true);
  const { stderr } = terminal;

  const ask = async (question: Omit<Question, 'name' | 'stdout'>, until: AbortSignal): Promise<string> => {
    until.throwIfAborted();
    const enquirer = new Enquirer<{ answer: string }>();
    let running: RunningPrompt | undefined;
    enquirer.on('prompt', (prompt: RunningPrompt) => {
      running = prompt;
    });
    const onAbort = () => void running?.cancel();
    until.addEventListener('abort', onAbort, { once: true });
    try {
      const { answer } = await enquirer.prompt({ ...question, name: 'answer', stdout: stderr } as never);
      return answer;
    } catch (error) {
      until.throwIfAborted();
      // In raw mode Ctrl-C is a key, not a signal; enquirer rejects with undefined.
      if (!(error instanceof Error)) throw new InterruptedError('SIGINT');
      throw error;
    } finally {
      until.removeEventListener('abort', onAbort);
    }
  };

  const required = (value: string) => (value.trim() === '' ? 'a value is required' : true);
  return {
    text: (message, { initial, optional, signal: until } = {}) =>
      ask(
        {
          type: 'input',
          message,
          ...(initial !== undefined && { initial }),
          ...(!optional && { validate: required }),
        },
        until ? AbortSignal.any([signal, until]) : signal,
      ),
    secret: (message) => ask({ type: 'password', message }, signal),
    choose: async (message, choices, until) =>
      (await ask(
        {
          type: 'select',
          message,
          choices: choices.map(({ value, label }) => ({ name: value, message: label })),
        },
        until ? AbortSignal.any([signal, until]) : signal,
      )) as (typeof choices)[number]['value'],
  };
}
