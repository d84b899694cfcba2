/** FormParameters of a request in the order they are sent; a name may repeat (RFC 8707 `resource`). */
export type FormParameters = ReadonlyArray<readonly [name: string, value: string]>;

/**
 * Encodes parameters as application/x-www-form-urlencoded.
 * @see https://www.rfc-editor.org/rfc/rfc6749#appendix-B
 */
export function encodeForm(parameters: FormParameters): string {
  return new URLSearchParams(parameters.map(([name, value]): [string, string] => [name, value])).toString();
}

/** Parameters by their wire names; a list repeats the name, and undefined leaves it out. */
export type ParameterValues = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** Keeps the parameters that have a value. */
export function definedParameters(values: ParameterValues): FormParameters {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => [name, String(one)] as const),
  );
}

/** Applies the user's own parameters: one that is already there is replaced, any other is added. */
export function withExtraParameters(parameters: FormParameters, extra: FormParameters): FormParameters {
  const replaced = new Set(extra.map(([name]) => name));
  return [...parameters.filter(([name]) => !replaced.has(name)), ...extra];
}

/** Leaves parameters out. @param names of the parameters; one that is not there does no harm */
export function withoutParameters(parameters: FormParameters, names: readonly string[]): FormParameters {
  return parameters.filter(([name]) => !names.includes(name));
}
