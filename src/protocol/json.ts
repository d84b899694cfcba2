import { parseJson } from '../exact-json.ts';

/** A JSON object as it was parsed; its members are looked at before they are trusted. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Parses a JSON object, whose numbers remember how they were written; undefined for anything else. */
export function parseJsonObject(body: string): JsonObject | undefined {
  try {
    const value = parseJson(body);
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? (value as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}
