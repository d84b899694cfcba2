import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { isSecretName } from '../../redact.ts';
import { checkAuthMethod, warnAboutLiteral } from '../../session/client.ts';
import {
  addServerOptions,
  definedOnly,
  openSession,
  printResult,
  type Session,
} from '../../session/session.ts';
import type { Profile } from '../../store/profiles.ts';
import { isSecretReference } from '../../store/secret-reference.ts';

interface ProfileFlags {
  readonly url?: string;
  readonly realm?: string;
  readonly issuer?: string;
  readonly acceptIssuer?: string;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly authMethod?: string;
  readonly clientKey?: string;
  readonly kid?: string;
  readonly signingAlg?: string;
  readonly clientAssertion?: string;
  readonly assertionAudience?: string;
  readonly dpop?: boolean;
  readonly dpopKey?: string;
  readonly dpopAlg?: string;
  readonly scope?: string;
  readonly loginHint?: string;
  readonly deviceListen?: string;
  readonly redirectUri?: string;
  readonly decryptionKey?: string;
  readonly idTokenAlg?: string;
}

/** The members of a profile that a person may set or unset, and the option that sets each. */
const MEMBERS = [
  'issuer',
  'accept_issuer',
  'client_id',
  'client_secret',
  'auth_method',
  'client_key',
  'kid',
  'signing_alg',
  'client_assertion',
  'assertion_audience',
  'dpop',
  'dpop_key',
  'dpop_alg',
  'scope',
  'login_hint',
  'device_listen',
  'redirect_uri',
  'decryption_key',
  'id_token_alg',
  'ca_cert',
  'cert',
  'key',
] as const satisfies readonly (keyof Profile)[];

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

  const list = command.command('list').description('list the profiles');
  list.action(() => runList(ctx, list));

  const show = command.command('show').description('show a profile, secrets masked').argument('[name]');
  show.action((name: string | undefined) => runShow(ctx, show, name));

  const use = command.command('use').description('make a profile the current one').argument('<name>');
  use.action((name: string) => runUse(ctx, use, name));

  const set = command.command('set').description('change a profile').argument('<name>');
  addProfileOptions(set)
    .option(
      '--unset <member...>',
      `remove members: ${MEMBERS.filter((member) => member !== 'issuer').join(', ')}`,
    )
    .action((name: string) => runSet(ctx, set, name));

  const remove = command.command('remove').description('remove a profile').argument('<name>');
  remove.action((name: string) => runRemove(ctx, remove, name));
}

function addProfileOptions(command: Command): Command {
  return addServerOptions(command)
    .option('--url <url>', 'a Keycloak, with --realm: finds the realm below /realms or /auth/realms')
    .option('--realm <name>', 'the realm, with --url')
    .option('--scope <scopes>', 'the scopes to ask for')
    .option('--login-hint <user>', 'CIBA: who should be asked')
    .option('--device-listen <host:port/path>', 'CIBA: where the authentication device listens')
    .option('--redirect-uri <uri>', 'authorization code: where the browser comes back to')
    .option('--id-token-alg <alg>', "the client's registered id_token_signed_response_alg");
}

