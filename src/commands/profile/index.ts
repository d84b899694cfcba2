import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { isSecretName } from '../../redact.ts';

import { documentCommand, NETWORK_GLOBALS, OFFLINE_GLOBALS } from '../../session/command-help.ts';

import { findIssuer } from '../../session/issuer.ts';

import { warnAboutLiteral } from '../../session/option-values.ts';
import { definedOnly, openSession, printResult, readFlags, type Session } from '../../session/session.ts';
import { checkSetting } from '../../session/setting-checks.ts';
import { addProfileSettings } from '../../session/setting-options.ts';
import { Settings } from '../../session/settings.ts';
import { findDefinition, SETTING_NAMES, type SettingName } from '../../settings.ts';
import type { Profile } from '../../store/profiles.ts';
import { isSecretReference } from '../../store/secret-reference.ts';
import { chooseProfile } from './choose-profile.ts';

/** The options that are no settings. */
interface RealmFlags {
  readonly url?: string;
  readonly realm?: string;
}

/** What a profile is to hold, by the names of the settings. */
type ProfileValues = RealmFlags & Partial<Record<SettingName, string>>;

/** The settings that a profile can hold, by its members. */
const SETTING_BY_MEMBER: Readonly<Record<string, SettingName>> = Object.fromEntries(
  SETTING_NAMES.flatMap((name) => {
    const { profile } = findDefinition(name);
    return profile === undefined ? [] : [[profile, name]];
  }),
);

/** The global options of a command that changes a profile: it may look for a realm, and a profile holds some of them. */
const CHANGE_GLOBALS = NETWORK_GLOBALS.filter((name) => name !== 'profile');

/** `oauthctl profile …` */
export function defineProfile(command: Command, ctx: Context): void {
  const add = command
    .command('add')
    .description('add a profile')
    .argument('[name]', 'its name (default: the realm)');
  addProfileOptions(add)
    .option('--force', 'replace a profile of the same name')
    .option('--use', 'make it the current profile')
    .action((name: string | undefined) => runAdd(ctx, add, name));
  documentCommand(add, {
    globals: CHANGE_GLOBALS,
    examples: [
      'oauthctl profile add sample --url http://127.0.0.1:8080 --realm SampleRealm --client-id test-client --client-secret env:SECRET',
      'oauthctl profile add --issuer https://as.example --client-id app --client-key key.json --use',
    ],
  });

  const list = command.command('list').description('list the profiles');
  list.action(() => runList(ctx, list));
  documentCommand(list, { globals: OFFLINE_GLOBALS, examples: ['oauthctl profile list'] });

  const show = command.command('show').description('show a profile, secrets masked').argument('[name]');
  show.action((name: string | undefined) => runShow(ctx, show, name));
  documentCommand(show, {
    globals: [...OFFLINE_GLOBALS, 'profile'],
    examples: ['oauthctl profile show', 'oauthctl profile show sample --field issuer'],
  });

  const use = command
    .command('use')
    .description('make a profile the current one')
    .argument('[name]', 'its name (default: a choice from the list, on a terminal)');
  use.action((name: string | undefined) => runUse(ctx, use, name));
  documentCommand(use, { globals: [...OFFLINE_GLOBALS, 'input'], examples: ['oauthctl profile use sample'] });

  const set = command.command('set').description('change a profile').argument('<name>');
  addProfileOptions(set)
    .option(
      '--unset <member...>',
      `remove members: ${Object.keys(SETTING_BY_MEMBER)
        .filter((member) => member !== 'issuer')
        .join(', ')}`,
    )
    .action((name: string) => runSet(ctx, set, name));
  documentCommand(set, {
    globals: CHANGE_GLOBALS,
    examples: [
      'oauthctl profile set sample --scope "openid email"',
      'oauthctl profile set sample --unset dpop scope',
    ],
  });

  const remove = command.command('remove').description('remove a profile').argument('<name>');
  remove.action((name: string) => runRemove(ctx, remove, name));
  documentCommand(remove, { globals: OFFLINE_GLOBALS, examples: ['oauthctl profile remove sample'] });
  documentCommand(command, { examples: ['oauthctl profile add', 'oauthctl profile use sample'] });
}

function addProfileOptions(command: Command): Command {
  return addProfileSettings(
    command
      .option(
        '--url <url>',
        'the base URL of a Keycloak, with --realm: finds the realm below /realms or /auth/realms',
      )
      .option('--realm <name>', 'the realm, with --url'),
  );
}

