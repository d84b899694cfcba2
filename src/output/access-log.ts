import { printable, printableJson } from './printable.ts';

/** The data of one line of the access log. */
export interface LoggedRequest {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** The issuer, or `iss-not-listed`. */
  readonly tenant: string | null;
  /** The error code for which the token was refused. */
  readonly reason: string | null;
  /** The error description. */
  readonly description: string | null;
  readonly ms: number;
}

/** The maximum length of text from other parties, in characters. */
const LONGEST_PATH = 200;
const LONGEST_DESCRIPTION = 400;

/** Renders a request as one line of the log; line breaks and control characters from other parties are escaped. */
export function renderLogLine(request: LoggedRequest, json: boolean): string {
  const { at, method, status, tenant, reason } = request;
  const time = new Date(at).toISOString();
  const ms = request.ms.toFixed(1);
  const path = request.path.slice(0, LONGEST_PATH);
  const description = request.description?.slice(0, LONGEST_DESCRIPTION) ?? null;
  if (json) {
    const line = { time, method, path, status, tenant, reason, description, ms: Number(ms) };
    return `${printableJson(JSON.stringify(line))}\n`;
  }
  const words = [time, method, path, status, tenant ?? '-', reason ?? '-', `${ms} ms`];
  return `${printable(words.join(' '))}${description === null ? '' : ` · ${printable(description)}`}\n`;
}
