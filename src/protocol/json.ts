import { parseJson } from '../exact-json.ts';

/** A JSON object as it was parsed; its members are checked before they are used. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Says whether a parsed value is a JSON object: neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Parses a JSON object, keeping how its numbers are written; undefined for anything else. */
export function parseJsonObject(body: string): JsonObject | undefined {
  try {
    const value = parseJson(body);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
