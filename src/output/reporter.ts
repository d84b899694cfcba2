import { mayAnimate, type Paint } from './style.ts';
import { countCells, padCells, textWidth, wrapHanging, wrapText } from './wrap.ts';

export type Tone = 'plain' | 'good' | 'bad' | 'wait';

/** One step of a protocol: a line, with details below it. */
export interface Step {
  /** For example `①` or `⑤⑥`; empty if the step has no number. */
  readonly mark: string;
  /** For example `client → server`. */
  readonly parties: string;
  readonly text: string;
  readonly status?: number | undefined;
  readonly ms?: number | undefined;
  readonly tone?: Tone | undefined;
  readonly details?: readonly string[] | undefined;
  /** Whether repetitions of the same step are counted on one line instead of printed again. */
  readonly isCounted?: boolean | undefined;
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
/** Columns of the text if stderr is not a terminal; durations are then not right-aligned. */
const TEXT_WIDTH = 70;
const INDENT = ' '.repeat(1 + MARK_WIDTH);
const TEXT_INDENT = INDENT.length + PARTIES_WIDTH;

/** Reports progress on stderr: steps, notes, warnings, and one live line, which is removed at the end. */
export class Reporter {
  readonly #options: ReporterOptions;
  #spinner: { text: string; stop(): unknown; start(): unknown; isSpinning: boolean } | undefined;
  #loading = false;
  #live: string | undefined;
  /** A step that may be repeated, and its count. */
  #counted: { readonly step: Step; readonly times: number } | undefined;
  /** Lines that are held back while a prompt is open. */
  #held: string[] | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  get paint(): Paint {
    return this.#options.paint;
  }

  header(text: string): void {
    this.#line(`${this.paint.bold(wrapHanging(text, this.#columns, 2))}\n`);
  }

  step(step: Step): void {
    const counted = this.#counted;
    if (step.isCounted && counted !== undefined && isSameStep(counted.step, step)) {
      this.#counted = { step, times: counted.times + 1 };
      this.#showLive();
      return;
    }
    this.#printCounted();
    if (step.isCounted) this.#counted = { step, times: 1 };
    // Without a live line the first one is printed at once, so that a log shows progress.
    if (step.isCounted && this.#mayAnimate) this.#showLive();
    else this.#printStep(step);
  }

  note(text: string): void {
    this.#line(`${INDENT}${this.paint.dim(wrapHanging(text, this.#columns, INDENT.length))}`);
  }

  warning(text: string): void {
    const label = 'warning: ';
    this.#line(`${this.paint.yellow('warning:')} ${wrapHanging(text, this.#columns, 2, label.length)}`, true);
  }

  /** Shows or replaces the live line; only on a terminal. */
  live(text: string): void {
    if (this.#options.quiet || !this.#mayAnimate) return;
    this.#live = text;
    this.#showLive();
  }

  /** Removes the live line, until the next one. */
  hideLive(): void {
    this.#live = undefined;
    this.#spinner?.stop();
  }

  /** Removes the live line and prints the counted steps. */
  settle(): void {
    this.hideLive();
    this.#printCounted();
  }

  /** Holds output back while a prompt is open, and writes it afterwards. */
  async undisturbed<Value>(question: () => Promise<Value>): Promise<Value> {
    this.hideLive();
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
      // Not ora's indent option: with it, the cursor stays indented after the stop.
      prefixText: INDENT.slice(1),
      discardStdin: false,
      color: 'cyan',
    });
    this.#showLive();
  }

  #showLive(): void {
    if (this.#live === undefined || this.#options.quiet || this.#held !== undefined) return;
    if (this.#spinner === undefined) {
      if (!this.#loading) void this.#load();
      this.#loading = true;
      return;
    }
    const { step, times = 0 } = this.#counted ?? {};
    const before = step === undefined ? '' : `${step.text}${times > 1 ? ` ×${times}` : ''} · `;
    this.#spinner.text = `${before}${this.#live}`;
    if (!this.#spinner.isSpinning) this.#spinner.start();
  }

  get #mayAnimate(): boolean {
    return mayAnimate(this.#options.env, this.#options.isTerminal);
  }

  /** Columns of the terminal; undefined if there is none, and lines are not wrapped. */
  get #columns(): number | undefined {
    return this.#options.isTerminal ? (this.#options.terminal().columns ?? 80) : undefined;
  }

  #printCounted(): void {
    const counted = this.#counted;
    if (counted === undefined) return;
    this.#counted = undefined;
    const { step, times } = counted;
    if (this.#mayAnimate)
      this.#printStep({ ...step, text: times > 1 ? `${step.text} ×${times}` : step.text });
    else if (times > 1) this.#printStep({ ...step, text: `${step.text} · ${times - 1} more` });
  }

  #printStep(step: Step): void {
    if (this.#options.quiet) return;
    const { mark, parties, status, text, ms, tone = 'plain', details = [] } = step;
    const tint = this.#tint(tone);
    const columns = this.#columns;
    const width = textWidth(columns, TEXT_INDENT);
    const state = status === undefined ? '' : padCells(String(status), STATUS_WIDTH);
    const lines = wrapText(`${state}${text}`.trimEnd(), width);
    const left = ` ${padCells(mark, MARK_WIDTH)}${padCells(parties, PARTIES_WIDTH)}`;
    const texts = [
      ...withTime(lines, ms, width).map(({ body, time }) => `${tint(body)}${this.paint.dim(time)}`),
      ...details.flatMap((detail) => wrapText(detail, width)).map((detail) => this.paint.dim(detail)),
    ];
    const indent = ' '.repeat(TEXT_INDENT);
    this.#write(
      texts.map((line, index) => `${`${index === 0 ? left : indent}${line}`.trimEnd()}\n`).join(''),
    );
  }

  #tint(tone: Tone): (text: string) => string {
    return { plain: String, good: this.paint.green, bad: this.paint.red, wait: this.paint.yellow }[tone];
  }

  #line(text: string, always = false): void {
    if (this.#options.quiet && !always) return;
    this.#printCounted();
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

function isSameStep(one: Step, other: Step): boolean {
  return one.mark === other.mark && one.status === other.status && one.text === other.text;
}

/**
 * Puts the time at the right edge of the last line, or on a separate line if it does not fit.
 * @param width cells of a line; undefined if there is no terminal
 */
function withTime(
  lines: readonly string[],
  ms: number | undefined,
  width: number | undefined,
): { readonly body: string; readonly time: string }[] {
  if (ms === undefined) return lines.map((body) => ({ body, time: '' }));
  const time = `${ms} ms`;
  const edge = width ?? TEXT_WIDTH + 1 + time.length;
  const last = lines.at(-1) ?? '';
  const room = edge - countCells(last) - time.length;
  const before = lines.slice(0, -1).map((body) => ({ body, time: '' }));
  if (room >= 1 || width === undefined) {
    return [...before, { body: `${last}${' '.repeat(Math.max(1, room))}`, time }];
  }
  return [...before, { body: last, time: '' }, { body: ' '.repeat(Math.max(0, edge - time.length)), time }];
}
