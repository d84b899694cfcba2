import { readNumberText, stringifyJson } from '../exact-json.ts';
import { mask, maskClaims } from '../redact.ts';
import { describeTime, inWords, isTime } from './duration.ts';
import { printable } from './printable.ts';
import type { Paint } from './style.ts';

/** One token of a token response, for people. */
export interface ShownToken {
  readonly name: string;
  readonly token: string;
  /** The claims and the algorithm, if it is a JWT that can be decoded. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  readonly alg?: string | undefined;
  /** Seconds, from the token response. */
  readonly expiresIn?: number | undefined;
  readonly verified?: boolean | undefined;
}

/** The width of the column of names, in characters; a longer name shifts its line only. */
const NARROWEST_NAME = 14;
const WIDEST_NAME = 24;

const TIMES = new Set(['exp', 'iat', 'nbf', 'auth_time']);

/**
 * Renders a token response for people: type, lifetime and claims of each token; the token itself is masked.
 * @param now milliseconds since the epoch
 */
export function renderTokens(
  tokens: readonly ShownToken[],
  others: Readonly<Record<string, unknown>>,
  options: { readonly paint: Paint; readonly now: number; readonly showSecrets: boolean },
): string {
  const { paint, now, showSecrets } = options;
  const lines: string[] = [];
  const names = [...tokens.map(({ name }) => name), ...Object.keys(others).map((name) => printable(name))];
  const width = Math.min(Math.max(NARROWEST_NAME, ...names.map((name) => name.length)), WIDEST_NAME);
  for (const { name, token, claims, alg, expiresIn, verified } of tokens) {
    const lifetime = describeLifetime(claims, expiresIn, now);
    const facts = [
      showSecrets ? printable(token) : mask(token),
      (alg && printable(alg)) ?? (claims ? undefined : 'opaque'),
      lifetime,
      verified ? 'verified' : undefined,
    ];
    lines.push(`${paint.bold(name.padEnd(width))} ${facts.filter((fact) => fact !== undefined).join(' · ')}`);
    lines.push(...renderClaims(claims ?? {}, paint, { showSecrets }));
  }
  for (const [name, value] of Object.entries(others)) {
    const text = readNumberText(others, name);
    lines.push(`${paint.bold(printable(name).padEnd(width))} ${renderValue(value, text)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Renders claims for people, one a line, times in words, and tokens among them masked. */
export function renderClaims(
  claims: Readonly<Record<string, unknown>>,
  paint: Paint,
  { showSecrets }: { readonly showSecrets: boolean },
): string[] {
  const shown = showSecrets ? claims : maskClaims(claims);
  return Object.entries(shown).map(
    ([name, value]) =>
      `  ${paint.dim(printable(name).padEnd(18))} ${renderClaim(name, value, readNumberText(shown, name))}`,
  );
}

/** @param text the unchanged text of a number */
function renderClaim(name: string, value: unknown, text: string | undefined): string {
  const time = TIMES.has(name) ? describeTime(value) : undefined;
  return time === undefined ? renderValue(value, text) : `${renderValue(value, text)} (${time})`;
}

function renderValue(value: unknown, text: string | undefined): string {
  return printable(typeof value === 'string' ? value : (text ?? stringifyJson(value)));
}

function describeLifetime(
  claims: ShownToken['claims'],
  expiresIn: number | undefined,
  now: number,
): string | undefined {
  const exp = claims?.exp;
  const seconds = expiresIn ?? (isTime(exp) ? exp - now / 1000 : undefined);
  if (seconds === undefined) return undefined;
  return seconds > 0 ? `expires in ${inWords(seconds)}` : 'expired';
}
