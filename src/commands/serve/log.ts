import type { Clock } from '../../context.ts';
import { renderLogLine } from '../../output/access-log.ts';
import type { AnsweredRequest } from '../../servers/resource-server.ts';

export interface RequestLogOptions {
  readonly write: (text: string) => void;
  readonly clock: Clock;
  readonly json: boolean;
}

/** Milliseconds for which lines are collected before they are written; writing each line would delay requests. */
const COLLECT_MS = 50;
const MAX_COLLECTED = 500;

/** Logs requests, one line each; several lines are written at a time. */
export class RequestLog {
  readonly #options: RequestLogOptions;
  #lines: string[] = [];
  /** Ends the current wait. */
  #waiting: AbortController | undefined;

  constructor(options: RequestLogOptions) {
    this.#options = options;
  }

  add({ method, path, status, verdict, description, ms }: AnsweredRequest): void {
    const refused = verdict === undefined || verdict.outcome === 'accepted' ? undefined : verdict;
    const reason = refused === undefined ? null : 'reason' in refused ? refused.reason : refused.outcome;
    const line = {
      at: this.#options.clock.now(),
      method,
      path,
      status,
      tenant: reason === 'issuer_not_listed' ? 'iss-not-listed' : (verdict?.tenant ?? null),
      reason,
      description: description ?? refused?.description ?? null,
      ms,
    };
    this.#lines.push(renderLogLine(line, this.#options.json));
    if (this.#lines.length >= MAX_COLLECTED) this.flush();
    else if (this.#waiting === undefined) this.#flushLater();
  }

  /** Writes the collected lines. */
  flush(): void {
    this.#waiting?.abort();
    this.#waiting = undefined;
    if (this.#lines.length === 0) return;
    const text = this.#lines.join('');
    this.#lines = [];
    this.#options.write(text);
  }

  #flushLater(): void {
    const waiting = new AbortController();
    this.#waiting = waiting;
    this.#options.clock.sleep(COLLECT_MS, waiting.signal).then(
      () => this.flush(),
      () => {},
    );
  }
}
