/** FormParameters of a request in the order they are sent; a name may repeat (RFC 8707 `resource`). */
export type FormParameters = ReadonlyArray<readonly [name: string, value: string]>;

/**
 * Encodes parameters as application/x-www-form-urlencoded.
 * @see https://www.rfc-editor.org/rfc/rfc6749#appendix-B
 */
export function encodeForm(parameters: FormParameters): string {
  return new URLSearchParams(parameters.map(([name, value]): [string, string] => [name, value])).toString();
}

/** Keeps the parameters that have a value. */
export function definedParameters(
  values: Readonly<Record<string, string | number | undefined>>,
): FormParameters {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as const],
  );
}

/** Applies the user's own parameters: one that is already there is replaced, any other is added. */
export function withExtraParameters(parameters: FormParameters, extra: FormParameters): FormParameters {
  const replaced = new Set(extra.map(([name]) => name));
  return [...parameters.filter(([name]) => !replaced.has(name)), ...extra];
}
