// Reads members of responses that do not have the specified form but whose meaning is clear, and makes a remark on each.
import { stringifyMember } from '../../exact-json.ts';
import type { JsonObject } from '../json.ts';

/** Characters of a value that a remark shows. */
const LONGEST_SHOWN = 40;

/** Reads seconds: a number, or one in a string. @returns undefined for anything else */
export function parseLifetime(value: unknown): number | undefined {
  const isText = typeof value === 'string' && /^\s*\d+(?:\.\d+)?\s*$/.test(value);
  const seconds = isText ? Number(value) : value;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

/**
 * Reads a member that holds seconds, as parseLifetime.
 * @param remarks a deviation is added to it
 * @returns undefined where it is missing, null or no number of seconds
 */
export function readSeconds(json: JsonObject, name: string, remarks: string[]): number | undefined {
  const value = json[name];
  if (value === undefined || value === null) return undefined;
  const seconds = parseLifetime(value);
  if (seconds === undefined) remarks.push(`"${name}" is ${showMember(json, name)}, which is ignored`);
  else if (typeof value === 'string') remarks.push(`"${name}" is a string, ${showMember(json, name)}`);
  return seconds;
}

/**
 * Reads a member that must be a positive whole number of seconds; it may be in a string.
 * @param remarks a deviation is added to it
 * @returns undefined where it is not
 */
export function readWholeSeconds(json: JsonObject, name: string, remarks: string[]): number | undefined {
  const seconds = parseLifetime(json[name]);
  if (seconds === undefined || !Number.isSafeInteger(seconds) || seconds <= 0) return undefined;
  if (typeof json[name] === 'string') remarks.push(`"${name}" is a string, ${showMember(json, name)}`);
  return seconds;
}

/** Formats the value of a member as shortened JSON; for members that are not secret. */
export function showMember(json: JsonObject, name: string): string {
  if (json[name] === undefined) return 'missing';
  const text = stringifyMember(json, name);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}
