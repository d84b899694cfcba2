import type { Command } from 'commander';
import { CLIENT_AUTH_METHODS } from '../protocol/oauth/client-authentication.ts';
import { findDefinition, SETTING_NAMES, type SettingName } from '../settings.ts';
import { createSettingOptions, SettingOption, type SettingWording } from './options.ts';

/** The settings that say which server and which client are used. */
const SERVER_SETTINGS = [
  'issuer',
  'acceptIssuer',
  'clientId',
  'tokenEndpoint',
  'authorizationEndpoint',
  'pushedAuthorizationRequestEndpoint',
  'backchannelAuthenticationEndpoint',
  'deviceAuthorizationEndpoint',
  'introspectionEndpoint',
  'revocationEndpoint',
  'userinfoEndpoint',
  'endSessionEndpoint',
  'jwksUri',
  'discovery',
  'allowHttpEndpoints',
  'clientSecret',
  'authMethod',
  'clientKey',
  'kid',
  'signingAlg',
  'decryptionKey',
  'clientAssertion',
  'assertionAudience',
  'dpop',
  'dpopKey',
  'dpopAlg',
] as const satisfies readonly SettingName[];

/** Adds the options of every command that sends requests as a client. */
export function addServerOptions(command: Command): Command {
  return addSettings(command, ...SERVER_SETTINGS);
}

/** Adds the same options to a command that does not use them: they are accepted, but not shown in its help. */
export function acceptServerOptions(command: Command, ...shown: readonly SettingName[]): Command {
  addSettings(command, ...SERVER_SETTINGS);
  for (const option of command.options) {
    if (option instanceof SettingOption && !shown.includes(option.setting)) option.hideHelp();
  }
  return command;
}

/** Adds the options of settings. */
export function addSettings(command: Command, ...names: readonly SettingName[]): Command {
  for (const name of names) addSetting(command, name);
  return command;
}

/** Adds the option of one setting. @param wording help texts that differ from the table */
export function addSetting(command: Command, name: SettingName, wording?: SettingWording): Command {
  return addOptions(command, name, createSettingOptions(name, wording));
}

/** The settings that a profile can hold, except those whose options every command has. */
export const PROFILE_SETTINGS: readonly SettingName[] = SETTING_NAMES.filter((name) => {
  const { profile, group } = findDefinition(name);
  return profile !== undefined && group !== 'network';
});

/** Adds the options of `profile add` and `profile set`: one for every setting that a profile can hold. */
export function addProfileSettings(command: Command): Command {
  for (const name of PROFILE_SETTINGS) {
    const { profileFlag } = findDefinition(name);
    // The default of a setting is not stored in the profile, so the help does not name it.
    addOptions(command, name, createSettingOptions(name, { flag: profileFlag, defaultText: null }));
  }
  return command;
}

function addOptions(command: Command, name: SettingName, options: readonly SettingOption[]): Command {
  for (const option of options) {
    const { check, choices } = findDefinition(name);
    if (check === 'auth_method') option.choices([...CLIENT_AUTH_METHODS]);
    if (choices !== undefined) option.choices([...choices]);
    // A list that is separated by spaces can also be given by repeating the option.
    if (name === 'trustAudience' || name === 'pendingError')
      option.argParser((value, before?: string) => (before === undefined ? value : `${before} ${value}`));
    command.addOption(option);
  }
  return command;
}
