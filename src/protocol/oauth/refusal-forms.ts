// Refusals that do not have the form of RFC 6749: other JSON, forms, challenges, plain text, or a status alone.
import { STATUS_ERRORS } from '../../refusal-codes.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { parseChallenges } from './challenge.ts';

/** The parts of an HTTP answer that `protocol` uses. */
export interface RawAnswer {
  /** The address that answered. */
  readonly url?: string | undefined;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A refusal, in the terms of RFC 6749. */
export interface StatedRefusal {
  /** The error code of the server, else the reason phrase of the status in snake_case. */
  readonly error: string;
  readonly error_description?: string | undefined;
  readonly error_uri?: string | undefined;
}

/** Names of members that hold the description of a refusal, the more specific first. */
const DESCRIPTIONS = [
  'error_description',
  'errorDescription',
  'errorSummary',
  'error_summary',
  'detail',
  'message',
  'error_message',
  'errorMessage',
  'Message',
  'description',
  'msg',
  'faultstring',
  'reason',
] as const;

/** Names of members that hold the error code of a refusal. */
const CODES = ['errorCode', 'error_code', 'code', 'type', 'status', 'reason', 'name', 'faultcode'] as const;

/** Members that hold the refusal as an object, or as a list of such objects. */
const WRAPPERS = ['error', 'errors', 'fault', 'Error'] as const;

/**
 * Reads a refusal from a JSON object.
 * @param json the body
 * @param status of the answer; below 400 only an `error` member makes it a refusal
 * @returns undefined if the object is not a refusal
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5.2
 * @see https://www.rfc-editor.org/rfc/rfc9457 problem details
 */
export function readJsonRefusal(json: JsonObject, status: number): StatedRefusal | undefined {
  if (typeof json.error === 'string' && json.error !== '') {
    return {
      error: json.error,
      error_description: typeof json.error_description === 'string' ? json.error_description : readText(json),
      error_uri: typeof json.error_uri === 'string' ? json.error_uri : undefined,
    };
  }
  const isFailure = status >= 400;
  for (const name of WRAPPERS) {
    const inner = takeFirst(json[name]);
    if (typeof inner === 'string' && inner !== '' && isFailure) {
      return { error: readCode(json) ?? findStatusWord(status), error_description: inner };
    }
    if (isJsonObject(inner) && (isFailure || name === 'error')) {
      return {
        error: readCode(inner) ?? readCode(json) ?? findStatusWord(status),
        error_description: readText(inner) ?? readText(json),
      };
    }
  }
  if (!isFailure) return undefined;
  const code = readProblemType(json) ?? readCode(json);
  const text = readText(json) ?? readTitle(json);
  return { error: code ?? findStatusWord(status), error_description: text };
}

/**
 * Reads a refusal from an answer whose body is no JSON object: a form, a challenge, a short text, or the status alone.
 * @returns undefined for a success, an HTML page, and the answer of a gateway that cannot reach the server
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1 challenges
 * @see https://www.rfc-editor.org/rfc/rfc6585#section-4 status 429
 */
export function readOtherRefusal(answer: RawAnswer): StatedRefusal | undefined {
  const { status, headers, body } = answer;
  const form = readForm(answer);
  if (form !== undefined) return form;
  if (status < 400) return undefined;
  const challenges = parseChallenges(headers['www-authenticate']);
  const parameters = challenges.find((one) => one.parameters.error)?.parameters;
  if (parameters?.error !== undefined) {
    const { error, error_description, error_uri } = parameters;
    return { error, error_description, error_uri };
  }
  const isPage = isHtml(answer);
  const text = isPage ? undefined : readPlainText(body);
  const challenge = headers['www-authenticate'];
  if (status === 429) return { error: findStatusWord(status), error_description: text };
  if (isPage || UNREACHABLE.has(status)) return undefined;
  // For a wrong address, any program may have answered.
  if (status === 404 || status === 405) return undefined;
  if (text !== undefined) return { error: findStatusWord(status), error_description: text };
  if (body.trim() !== '' || status >= 500) return undefined;
  return {
    error: findStatusWord(status),
    error_description: challenge === undefined ? undefined : `WWW-Authenticate: ${challenge}`,
  };
}

/** Says whether the body is an HTML page; an empty body is not, whatever its type. */
export function isHtml({ headers, body }: RawAnswer): boolean {
  if (body.trim() === '') return false;
  return /^text\/html\b/i.test(headers['content-type'] ?? '') || /^\s*<(!doctype|html)\b/i.test(body);
}

/** Statuses of a gateway that gets no answer from the server. */
const UNREACHABLE: ReadonlySet<number> = new Set([502, 503, 504]);

/** Characters; a longer text is not a message. */
const LONGEST_TEXT = 500;

/** Reads a body that is a short text; undefined for markup, data and long texts. */
export function readPlainText(body: string): string | undefined {
  const text = body.trim();
  if (
    text === '' ||
    text.length > LONGEST_TEXT ||
    /^[{[<]/.test(text) ||
    /[\p{Cc}\p{Co}\uFFFD]/u.test(text.replace(/\s/g, ' '))
  )
    return undefined;
  return text;
}

function readForm({ status, headers, body }: RawAnswer): StatedRefusal | undefined {
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '');
  if (!isForm && !looksLikeForm(body)) return undefined;
  const parameters = new URLSearchParams(body.trim());
  const error = parameters.get('error');
  if (!error) return undefined;
  // As in JSON, an answer with `error` is a refusal also if the status is one of success.
  return {
    error,
    error_description:
      parameters.get('error_description') ??
      (status >= 400 ? (parameters.get('message') ?? undefined) : undefined),
    error_uri: parameters.get('error_uri') ?? undefined,
  };
}

/** Says whether a body of another type is a short form with an `error`. */
function looksLikeForm(body: string): boolean {
  const text = body.trimEnd();
  if (text.length > LONGEST_FORM) return false;
  const pairs = text.split('&');
  return pairs.every((pair) => /^[\w.-]+=\S*$/.test(pair)) && pairs.some((pair) => /^error=./.test(pair));
}

/** Characters. */
const LONGEST_FORM = 4096;

/** Reads the type of problem details: the last segment of its URI; `about:blank` is no type. */
function readProblemType({ type, title }: JsonObject): string | undefined {
  if (typeof title !== 'string' || typeof type !== 'string') return undefined;
  if (type === 'about:blank') return undefined;
  return (
    type
      .replace(/\/$/, '')
      .split(/[^\w.-]/)
      .at(-1) || undefined
  );
}

function readTitle({ title }: JsonObject): string | undefined {
  return typeof title === 'string' && title !== '' ? title : undefined;
}

function readText(json: JsonObject): string | undefined {
  for (const name of DESCRIPTIONS) {
    const value = json[name];
    if (typeof value === 'string' && value.trim() !== '') return value;
  }
  return undefined;
}

function readCode(json: JsonObject): string | undefined {
  for (const name of CODES) {
    const value = json[name];
    if (typeof value === 'string' && value !== 'about:blank' && /^[\w.:/-]{1,100}$/.test(value)) return value;
  }
  return undefined;
}

function takeFirst(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : value;
}

/** Returns the reason phrase of a status in snake_case. */
export function findStatusWord(status: number): string {
  return STATUS_ERRORS[status] ?? 'refused';
}
