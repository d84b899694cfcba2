/** Reads the VALUE of an option that takes NAME=VALUE: JSON where it is JSON, so that a time is a number; else text. */
export function parseClaimValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