async function runAdd(base: Context, command: Command, name: string | undefined): Promise<void> {
  const session = await openStoreSession(base, command);
  const { ctx, mayAsk } = session;
  warnAboutSecret(session, command);
  const flags = await askForMissing(session, command.opts<ProfileFlags>());
  const profileName = name ?? flags.realm ?? (mayAsk ? await askName(ctx) : 'default');
  const { force, use } = command.opts<{ force?: true; use?: true }>();
  const { profiles } = await ctx.store();
  const issuer = await findIssuer(session, flags);
  if (issuer === undefined) {
    throw new UsageError('setting_missing', 'the authorization server is not known', {
      hint: 'Give --url URL --realm NAME for a Keycloak, or --issuer URL for any server.',
    });
  }
  const changes = await readMembers(session, flags);
  const profile = { issuer, ...definedOnly(changes) } as Profile;
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

async function runUse(base: Context, command: Command, name: string): Promise<void> {
  const session = await openStoreSession(base, command);
  await (await session.ctx.store()).profiles.use(name);
  printResult(session, { current: name }, () => `profile "${name}" is in use\n`);
}

async function runSet(base: Context, command: Command, name: string): Promise<void> {
  const session = await openStoreSession(base, command);
  const { profiles } = await session.ctx.store();
  const flags = command.opts<ProfileFlags & { unset?: readonly string[] }>();
  warnAboutSecret(session, command);
  await profiles.get(name);
  const removed = (flags.unset ?? []).map((member) => {
    if (member === 'issuer' || !(MEMBERS as readonly string[]).includes(member)) {
      throw new UsageError('member_unknown', `a profile has no "${member}" to remove`);
    }
    return [member, undefined] as const;
  });
  const issuer = await findIssuer(session, flags);
  const changes = definedOnly({
    ...(await readMembers(session, flags)),
    ...(issuer !== undefined && { issuer }),
  });
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
  return openSession(base, command, {}, { withoutProfile: true });
}

async function findIssuer(session: Session, flags: ProfileFlags): Promise<string | undefined> {
  const { url, realm, issuer, acceptIssuer } = flags;
  if (issuer !== undefined) {
    if (!URL.canParse(issuer) || !/^https?:$/.test(new URL(issuer).protocol)) {
      throw new UsageError('issuer_invalid', `--issuer takes an http or https URL, and got "${issuer}"`);
    }
    return issuer;
  }
  if (url === undefined && realm === undefined) return undefined;
  if (url === undefined || realm === undefined) {
    throw new UsageError('url_and_realm', '--url and --realm belong together');
  }
  const { findKeycloakRealm } = await import('../../flows/server/discover.ts');
  return (await findKeycloakRealm(session.ctx, { url, realm, acceptIssuer })).issuer;
}

/** Turns the flags into members; files get absolute paths, so that the profile works from any folder. */
async function readMembers(session: Session, flags: ProfileFlags) {
  const { caCert, cert, key } = session.globals;
  const absolute = (path: string | undefined) => (path === undefined ? undefined : resolve(path));
  return {
    accept_issuer: flags.acceptIssuer,
    client_id: flags.clientId,
    client_secret: await readSecret(session, flags.clientSecret),
    auth_method: flags.authMethod === undefined ? undefined : checkAuthMethod(flags.authMethod),
    client_key: absolute(flags.clientKey),
    kid: flags.kid,
    signing_alg: flags.signingAlg,
    client_assertion: await readSecret(session, flags.clientAssertion),
    assertion_audience: flags.assertionAudience,
    dpop: flags.dpop === undefined ? undefined : String(flags.dpop),
    dpop_key: absolute(flags.dpopKey),
    dpop_alg: flags.dpopAlg,
    scope: flags.scope,
    login_hint: flags.loginHint,
    device_listen: flags.deviceListen,
    redirect_uri: flags.redirectUri,
    decryption_key: absolute(flags.decryptionKey),
    id_token_alg: flags.idTokenAlg,
    ca_cert: absolute(caCert),
    cert: absolute(cert),
    key: absolute(key),
  };
}

/** A reference stays a reference; what standard input gave is stored itself. */
async function readSecret(session: Session, reference: string | undefined): Promise<string | undefined> {
  if (reference === undefined) return undefined;
  if (reference === '-') return session.ctx.secret('-');
  if (reference.startsWith('file:')) return `file:${resolve(reference.slice('file:'.length))}`;
  if (!/^(env|cmd):/.test(reference)) session.ctx.redactor.know(reference);
  return reference;
}

/** A secret that was typed at a prompt stood in no argument. */
function warnAboutSecret(session: Session, command: Command): void {
  const { clientSecret, clientAssertion } = command.opts<ProfileFlags>();
  for (const secret of [clientSecret, clientAssertion])
    if (secret !== undefined) warnAboutLiteral(session, secret);
}

async function askForMissing(session: Session, flags: ProfileFlags): Promise<ProfileFlags> {
  if (!session.mayAsk) return flags;
  const prompt = await session.ctx.prompt();
  const optional = async (question: string) => (await prompt.text(question, { optional: true })) || undefined;
  const asked: { -readonly [Name in keyof ProfileFlags]: ProfileFlags[Name] } = { ...flags };
  if (flags.issuer === undefined && (flags.url === undefined || flags.realm === undefined)) {
    if (flags.url === undefined && flags.realm === undefined) {
      const address = await prompt.text('Issuer, or the address of a Keycloak:', {
        initial: 'http://127.0.0.1:8080',
      });
      if (/\/realms\//.test(address)) asked.issuer = address;
      else asked.url = address;
    }
    if (asked.issuer === undefined) {
      asked.url ??= await prompt.text('Address of the Keycloak:', { initial: 'http://127.0.0.1:8080' });
      const realm = flags.realm ?? (await optional('Realm (empty if the address is an issuer already):'));
      if (realm === undefined) asked.issuer = asked.url;
      else asked.realm = realm;
    }
  }
  asked.clientId ??= await prompt.text('Client id:');
  if (takesSecret(flags)) {
    const secret = await prompt.secret(
      'Client secret, or env:NAME, file:PATH, cmd:COMMAND (empty for none):',
    );
    if (secret !== '') asked.clientSecret = secret;
  }
  return definedOnly(asked);
}

/** Whether a client secret is still to be asked for: no other credential or method speaks against it. */
function takesSecret({ clientSecret, clientKey, clientAssertion, authMethod }: ProfileFlags): boolean {
  if (clientSecret !== undefined || clientKey !== undefined || clientAssertion !== undefined) return false;
  return authMethod === undefined || authMethod.startsWith('client_secret_');
}

async function askName(ctx: Context): Promise<string> {
  return (await ctx.prompt()).text('Name of the profile:', { initial: 'default' });
}

function masked(session: Session, profile: Profile): Record<string, string> {
  const members = Object.entries(definedOnly(profile)) as [string, string][];
  return Object.fromEntries(
    members.map(([member, value]) => {
      // A proof is a secret; whether there are to be any is none.
      const isSecret = member !== 'dpop' && isSecretName(member) && !isSecretReference(value);
      return [member, isSecret && !session.ctx.redactor.showSecrets ? '(masked)' : value];
    }),
  );
}
