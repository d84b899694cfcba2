import type { ExecException } from 'node:child_process';
import { UsageError } from '../errors.ts';
import { trimTrailing } from '../trim-trailing.ts';
import { decodeText, type OnRepair, withoutByteOrderMark } from './text-file.ts';

/** A secret, or a reference to it. */
export type SecretReference =
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'cmd'; readonly command: string }
  | { readonly kind: 'stdin' }
  | { readonly kind: 'literal'; readonly value: string };

/** The timeout of a command that prints a secret, in milliseconds. */
const COMMAND_TIMEOUT = 30_000;
const LONGEST_SECRET = 64 * 1024;

/** Reads `env:NAME`, `file:PATH`, `cmd:COMMAND`, `-`; anything else is the secret itself. */
export function parseSecretReference(text: string): SecretReference {
  if (text === '-') return { kind: 'stdin' };
  const match = /^(env|file|cmd):(.+)$/s.exec(text);
  const rest = match?.[2] ?? '';
  switch (match?.[1]) {
    case 'env':
      return { kind: 'env', name: rest };
    case 'file':
      return { kind: 'file', path: rest };
    case 'cmd':
      return { kind: 'cmd', command: rest };
    default:
      return { kind: 'literal', value: text };
  }
}

/** Whether a text is a reference to a secret, and not the secret itself. */
export function isSecretReference(text: string): boolean {
  return /^(env|file|cmd):/.test(text);
}

export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readStdin: () => Promise<string>;
  /** Called with what was repaired, without the secret. */
  readonly onRepair?: OnRepair;
}

/**
 * Reads the secret of a reference, without a byte order mark before it and line breaks after it.
 * @throws UsageError `secret_unavailable`, which names the reference, not the secret
 */
export async function resolveSecretReference(
  reference: SecretReference,
  sources: SecretSources,
): Promise<string> {
  const { onRepair = () => {} } = sources;
  switch (reference.kind) {
    case 'literal':
      return withoutLineBreaks(reference.value, 'the secret', onRepair, 0);
    case 'env': {
      const value = sources.env[reference.name];
      if (!value) throw unavailable(`the environment variable ${reference.name} is not set`);
      return clean(value, `the environment variable ${reference.name}`, onRepair, 0);
    }
    case 'file': {
      const { readFile } = await import('node:fs/promises');
      const bytes = await readFile(reference.path).catch((error: NodeJS.ErrnoException) => {
        throw unavailable(`the file ${reference.path} cannot be read (${error.code ?? error.message})`);
      });
      return clean(decodeText(bytes), `the file ${reference.path}`, onRepair);
    }
    case 'stdin':
      return clean(await sources.readStdin(), 'standard input', onRepair);
    case 'cmd':
      return clean(
        await runCommand(reference.command),
        `what the command "${reference.command}" printed`,
        onRepair,
      );
  }
}

async function runCommand(command: string): Promise<string> {
  const { exec } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    exec(
      command,
      { timeout: COMMAND_TIMEOUT, maxBuffer: LONGEST_SECRET, encoding: 'utf8' },
      (error, stdout) => {
        if (error === null) return resolve(stdout);
        // The output is not shown: it may contain part of a secret.
        reject(unavailable(`the command "${command}" ${describeEnd(error)}`));
      },
    );
  });
}

function describeEnd(error: ExecException): string {
  if (error.killed) return `took longer than ${COMMAND_TIMEOUT / 1000} s`;
  if (typeof error.code !== 'number' && error.signal == null) {
    return `printed more than ${LONGEST_SECRET / 1024} KiB, too much for a secret`;
  }
  return error.signal == null ? `ended with code ${error.code}` : `was ended by ${error.signal}`;
}

/**
 * Removes characters that are not part of the secret.
 * @param usual how many line breaks at the end are usual, and need no warning
 */
function clean(text: string, what: string, onRepair: OnRepair, usual = 1): string {
  const value = withoutLineBreaks(withoutByteOrderMark(text, what, onRepair), what, onRepair, usual);
  if (value === '') throw unavailable(`${what} is empty`);
  return value;
}

function withoutLineBreaks(text: string, what: string, onRepair: OnRepair, usual: number): string {
  const value = trimTrailing(text, '\r\n');
  const breaks = text.slice(value.length).match(/\r\n|\r|\n/g)?.length ?? 0;
  if (breaks > usual && value !== '') onRepair(`line breaks at the end of ${what} were removed`);
  return value;
}

function unavailable(why: string): UsageError {
  return new UsageError('secret_unavailable', `a secret could not be read: ${why}`, {
    hint: 'Give a secret as env:NAME, file:PATH, cmd:COMMAND or - (standard input).',
  });
}