async function runAdd(base: Context, command: Command, name: string | undefined): Promise<void> {
  const session = await openStoreSession(base, command);
  const { ctx, mayAsk } = session;
  const given = readValues(command);
  warnAboutSecrets(session, given);
  const values = await askForMissing(session, given);
  const profileName = name ?? values.realm ?? (mayAsk ? await askName(ctx) : 'default');
  const { force, use } = command.opts<{ force?: true; use?: true }>();
  const { profiles } = await ctx.store();
  const issuer = await resolveIssuer(session, values);
  if (issuer === undefined) {
    throw new UsageError('setting_missing', 'the authorization server is missing', {
      hint: 'Give --issuer URL, or --url URL and --realm NAME for a realm of Keycloak.',
    });
  }
  const isNamed = values.issuer !== undefined || values.url !== undefined;
  const members = await buildMembers(session, values);
  const profile: Profile = { issuer, ...(!isNamed && { discovery: 'false' }), ...members };
  await profiles.add(profileName, profile, { overwrite: force === true, use: use === true });
  printResult(
    session,
    { name: profileName, ...masked(session, profile) },
    () => `profile "${profileName}" · ${issuer}\n`,
  );
}

async function runList(base: Context, command: Command): Promise<void> {
  const session = await openStoreSession(base, command);
  const { current, profiles } = await (await session.ctx.store()).profiles.list();
  const shown = Object.fromEntries(
    Object.entries(profiles).map(([name, profile]) => [name, masked(session, profile)]),
  );
  printResult(session, { current: current ?? null, profiles: shown }, () => {
    const width = Math.max(0, ...Object.keys(profiles).map((name) => name.length));
    return Object.entries(profiles)
      .map(
        ([name, { issuer, client_id }]) =>
          `${name === current ? '*' : ' '} ${name.padEnd(width)}  ${issuer}${client_id ? `  ${client_id}` : ''}\n`,
      )
      .join('');
  });
}

async function runShow(base: Context, command: Command, name: string | undefined): Promise<void> {
  const session = await openStoreSession(base, command);
  const { profiles } = await session.ctx.store();
  const wanted =
    name ??
    session.globals.profile ??
    (session.ctx.env.OAUTHCTL_PROFILE || undefined) ??
    (await profiles.list()).current;
  if (wanted === undefined) {
    throw new UsageError('profile_missing', 'no profile is in use', {
      hint: 'Name one, choose one with "oauthctl profile use", or make one with "oauthctl profile add".',
    });
  }
  const profile = masked(session, await profiles.get(wanted));
  const shown = { name: wanted, ...profile };
  printResult(session, shown, () => {
    const width = Math.max(14, ...Object.keys(shown).map((member) => member.length));
    return Object.entries(shown)
      .map(([member, value]) => `${member.padEnd(width)} ${value}\n`)
      .join('');
  });
}

async function runUse(base: Context, command: Command, given: string | undefined): Promise<void> {
  const session = await openStoreSession(base, command);
  const { profiles } = await session.ctx.store();
  const name = given ?? (await chooseProfile(session, await profiles.list()));
  await profiles.use(name);
  printResult(session, { current: name }, () => `profile "${name}" is in use\n`);
}

async function runSet(base: Context, command: Command, name: string): Promise<void> {
  const session = await openStoreSession(base, command);
  const { profiles } = await session.ctx.store();
  const values = readValues(command);
  warnAboutSecrets(session, values);
  await profiles.get(name);
  const { unset = [] } = command.opts<{ unset?: readonly string[] }>();
  const removed = unset.map((member) => {
    if (member === 'issuer' || !Object.hasOwn(SETTING_BY_MEMBER, member)) {
      throw new UsageError('member_unknown', `a profile has no "${member}" to remove`);
    }
    return [member, undefined] as const;
  });
  const issuer = await resolveIssuer(session, values);
  const isGiven = values.issuer !== undefined || values.url !== undefined;
  const changes = {
    ...(await buildMembers(session, values)),
    ...(issuer !== undefined && isGiven && { issuer }),
  };
  if (Object.keys(changes).length + removed.length === 0) {
    throw new UsageError('nothing_to_set', 'nothing to change was given', {
      hint: 'See "oauthctl profile set --help".',
    });
  }
  await profiles.set(name, { ...changes, ...Object.fromEntries(removed) });
  const profile = masked(session, await profiles.get(name));
  printResult(session, { name, ...profile }, () => `profile "${name}" changed\n`);
}

async function runRemove(base: Context, command: Command, name: string): Promise<void> {
  const session = await openStoreSession(base, command);
  await (await session.ctx.store()).profiles.remove(name);
  printResult(session, { removed: name }, () => `profile "${name}" removed\n`);
}

/** A session that resolves no profile: these commands must work when the current one is broken or gone. */
async function openStoreSession(base: Context, command: Command): Promise<Session> {
  return openSession(base, command, { withoutProfile: true });
}

/** The values of the options. */
function readValues(command: Command): ProfileValues {
  const { url, realm } = command.opts<RealmFlags>();
  return definedOnly<ProfileValues>({ ...readFlags(command), ...(url && { url }), ...(realm && { realm }) });
}

