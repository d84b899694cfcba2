import { ValidationError } from '../../errors.ts';
import { stringifyMember } from '../../exact-json.ts';
import type { MemberOf } from '../definitions/answers.ts';
import type { JsonObject } from '../json.ts';
import { buildParameters, type DeclaredParameters } from './form.ts';
import { readWholeSeconds, showMember } from './response-members.ts';

/** Seconds between polls where the response names none. @see https://www.rfc-editor.org/rfc/rfc8628#section-3.2 */
export const DEFAULT_DEVICE_INTERVAL = 5;

/** The parameters of a device authorization request; the names are the wire's. */
export interface DeviceAuthorizationRequest {
  readonly scope?: string | undefined;
}

/** A checked device authorization response; `json` has every member unchanged. */
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
  /** Members that do not have the specified form, but were understood. */
  readonly remarks: readonly string[];
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
 * Checks a device authorization response. Its URLs are checked before they are shown or opened.
 * @param options.intervalOverride the user's own `--interval` in seconds, which replaces an invalid one
 * @throws ValidationError `device_authorization_invalid` for a member that is missing or has a wrong value
 * @see https://www.rfc-editor.org/rfc/rfc8628#section-3.2
 */
export function parseDeviceAuthorization(
  json: JsonObject,
  options: { readonly intervalOverride?: number | undefined } = {},
): DeviceAuthorization {
  const remarks: string[] = [];
  const device_code = requireText(json, 'device_code');
  const user_code = readUserCode(json, remarks);
  const verification_uri = requireWebPage(json, findUriName(json, '', remarks) ?? 'verification_uri');
  const completeName = findUriName(json, '_complete', remarks);
  const verification_uri_complete =
    completeName === undefined ? undefined : requireWebPage(json, completeName);
  const expires_in = readWholeSeconds(json, 'expires_in', remarks);
  if (expires_in === undefined) {
    throw invalid(
      `"expires_in" must be a positive whole number of seconds, and is ${showMember(json, 'expires_in')}`,
    );
  }
  const isNamed = json.interval !== undefined && json.interval !== null;
  const interval = readWholeSeconds(json, 'interval', remarks);
  if (isNamed && interval === undefined && options.intervalOverride === undefined) {
    throw invalid(
      `"interval" must be a positive whole number of seconds, and is ${showMember(json, 'interval')}`,
      'To continue anyway, set it with --interval SECONDS.',
    );
  }
  return {
    device_code,
    user_code,
    verification_uri,
    verification_uri_complete,
    expires_in,
    interval,
    remarks,
    json,
  };
}

/** Finds the name of a URL: Google and drafts of the RFC use `verification_url`. */
function findUriName(json: JsonObject, end: '' | '_complete', remarks: string[]): Member | undefined {
  const names = [`verification_uri${end}`, `verification_url${end}`] as const;
  const found = names.find((name) => json[name] !== undefined && json[name] !== null);
  if (found === names[1]) remarks.push(`"${names[0]}" is named "${found}"`);
  return found;
}

/** Some servers send a code of digits as a number. */
function readUserCode(json: JsonObject, remarks: string[]): string {
  if (typeof json.user_code !== 'number') return requireText(json, 'user_code');
  remarks.push('"user_code" is a number instead of a string');
  return stringifyMember(json, 'user_code');
}

type Member = MemberOf<'device_authorization'>;

function requireText(json: JsonObject, name: Member): string {
  const value = json[name];
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw invalid(value === undefined ? `it has no "${name}"` : `"${name}" must be a non-empty string`);
}

/** The message does not show the value, because a complete URL contains the user code. */
function requireWebPage(json: JsonObject, name: Member): string {
  const value = requireText(json, name);
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw invalid(`"${name}" is not an http or https URL`);
  }
  // https://bank.example@evil.example looks like a URL of the bank.
  if (url.username !== '' || url.password !== '') {
    throw invalid(`"${name}" has a user name before the host, which misleads the reader`);
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
