import { UsageError } from '../errors.ts';
import { isJson, parseJson, setMember, stringifyJson } from '../exact-json.ts';
import { isJsonObject } from '../protocol/json.ts';
import type { FormParameters } from '../protocol/oauth/form.ts';
import { isSecretReference } from '../store/secret-reference.ts';

/**
 * Splits NAME=VALUE at the first `=`.
 * @param code the error's code
 * @throws UsageError with that code if there is no `=`, or nothing before it
 */
export function parseNameValue(
  text: string,
  flag: string,
  code = 'param_invalid',
): readonly [name: string, value: string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(code, `${flag} takes NAME=VALUE; "${text}" is invalid`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Splits NAME=VALUE, or NAME alone, whose value is then undefined.
 * @throws UsageError with the given code if the name is empty
 */
export function parseNameOptionalValue(
  text: string,
  flag: string,
  code: string,
): readonly [name: string, value: string | undefined] {
  if (text === '' || text.startsWith('='))
    throw new UsageError(code, `${flag} takes NAME=VALUE or NAME; "${text}" is invalid`);
  return text.includes('=') ? parseNameValue(text, flag, code) : [text, undefined];
}

/** Reads the values of `--param`, or of another option that takes NAME=VALUE. @throws UsageError `param_invalid` */
export function parseParameters(texts: readonly string[] = [], flag = '--param'): FormParameters {
  return texts.map((text) => parseNameValue(text, flag));
}

/**
 * Sets a claim to the VALUE of an option that takes NAME=VALUE: parsed as JSON if it is JSON, so that a time is a
 * number (written unchanged); else as text.
 */
export function setClaim(claims: Record<string, unknown>, name: string, text: string): void {
  setMember(claims, name, isJson(text) ? text : JSON.stringify(text));
}

/**
 * Reads a number of seconds.
 * @param options.mayBeZero whether 0 is allowed
 * @returns undefined if there is no text
 * @throws UsageError `seconds_invalid`
 */
export function parseSeconds(text: string, flag: string, options?: { mayBeZero?: boolean }): number;
export function parseSeconds(
  text: string | undefined,
  flag: string,
  options?: { mayBeZero?: boolean },
): number | undefined;
export function parseSeconds(
  text: string | undefined,
  flag: string,
  { mayBeZero = false } = {},
): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (text.trim() !== '' && Number.isFinite(seconds) && (mayBeZero ? seconds >= 0 : seconds > 0))
    return seconds;
  const wanted = mayBeZero ? 'a number of seconds, 0 or more' : 'a positive number of seconds';
  throw new UsageError('seconds_invalid', `${flag} takes ${wanted}; "${text}" is invalid`);
}

export interface CountLimits {
  readonly min: number;
  readonly max: number;
  /** The error's code; the default is `count_invalid`. */
  readonly code?: string;
}

/**
 * Reads a whole number.
 * @returns undefined if there is no text
 * @throws UsageError `count_invalid` or another code
 */
export function parseCount(text: string, flag: string, limits: CountLimits): number;
export function parseCount(text: string | undefined, flag: string, limits: CountLimits): number | undefined;
export function parseCount(
  text: string | undefined,
  flag: string,
  { min, max, code = 'count_invalid' }: CountLimits,
): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (/^\d{1,15}$/.test(text) && count >= min && count <= max) return count;
  throw new UsageError(code, `${flag} takes a whole number from ${min} to ${max}; "${text}" is invalid`);
}

const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, 1: true, false: false, 0: false };

/** Reads `true`, `false`, `1` or `0`. @throws UsageError with the given code */
export function parseBoolean(text: string, name: string, code: string): boolean {
  const value = BOOLEANS[text.toLowerCase()];
  if (value === undefined) throw new UsageError(code, `${name} takes true or false; "${text}" is invalid`);
  return value;
}

/**
 * Reads JSON, or the JSON file that `@FILE` names.
 * @param readFile reads the file
 * @returns the value, serialized without white space
 * @throws UsageError `json_invalid`; as readFile
 */
export async function readJson(
  text: string,
  flag: string,
  kind: 'object' | 'array',
  readFile: (path: string) => Promise<string>,
): Promise<string> {
  const json = text.startsWith('@') ? await readFile(text.slice(1)) : text;
  let value: unknown;
  try {
    value = parseJson(json);
  } catch {
    // What is not JSON is refused below.
  }
  if (!(kind === 'array' ? Array.isArray(value) : isJsonObject(value))) {
    throw new UsageError('json_invalid', `${flag} takes a JSON ${kind}, or @FILE with one`, {
      hint: 'Put it between single quotes, so that the shell does not change it.',
    });
  }
  return stringifyJson(value);
}

/** The parts of a session that reading a reference needs. */
export interface ReferenceReader {
  readonly ctx: { secret(reference: string): Promise<string> };
  readonly reporter: { warning(text: string): void };
}

/**
 * Reads a secret by reference: `env:NAME`, `file:PATH`, `cmd:COMMAND` or `-`. The secret itself is accepted with a
 * warning.
 * @returns undefined if there is no reference
 * @throws UsageError `secret_unavailable`
 */
export function readSecret(session: ReferenceReader, reference: string): Promise<string>;
export function readSecret(
  session: ReferenceReader,
  reference: string | undefined,
): Promise<string | undefined>;
export async function readSecret(
  session: ReferenceReader,
  reference: string | undefined,
): Promise<string | undefined> {
  if (reference === undefined) return undefined;
  warnAboutLiteral(session, reference);
  return session.ctx.secret(reference);
}

/** Warns when the value of an option is the secret itself. */
export function warnAboutLiteral({ reporter }: Pick<ReferenceReader, 'reporter'>, reference: string): void {
  if (reference === '-' || isSecretReference(reference)) return;
  reporter.warning(
    'a secret in the arguments can be read by other users of this machine; use env:NAME, file:PATH, cmd:COMMAND or -',
  );
}
