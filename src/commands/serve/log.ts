import { renderLogLine } from '../../output/access-log.ts';
import type { Answered } from '../../servers/resource-server.ts';

export interface RequestLogOptions {
  readonly write: (text: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly json: boolean;
}

/** Milliseconds for which lines are gathered: writing each by itself would hold up the next request. */
const GATHERED_FOR = 50;
const GATHERED_AT_MOST = 500;

/** The log of requests: a line each, written several at a time. */
export class RequestLog {
  readonly #options: RequestLogOptions;
  #lines: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RequestLogOptions) {
    this.#options = options;
  }

  add({ method, path, status, verdict, description, ms }: Answered): void {
    const refused = verdict === undefined || verdict.outcome === 'accepted' ? undefined : verdict;
    const reason = refused === undefined ? null : 'reason' in refused ? refused.reason : refused.outcome;
    const line = {
      at: this.#options.now(),
      method,
      path,
      status,
      tenant: reason === 'issuer_not_listed' ? 'iss-not-listed' : (verdict?.tenant ?? null),
      reason,
      description: description ?? refused?.description ?? null,
      ms,
    };
    this.#lines.push(renderLogLine(line, this.#options.json));
    if (this.#lines.length >= GATHERED_AT_MOST) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), GATHERED_FOR);
  }

  /** Writes what was gathered. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    const text = this.#lines.join('');
    this.#lines = [];
    this.#options.write(text);
  }
}
