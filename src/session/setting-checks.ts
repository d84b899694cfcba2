import { UsageError } from '../errors.ts';
import { CLIENT_AUTH_METHODS, type ClientAuthMethod } from '../protocol/oauth/client-authentication.ts';
import { parseRedirectUri } from '../protocol/oauth/redirect-uri.ts';
import { parseListenAddress } from '../servers/listen-address.ts';
import { findDefinition, type SettingCheck, type SettingName } from '../settings.ts';
import { parseBoolean, parseSeconds } from './option-values.ts';
import type { Setting } from './settings.ts';

/** Checks a value. `place` is its name in an error, `code` the error code of the setting. */
type Check = (value: string, place: string, code: string) => void;

const CHECKS: Readonly<Record<SettingCheck, Check>> = {
  text: () => {},
  file: () => {},
  reference: () => {},
  url: (value, place, code) => {
    if (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return;
    throw new UsageError(code, `${place} takes an http or https URL; "${value}" is invalid`);
  },
  seconds: (value, place) => parseSeconds(value, place),
  boolean: (value, place, code) => parseBoolean(value, place, code),
  auth_method: (value, place) => parseAuthMethod(value, place),
  listen_address: (value, place) => withPlace(place, () => parseListenAddress(value)),
  redirect_uri: (value, place) => withPlace(place, () => parseRedirectUri(value)),
};

/**
 * Checks the value of a setting.
 * @throws UsageError that names the flag, the environment variable or the profile member that holds it
 */
export function checkSetting(name: SettingName, { value, source }: Setting): void {
  const { flag, env, profile = '', check, choices } = findDefinition(name);
  const place = { flag, environment: env, profile: `${profile} of the profile`, default: flag }[source];
  const code = `${name.replace(/[A-Z]/g, '_$&').toLowerCase()}_invalid`;
  CHECKS[check](value, place, code);
  if (choices === undefined || choices.includes(value)) return;
  throw new UsageError(code, `${place} cannot be "${value}"`, { hint: `There are: ${choices.join(', ')}.` });
}

/** @throws UsageError `auth_method_unknown` */
export function parseAuthMethod(method: string, place = '--auth-method'): ClientAuthMethod {
  const known = CLIENT_AUTH_METHODS.find((name) => name === method);
  if (known !== undefined) return known;
  throw new UsageError(
    'auth_method_unknown',
    `${place}: "${method}" is not a supported client authentication method`,
    {
      hint: `Supported: ${CLIENT_AUTH_METHODS.join(', ')}.`,
    },
  );
}

/** Adds to the message of a failed check where the value is set. */
function withPlace(place: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.code, `${place}: ${error.message}`, { hint: error.hint, cause: error });
  }
}
