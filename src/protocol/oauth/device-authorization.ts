import { ValidationError } from '../../errors.ts';
import type { MemberOf } from '../definitions/answers.ts';
import type { JsonObject } from '../json.ts';
import { buildParameters, type DeclaredParameters } from './form.ts';

/** Seconds between polls where the response names none. @see https://www.rfc-editor.org/rfc/rfc8628#section-3.2 */
export const DEFAULT_DEVICE_INTERVAL = 5;

/** The parameters of a device authorization request; the names are the wire's. */
export interface DeviceAuthorizationRequest {
  readonly scope?: string | undefined;
}

/** A device authorization response, checked; `json` keeps every member as it came. */
export interface DeviceAuthorization {
  readonly device_code: string;
  readonly user_code: string;
  /** An http or https URL. */
  readonly verification_uri: string;
  /** An http or https URL that carries the user code. */
  readonly verification_uri_complete: string | undefined;
  /** Seconds. */
  readonly expires_in: number;
  /** Seconds; undefined where the server names none. */
  readonly interval: number | undefined;
  readonly json: JsonObject;
}

/**
 * Builds the parameters of a device authorization request, without those of the client authentication.
 * @see https://www.rfc-editor.org/rfc/rfc8628#section-3.1
 */
export function buildDeviceAuthorizationRequest(request: DeviceAuthorizationRequest): DeclaredParameters {
  return buildParameters('device_authorization', { scope: request.scope });
}

/**
 * Checks a device authorization response. Its URLs are checked before anybody is sent to them.
 * @param options.intervalOverride the person's own `--interval`, in seconds: it stands in for one that breaks the protocol
 * @throws ValidationError `device_authorization_invalid` for a member that is missing or has a wrong value
 * @see https://www.rfc-editor.org/rfc/rfc8628#section-3.2
 */
export function parseDeviceAuthorization(
  json: JsonObject,
  options: { readonly intervalOverride?: number | undefined } = {},
): DeviceAuthorization {
  const { expires_in, interval } = json;
  const device_code = requireText(json, 'device_code');
  const user_code = requireText(json, 'user_code');
  const verification_uri = requireWebPage(json, 'verification_uri');
  const complete = json.verification_uri_complete;
  const verification_uri_complete =
    complete === undefined || complete === null
      ? undefined
      : requireWebPage(json, 'verification_uri_complete');
  if (!isPositiveInteger(expires_in)) {
    throw invalid(`"expires_in" must be a positive whole number of seconds, and is ${show(expires_in)}`);
  }
  const isInterval = isPositiveInteger(interval);
  if (interval !== undefined && !isInterval && options.intervalOverride === undefined) {
    throw invalid(
      `"interval" must be a positive whole number of seconds, and is ${show(interval)}`,
      'Name one yourself with --interval SECONDS to go on all the same.',
    );
  }
  return {
    device_code,
    user_code,
    verification_uri,
    verification_uri_complete,
    expires_in,
    interval: isInterval ? interval : undefined,
    json,
  };
}

type Member = MemberOf<'device_authorization'>;

function requireText(json: JsonObject, name: Member): string {
  const value = json[name];
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw invalid(value === undefined ? `it has no "${name}"` : `"${name}" must be a text that is not empty`);
}

/** The message does not show the value: a complete URL carries the user code. */
function requireWebPage(json: JsonObject, name: Member): string {
  const value = requireText(json, name);
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw invalid(`"${name}" is not an http or https URL`);
  }
  // https://bank.example@evil.example looks like the bank.
  if (url.username !== '' || url.password !== '') {
    throw invalid(`"${name}" names a user before its host, which misleads whoever reads it`);
  }
  return value;
}

function invalid(what: string, more = ''): ValidationError {
  return new ValidationError(
    'device_authorization_invalid',
    `the device authorization response breaks the protocol: ${what}`,
    { hint: `The server is at fault (RFC 8628 §3.2). ${more}`.trim() },
  );
}

function isPositiveInteger(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value);
}
