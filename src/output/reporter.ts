import { mayAnimate, type Paint } from './style.ts';

export type Tone = 'plain' | 'good' | 'bad' | 'wait';

/** One step of a protocol, as a line with what belongs below it. */
export interface Step {
  /** For example `①` or `⑤⑥`; empty for what is no numbered step. */
  readonly mark: string;
  /** For example `client → server`. */
  readonly parties: string;
  readonly text: string;
  readonly status?: number | undefined;
  readonly ms?: number | undefined;
  readonly tone?: Tone | undefined;
  readonly details?: readonly string[] | undefined;
}

export interface ReporterOptions {
  readonly write: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
  readonly quiet: boolean;
  readonly paint: Paint;
  /** The stream itself, for the spinner. */
  readonly terminal: () => NodeJS.WriteStream;
}

const MARK_WIDTH = 3;
const PARTIES_WIDTH = 18;
const STATUS_WIDTH = 5;
const TEXT_WIDTH = 70;
const INDENT = ' '.repeat(1 + MARK_WIDTH);

/** Tells the person on stderr what goes on: steps, notes, warnings, and one live line that is never left behind. */
export class Reporter {
  readonly #options: ReporterOptions;
  #spinner: { text: string; stop(): unknown; start(): unknown; isSpinning: boolean } | undefined;
  #loading = false;
  #live: string | undefined;
  /** While a question is open, lines wait here. */
  #held: string[] | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  get paint(): Paint {
    return this.#options.paint;
  }

  header(text: string): void {
    this.#line(`${this.paint.bold(text)}\n`);
  }

  step(step: Step): void {
    const { mark, parties, status, text, ms, details = [] } = step;
    const tint = this.#tint(step.tone ?? 'plain');
    const left = `${pad(mark, MARK_WIDTH)}${pad(parties, PARTIES_WIDTH)}`;
    const middle = `${pad(status === undefined ? '' : String(status), status === undefined ? 0 : STATUS_WIDTH)}${text}`;
    const right = ms === undefined ? '' : this.paint.dim(` ${ms} ms`);
    this.#line(` ${left}${tint(ms === undefined ? middle.trimEnd() : pad(middle, TEXT_WIDTH))}${right}`);
    for (const detail of details)
      this.#line(`${INDENT}${' '.repeat(PARTIES_WIDTH)}${this.paint.dim(detail)}`);
  }

  note(text: string): void {
    this.#line(`${INDENT}${this.paint.dim(text)}`);
  }

  warning(text: string): void {
    this.#line(`${this.paint.yellow('warning:')} ${text}`, true);
  }

  /** Shows or replaces the live line; only on a terminal. */
  live(text: string): void {
    if (this.#options.quiet || !mayAnimate(this.#options.env, this.#options.isTerminal)) return;
    this.#live = text;
    if (this.#spinner) {
      this.#spinner.text = text;
      if (!this.#spinner.isSpinning && this.#held === undefined) this.#spinner.start();
    } else if (!this.#loading) {
      this.#loading = true;
      void this.#load();
    }
  }

  /** Takes the live line away. */
  settle(): void {
    this.#live = undefined;
    this.#spinner?.stop();
  }

  /** Keeps the screen still while a question is open; what would have been written comes after it. */
  async undisturbed<Value>(question: () => Promise<Value>): Promise<Value> {
    this.settle();
    this.#held = [];
    try {
      return await question();
    } finally {
      const held = this.#held;
      this.#held = undefined;
      for (const line of held) this.#write(line);
    }
  }

  async #load(): Promise<void> {
    const { default: ora } = await import('ora');
    this.#spinner = ora({
      stream: this.#options.terminal(),
      // Not ora's own indent: it leaves the cursor there when it stops.
      prefixText: INDENT.slice(1),
      discardStdin: false,
      color: 'cyan',
    });
    if (this.#live !== undefined && this.#held === undefined) {
      this.#spinner.text = this.#live;
      this.#spinner.start();
    }
  }

  #tint(tone: Tone): (text: string) => string {
    return { plain: String, good: this.paint.green, bad: this.paint.red, wait: this.paint.yellow }[tone];
  }

  #line(text: string, always = false): void {
    if (this.#options.quiet && !always) return;
    this.#write(`${text}\n`);
  }

  #write(text: string): void {
    if (this.#held) {
      this.#held.push(text);
      return;
    }
    const spinning = this.#spinner?.isSpinning ?? false;
    if (spinning) this.#spinner?.stop();
    this.#options.write(text);
    if (spinning && this.#live !== undefined) this.#spinner?.start();
  }
}

function pad(text: string, width: number): string {
  return text.padEnd(width);
}