async function resolveIssuer(session: Session, values: ProfileValues): Promise<string | undefined> {
  const { url, realm, issuer, acceptIssuer, ...flags } = values;
  if (issuer !== undefined) {
    checkSetting('issuer', { value: issuer, source: 'flag' });
    return issuer;
  }
  // A server without metadata goes by the origin of its endpoints.
  if (url === undefined && realm === undefined)
    return findIssuer(new Settings({ flags, env: {}, profile: undefined }));
  if (url === undefined || realm === undefined) {
    throw new UsageError('url_and_realm', '--url and --realm must be given together');
  }
  const { findKeycloakRealm } = await import('../../flows/server/discover.ts');
  return (await findKeycloakRealm(session.ctx, { url, realm, acceptIssuer })).issuer;
}

/**
 * Builds the members of a profile.
 * @throws UsageError as checkSetting
 */
async function buildMembers(session: Session, values: ProfileValues): Promise<Partial<Profile>> {
  const members: Record<string, string> = {};
  for (const [member, name] of Object.entries(SETTING_BY_MEMBER)) {
    const value = values[name];
    if (value === undefined) continue;
    checkSetting(name, { value, source: 'flag' });
    members[member] = await buildMember(session, name, value);
  }
  return members;
}

/** Makes paths absolute, so that the profile works from every folder. */
async function buildMember(session: Session, name: SettingName, value: string): Promise<string> {
  const { check } = findDefinition(name);
  if (check === 'file') return resolve(value);
  if (check !== 'reference') return value;
  // A reference stays a reference; what standard input gives is stored itself.
  if (value === '-') return session.ctx.secret('-');
  if (value.startsWith('file:')) return `file:${resolve(value.slice('file:'.length))}`;
  if (!isSecretReference(value)) session.ctx.redactor.know(value);
  return value;
}

/** Warns about secrets in the arguments; one that is typed at a prompt is not among them. */
function warnAboutSecrets(session: Session, values: ProfileValues): void {
  for (const name of SETTING_NAMES) {
    const value = values[name];
    if (value !== undefined && findDefinition(name).check === 'reference') warnAboutLiteral(session, value);
  }
}

async function askForMissing(session: Session, given: ProfileValues): Promise<ProfileValues> {
  if (!session.mayAsk) return given;
  const prompt = await session.ctx.prompt();
  const optional = async (question: string) => (await prompt.text(question, { optional: true })) || undefined;
  const asked: { -readonly [Name in keyof ProfileValues]: ProfileValues[Name] } = { ...given };
  if (given.issuer === undefined && (given.url === undefined || given.realm === undefined)) {
    if (given.url === undefined && given.realm === undefined) {
      const address = await prompt.text('Issuer URL, or the base URL of a Keycloak server:', {
        initial: 'http://127.0.0.1:8080',
      });
      if (/\/realms\//.test(address)) asked.issuer = address;
      else asked.url = address;
    }
    if (asked.issuer === undefined) {
      asked.url ??= await prompt.text('Base URL of the Keycloak server:', {
        initial: 'http://127.0.0.1:8080',
      });
      const realm = given.realm ?? (await optional('Realm of Keycloak (empty if the URL is the issuer):'));
      if (realm === undefined) asked.issuer = asked.url;
      else asked.realm = realm;
    }
  }
  asked.clientId ??= await prompt.text('Client id:');
  if (takesSecret(given)) {
    const secret = await prompt.secret(
      'Client secret, or env:NAME, file:PATH, cmd:COMMAND (empty for none):',
    );
    if (secret !== '') asked.clientSecret = secret;
  }
  return definedOnly(asked);
}

/** Whether a client secret is still to be asked for: no other credential or method speaks against it. */
function takesSecret({ clientSecret, clientKey, clientAssertion, authMethod }: ProfileValues): boolean {
  if (clientSecret !== undefined || clientKey !== undefined || clientAssertion !== undefined) return false;
  return authMethod === undefined || authMethod.startsWith('client_secret_');
}

async function askName(ctx: Context): Promise<string> {
  return (await ctx.prompt()).text('Name of the profile:', { initial: 'default' });
}

function masked(session: Session, profile: Partial<Profile>): Record<string, string> {
  const members = Object.entries(definedOnly(profile)) as [string, string][];
  return Object.fromEntries(
    members.map(([member, value]) => {
      const isHidden = isSecretMember(member) && !isSecretReference(value);
      return [member, isHidden && !session.ctx.redactor.showSecrets ? '(masked)' : value];
    }),
  );
}

/** Whether a member holds a secret; one that is no setting was written by hand, and goes by its name. */
function isSecretMember(member: string): boolean {
  const name = Object.hasOwn(SETTING_BY_MEMBER, member) ? SETTING_BY_MEMBER[member] : undefined;
  return name === undefined ? isSecretName(member) : findDefinition(name).secret;
}
