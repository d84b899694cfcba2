import type { ParameterDefinitions, ParameterValue } from '../definitions/parameter.ts';
import { REQUESTS, type RequestName, type RequestValues } from '../definitions/requests.ts';

/** Parameters in the order they are sent; a name may repeat (RFC 8707 `resource`). */
export type FormParameters = ReadonlyArray<readonly [name: string, value: string]>;

declare const declared: unique symbol;

/**
 * Parameters that are declared in `definitions`, which say for each whether it is secret. Only {@link withExtraParameters}
 * adds others: those of the user.
 */
export type DeclaredParameters = FormParameters & { readonly [declared]: true };

/** Parameters by their wire names; a list repeats the name, and undefined omits it. */
export type ParameterValues = Readonly<Record<string, ParameterValue>>;

/** Values of which every name must be declared: a further name is a type error. */
export type Exact<Values, Declared> = Values & {
  readonly [Name in Exclude<keyof Values, keyof Declared>]: never;
};

/**
 * Builds the parameters of a request, in the order of the values.
 * @param request the name of its definition
 */
export function buildParameters<const Name extends RequestName, Values extends RequestValues<Name>>(
  request: Name,
  values: Exact<Values, RequestValues<Name>>,
): DeclaredParameters {
  return declareParameters(REQUESTS[request], values);
}

/**
 * Builds parameters whose names are known at run time only.
 * @throws TypeError for a name that the definitions do not have, which is a defect
 */
export function declareParameters(
  definitions: ParameterDefinitions,
  values: ParameterValues,
): DeclaredParameters {
  const undeclared = Object.keys(values).filter((name) => !Object.hasOwn(definitions, name));
  if (undeclared.length > 0)
    throw new TypeError(`not declared in protocol/definitions: ${undeclared.join(', ')}`);
  return definedParameters(values) as DeclaredParameters;
}

/**
 * Encodes parameters as application/x-www-form-urlencoded.
 * @see https://www.rfc-editor.org/rfc/rfc6749#appendix-B
 */
export function encodeForm(parameters: FormParameters): string {
  return new URLSearchParams(parameters.map(([name, value]): [string, string] => [name, value])).toString();
}

/** Keeps the parameters that have a value. */
export function definedParameters(values: ParameterValues): FormParameters {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => [name, String(one)] as const),
  );
}

/** Applies the user's own parameters: one that is already there is replaced, any other is added. */
export function withExtraParameters(
  parameters: DeclaredParameters,
  extra: FormParameters,
): DeclaredParameters {
  const replaced = new Set(extra.map(([name]) => name));
  return [...parameters.filter(([name]) => !replaced.has(name)), ...extra] as unknown as DeclaredParameters;
}

/** Omits parameters. @param names of the parameters; those that are not there are ignored */
export function withoutParameters(
  parameters: DeclaredParameters,
  names: readonly string[],
): DeclaredParameters {
  return parameters.filter(([name]) => !names.includes(name)) as unknown as DeclaredParameters;
}

/** Joins parameters of several definitions to one form. */
export function joinParameters(...parts: readonly DeclaredParameters[]): DeclaredParameters {
  return parts.flat() as unknown as DeclaredParameters;
}
