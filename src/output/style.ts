/** Functions that colour text. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  /** Light on dark. */
  lightOnDark(text: string): string;
}

const PLAIN: Paint = {
  bold: String,
  dim: String,
  red: String,
  green: String,
  yellow: String,
  lightOnDark: String,
};

type Env = Readonly<Record<string, string | undefined>>;

/** Colours for a stream: used on a terminal, unless NO_COLOR, TERM=dumb or CI is set; always with FORCE_COLOR. */
export async function colours(env: Env, isTerminal: boolean): Promise<Paint> {
  if (!wantsColour(env, isTerminal)) return PLAIN;
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  return {
    bold: chalk.bold,
    dim: chalk.dim,
    red: chalk.red,
    green: chalk.green,
    yellow: chalk.yellow,
    lightOnDark: chalk.whiteBright.bgBlack,
  };
}

/** Whether a spinner and a countdown are drawn. */
export function mayAnimate(env: Env, isTerminal: boolean): boolean {
  return isTerminal && env.TERM !== 'dumb' && !isSet(env.CI);
}

/** Whether a stream is coloured. */
export function wantsColour(env: Env, isTerminal: boolean): boolean {
  if (env.FORCE_COLOR) return isSet(env.FORCE_COLOR);
  if (env.NO_COLOR || env.TERM === 'dumb' || isSet(env.CI)) return false;
  return isTerminal;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}
