import { isJson, setMember } from '../exact-json.ts';

/**
 * Sets a claim to the VALUE of an option that takes NAME=VALUE: JSON where it is JSON, so that a time is a number, and a
 * number as it is written; else text.
 */
export function setClaim(claims: Record<string, unknown>, name: string, text: string): void {
  setMember(claims, name, isJson(text) ? text : JSON.stringify(text));
}
