import { UsageError, ValidationError } from '../../errors.ts';
import type { JsonObject } from '../json.ts';
import { buildParameters, type DeclaredParameters } from '../oauth/form.ts';
import { readWholeSeconds, showMember } from '../oauth/response-members.ts';

/** Seconds between polls if the acknowledgement has no interval. */
export const DEFAULT_INTERVAL = 5;

/** Seconds that `slow_down` adds to this and all later waits. */
export const SLOW_DOWN_INCREMENT = 5;

const HINTS = ['login_hint', 'login_hint_token', 'id_token_hint'] as const;

/** The parameters of an authentication request; the names are the wire's. */
export interface AuthenticationRequest {
  readonly scope?: string | undefined;
  readonly login_hint?: string | undefined;
  readonly login_hint_token?: string | undefined;
  readonly id_token_hint?: string | undefined;
  readonly binding_message?: string | undefined;
  readonly acr_values?: string | undefined;
  readonly user_code?: string | undefined;
  /** Seconds. */
  readonly requested_expiry?: number | undefined;
}

/** A checked acknowledgement; `json` has every member unchanged. */
export interface Acknowledgement {
  readonly auth_req_id: string;
  /** Seconds. */
  readonly expires_in: number;
  /** Seconds; undefined where the server names none. */
  readonly interval: number | undefined;
  /** Members that do not have the specified form, but were understood. */
  readonly remarks: readonly string[];
  readonly json: JsonObject;
}

/**
 * Builds the parameters of an authentication request, without those of the client authentication.
 * @throws UsageError `hint_missing`, `hint_ambiguous`; `requested_expiry_invalid` unless it is a positive integer
 * @see https://openid.net/specs/openid-client-initiated-backchannel-authentication-core-1_0.html#rfc.section.7.1
 */
export function buildAuthenticationRequest(request: AuthenticationRequest): DeclaredParameters {
  const given = HINTS.filter((name) => request[name] !== undefined);
  if (given.length !== 1) {
    const flags = given.map((name) => `--${name.replaceAll('_', '-')}`).join(' and ');
    throw new UsageError(
      given.length === 0 ? 'hint_missing' : 'hint_ambiguous',
      given.length === 0 ? 'no hint says which user to ask' : `${flags} were given, but only one is allowed`,
      { hint: 'Give exactly one of --login-hint, --login-hint-token and --id-token-hint.' },
    );
  }
  const { requested_expiry: expiry } = request;
  if (expiry !== undefined && (!Number.isSafeInteger(expiry) || expiry <= 0)) {
    throw new UsageError(
      'requested_expiry_invalid',
      '--requested-expiry takes a positive whole number of seconds',
    );
  }
  return buildParameters('backchannel_authentication', {
    scope: request.scope ?? 'openid',
    login_hint: request.login_hint,
    login_hint_token: request.login_hint_token,
    id_token_hint: request.id_token_hint,
    binding_message: request.binding_message,
    acr_values: request.acr_values,
    user_code: request.user_code,
    requested_expiry: expiry,
  });
}

export interface AcknowledgementOptions {
  /** The user's own `--interval` in seconds, which replaces an invalid one. */
  readonly intervalOverride?: number | undefined;
}

/**
 * Checks the acknowledgement of an authentication request.
 * @throws ValidationError `acknowledgement_invalid` for a member that is missing or has an invalid value
 * @see https://openid.net/specs/openid-client-initiated-backchannel-authentication-core-1_0.html#rfc.section.7.3
 */
export function parseAcknowledgement(
  json: JsonObject,
  options: AcknowledgementOptions = {},
): Acknowledgement {
  const { auth_req_id } = json;
  const remarks: string[] = [];
  if (typeof auth_req_id !== 'string' || auth_req_id === '') {
    throw invalid('it has no "auth_req_id"');
  }
  const expires_in = readWholeSeconds(json, 'expires_in', remarks);
  if (expires_in === undefined) {
    throw invalid(
      `"expires_in" must be a positive whole number of seconds, and is ${showMember(json, 'expires_in')}`,
    );
  }
  const interval = readInterval(json, expires_in, options, remarks);
  return { auth_req_id, expires_in, interval, remarks, json };
}

function readInterval(
  json: JsonObject,
  expiresIn: number,
  options: AcknowledgementOptions,
  remarks: string[],
): number | undefined {
  if (json.interval === undefined || json.interval === null) return undefined;
  const override = 'To continue anyway, set it with --interval SECONDS.';
  const interval = readWholeSeconds(json, 'interval', remarks);
  if (interval !== undefined && interval <= expiresIn) return interval;
  if (options.intervalOverride !== undefined) return undefined;
  throw invalid(
    interval === undefined
      ? `"interval" must be a positive whole number of seconds, and is ${showMember(json, 'interval')}`
      : `its "interval" of ${interval} s is longer than its "expires_in" of ${expiresIn} s`,
    override,
  );
}

function invalid(what: string, more = ''): ValidationError {
  return new ValidationError('acknowledgement_invalid', `the acknowledgement breaks the protocol: ${what}`, {
    hint: `The server is at fault (CIBA Core §7.3). ${more}`.trim(),
  });
}
