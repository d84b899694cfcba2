// JSON whose numbers keep the text that they were written with. JSON.parse rounds 12345678901234567999, and turns 1.0
// into 1 and 1e400 into Infinity. Here a parsed value has the numbers of JSON.parse, and its objects and arrays remember
// the text of every number that JSON.stringify would write differently.

import { DEEPEST, findStringEnd, isTooDeep, QUOTE } from './json-scan.ts';
import { trimTrailing } from './trim-trailing.ts';

/** The texts of numbers, by member name or index. Enumerable, so that a copy by spread keeps them. */
const TEXTS = Symbol('texts of numbers');

type Holder = object & { [TEXTS]?: ReadonlyMap<string, string> };

const BYTE_ORDER_MARK = 0xfeff;

/** Whether there may be a number that JSON.stringify writes differently: a long one, a fraction, an exponent, or -0. */
const MAY_BE_INEXACT = /[:,[\s]-?(?:\d{16}|\d{1,15}[.eE])|[:,[\s]-0/;
/** A number of a valid JSON text. */
const NUMBER = /-?\d[\d.eE+-]*/y;

/**
 * Parses JSON; a byte order mark before it is ignored. The text of a number that is the whole JSON text is not kept.
 * @throws SyntaxError
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-8.1
 */
export function parseJson(text: string): unknown {
  const json = text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
  if (isTooDeep(json)) throw new SyntaxError(`JSON that is nested deeper than ${DEEPEST} levels`);
  const value: unknown = JSON.parse(json);
  if (value === null || typeof value !== 'object' || !MAY_BE_INEXACT.test(json)) return value;
  return parseWithTexts(json, value);
}

/** Says whether a text is JSON. */
export function isJson(text: string): boolean {
  try {
    parseJson(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * As JSON.stringify, but writes numbers as they were written.
 * @returns undefined for undefined
 */
export function stringifyJson(value: unknown, indent?: number): string {
  let isExact = true;
  const plain = JSON.stringify(
    value,
    function (this: object, name: string, item: unknown) {
      if (readNumberText(this, name) !== undefined) isExact = false;
      return item;
    },
    indent,
  );
  if (isExact) return plain;
  const marker = findMarker(plain);
  const marked = JSON.stringify(
    value,
    function (this: object, name: string, item: unknown) {
      const text = readNumberText(this, name);
      return text === undefined ? item : `${marker}${text}`;
    },
    indent,
  );
  return marked.replace(new RegExp(`"${marker}([^"]*)"`, 'g'), '$1');
}

/** Writes one member of an object or array as JSON; a number as it was written. */
export function stringifyMember(holder: object, name: string | number): string {
  return readNumberText(holder, name) ?? stringifyJson((holder as Record<string | number, unknown>)[name]);
}

/** Returns the text of a number if JSON.stringify would write it differently; otherwise undefined. */
export function readNumberText(holder: object, name: string | number): string | undefined {
  const text = (holder as Holder)[TEXTS]?.get(String(name));
  if (text === undefined) return undefined;
  // The value may have been changed in a copy.
  return Object.is((holder as Record<string | number, unknown>)[name], Number(text)) ? text : undefined;
}

/** Copies the texts of numbers to a copy that was made member by member. */
export function copyNumberTexts<Copy extends object>(original: object, copy: Copy): Copy {
  const texts = (original as Holder)[TEXTS];
  return texts === undefined ? copy : Object.assign(copy, { [TEXTS]: texts });
}

/** Sets a member to the value of a JSON text. @throws SyntaxError */
export function setMember(target: object, name: string, json: string): void {
  const one = parseJson(`{"value":${json}}`) as { readonly value: unknown };
  defineMember(target, name, one.value);
  const text = readNumberText(one, 'value');
  if (text === undefined) return;
  Object.assign(target, { [TEXTS]: new Map([...((target as Holder)[TEXTS] ?? []), [name, text]]) });
}

/** Says whether two members hold the same JSON: numbers by their value as written, objects whatever their order. */
export function isSameMember(
  one: object,
  name: string | number,
  other: object,
  otherName: string | number,
): boolean {
  const left = (one as Record<string | number, unknown>)[name];
  const right = (other as Record<string | number, unknown>)[otherName];
  if (typeof left === 'number' && typeof right === 'number') {
    const texts = [readNumberText(one, name), readNumberText(other, otherName)];
    if (texts[0] === undefined && texts[1] === undefined) return left === right;
    return normalizeNumber(texts[0] ?? String(left)) === normalizeNumber(texts[1] ?? String(right));
  }
  if (left === right) return true;
  if (left === null || right === null || typeof left !== 'object' || typeof right !== 'object') return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((member) => Object.hasOwn(right, member) && isSameMember(left, member, right, member))
  );
}

/** The place of a member: its object or array, and its name there. */
export interface Member {
  readonly holder: object;
  readonly name: string;
}

/**
 * Finds a member by a path: names joined by dots, `[0]`, `["a name with dots"]`. A name with dots is also found without
 * brackets; if several names fit, the longest is used.
 */
export function findMember(value: unknown, path: string): Member | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  for (const { name, rest } of listFirstNames(path)) {
    if (!Object.hasOwn(value, name)) continue;
    if (rest === '') return { holder: value, name };
    const found = findMember((value as Record<string, unknown>)[name], rest);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Lists the names that a path may begin with, the longest first; empty if it is not a path. */
function listFirstNames(path: string): readonly { readonly name: string; readonly rest: string }[] {
  const bracket = /^\[(?:(\d+)|"((?:[^"\\]|\\.)*)"|'([^']*)')\](?:\.(?=.)|(?=\[|$))/s.exec(path);
  if (bracket !== null) {
    const [all, index, quoted, single] = bracket;
    const name = index ?? single ?? readQuoted(quoted ?? '');
    return [{ name, rest: path.slice(all.length) }];
  }
  const ends = [path.length];
  for (let at = path.length - 2; at > 0; at -= 1) if (/[.[]/.test(path.charAt(at))) ends.push(at);
  return ends.map((end) => ({
    name: path.slice(0, end),
    rest: path.slice(path.charAt(end) === '.' ? end + 1 : end),
  }));
}

function readQuoted(text: string): string {
  try {
    return JSON.parse(`"${text}"`);
  } catch {
    return text;
  }
}

/** @param plain the value as JSON.parse reads it */
function parseWithTexts(json: string, plain: unknown): unknown {
  const marker = findMarker(JSON.stringify(plain));
  const marked = markNumbers(json, marker);
  const value: unknown = JSON.parse(marked);
  restoreNumbers(value, marker);
  return value;
}

/** Writes each number that JSON.stringify would write differently as a string that begins with the marker. */
function markNumbers(json: string, marker: string): string {
  let marked = '';
  let from = 0;
  for (let at = 0; at < json.length; at += 1) {
    const character = json.charCodeAt(at);
    if (character === QUOTE) {
      at = findStringEnd(json, at);
      continue;
    }
    NUMBER.lastIndex = at;
    const text = isNumberStart(character) ? NUMBER.exec(json)?.[0] : undefined;
    if (text === undefined) continue;
    if (JSON.stringify(Number(text)) !== text) {
      marked += `${json.slice(from, at)}"${marker}${text}"`;
      from = at + text.length;
    }
    at += text.length - 1;
  }
  return marked + json.slice(from);
}

function isNumberStart(character: number): boolean {
  return character === MINUS || (character >= DIGIT_0 && character <= DIGIT_9);
}

const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

function restoreNumbers(value: unknown, marker: string): void {
  if (value === null || typeof value !== 'object') return;
  const texts = new Map<string, string>();
  for (const [name, item] of Object.entries(value)) {
    if (typeof item === 'string' && item.startsWith(marker)) texts.set(name, item.slice(marker.length));
    else restoreNumbers(item, marker);
  }
  for (const [name, text] of texts) defineMember(value, name, Number(text));
  if (texts.size > 0) Object.assign(value, { [TEXTS]: texts });
}

/** Defines a member, because a member named __proto__ cannot be assigned. */
function defineMember(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}

/** Makes a text that occurs in none of the strings of a JSON text. */
function findMarker(json: string): string {
  const longest = (json.match(/#+/g) ?? []).reduce((length, run) => Math.max(length, run.length), 0);
  return '#'.repeat(longest + 1);
}

/** Characters. */
const LONGEST_EXPONENT = 100;

/** Normalizes a number: its digits without leading and trailing zeros, and its exponent. */
function normalizeNumber(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  // A longer number is not normalized, because that takes more than linear time.
  if (exponent.length > LONGEST_EXPONENT) return text;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = trimTrailing(digits, '0');
  if (significant === '') return '0';
  const zeros = digits.length - significant.length;
  return `${sign}${significant}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(zeros)}`;
}
