import { printable } from './printable.ts';

/** What one line of the log tells of a request. */
export interface LoggedRequest {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** The issuer, or `iss-not-listed`. */
  readonly tenant: string | null;
  /** A stable code for why the token was refused. */
  readonly reason: string | null;
  /** The same in words. */
  readonly description: string | null;
  readonly ms: number;
}

/** Characters of what others wrote. */
const LONGEST_PATH = 200;
const LONGEST_DESCRIPTION = 400;

/** Renders a request as one line of the log; what others wrote cannot break out of it. */
export function renderLogLine(request: LoggedRequest, json: boolean): string {
  const { at, method, status, tenant, reason } = request;
  const time = new Date(at).toISOString();
  const ms = request.ms.toFixed(1);
  const path = request.path.slice(0, LONGEST_PATH);
  const description = request.description?.slice(0, LONGEST_DESCRIPTION) ?? null;
  if (json) {
    const line = { time, method, path, status, tenant, reason, description, ms: Number(ms) };
    return `${JSON.stringify(line)}\n`;
  }
  const words = [time, method, path, status, tenant ?? '-', reason ?? '-', `${ms} ms`];
  return `${printable(words.join(' '))}${description === null ? '' : ` · ${printable(description)}`}\n`;
}
