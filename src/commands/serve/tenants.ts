import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { readNumberText, setMember } from '../../exact-json.ts';
import {
  type ClaimValue,
  isTenantsDocument,
  parseTenants,
  type Tenant,
  type TenantEntry,
  type TenantsDocument,
} from '../../flows/serve/tenants-file.ts';
import { printable } from '../../output/printable.ts';
import { VALIDATIONS, type Validation } from '../../protocol/oauth/bearer.ts';
import { documentCommand, OFFLINE_GLOBALS } from '../../session/command-help.ts';
import { parseNameValue, warnAboutLiteral } from '../../session/option-values.ts';
import { definedOnly, openSession, printResult, type Session } from '../../session/session.ts';
import { JsonFile } from '../../store/json-file.ts';
import { isSecretReference } from '../../store/secret-reference.ts';

interface TenantFlags {
  readonly tenants?: string;
  readonly audience?: readonly string[];
  readonly anyAudience?: true;
  readonly allowedValue?: readonly string[];
  readonly jwksUri?: string;
  readonly accessTokenIssuer?: string;
  readonly validation?: Validation;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly scope?: readonly string[];
  readonly claim?: readonly string[];
  readonly force?: true;
}

/** `oauthctl serve tenants …`; `--tenants`, `--audience` and `--any-audience` are options of `serve` itself. */
export function defineTenants(command: Command, ctx: Context): void {
  const add = command
    .command('add')
    .description('add a tenant to the file of --tenants; creates the file if it does not exist')
    .argument(
      '<issuer>',
      'as its tokens and its metadata have it; {NAME} in it stands for the allowed values',
    )
    .option('--allowed-value <value...>', 'what {NAME} in the issuer may be')
    .option('--jwks-uri <url>', 'where its keys are, in place of what its metadata says')
    .option('--access-token-issuer <url>', 'what iss of its access tokens is, where that is not the issuer')
    .addOption(new Option('--validation <how>', 'how its tokens are validated').choices(VALIDATIONS))
    .option('--client-id <id>', 'the client that introspects')
    .option('--client-secret <ref>', 'the secret of this client: env:NAME, file:PATH or cmd:COMMAND')
    .option('--scope <scope...>', 'required scope; a token must have all of them')
    .option('--claim <name=value...>', 'required value of a claim; a list must contain it')
    .option('--force', 'replace the tenant of the same issuer');
  add.action((issuer: string) => runAdd(ctx, add, issuer));
  documentCommand(add, {
    globals: [...OFFLINE_GLOBALS, 'tenants', 'audience', 'anyAudience'],
    examples: [
      'oauthctl serve tenants add https://as.example --tenants tenants.json --audience api',
      "oauthctl serve tenants add 'https://login.example/{tenantid}/v2.0' --tenants tenants.json --audience api --allowed-value one two --jwks-uri https://login.example/keys",
      'oauthctl serve tenants add https://as.example --tenants tenants.json --any-audience --validation introspection --client-id api --client-secret env:SECRET',
    ],
  });

  const remove = command
    .command('remove')
    .description('remove a tenant from the file of --tenants')
    .argument('<issuer>');
  remove.action((issuer: string) => runRemove(ctx, remove, issuer));
  documentCommand(remove, {
    globals: [...OFFLINE_GLOBALS, 'tenants'],
    examples: ['oauthctl serve tenants remove https://as.example --tenants tenants.json'],
  });

  const list = command.command('list').description('list the tenants of the file of --tenants');
  list.action(() => runList(ctx, list));
  documentCommand(list, {
    globals: [...OFFLINE_GLOBALS, 'tenants'],
    examples: ['oauthctl serve tenants list --tenants tenants.json'],
  });
  documentCommand(command, { examples: ['oauthctl serve tenants list --tenants tenants.json'] });
}

async function runAdd(base: Context, command: Command, issuer: string): Promise<void> {
  const { session, path, file, flags } = await openTenants(base, command);
  if (flags.clientSecret !== undefined) warnAboutLiteral(session, flags.clientSecret);
  const entry = buildEntry(issuer, flags);
  const tenant = await file.change((document) => {
    const others = document.tenants.filter((one) => one.issuer !== issuer);
    if (others.length < document.tenants.length && !flags.force) {
      throw new UsageError('tenant_exists', `${path} already has a tenant ${issuer}`, {
        hint: 'Replace it with --force.',
      });
    }
    document.tenants = [...others, entry];
    return parseTenants(document, path).at(-1);
  });
  if (tenant) printResult(session, shown(session, tenant), () => `tenant added: ${printable(issuer)}\n`);
}

async function runRemove(base: Context, command: Command, issuer: string): Promise<void> {
  const { session, path, file } = await openTenants(base, command);
  await file.change((document) => {
    const others = document.tenants.filter((one) => one.issuer !== issuer);
    if (others.length === document.tenants.length) {
      throw new UsageError('tenant_unknown', `${path} has no tenant ${issuer}`, {
        hint: 'See "oauthctl serve tenants list"; an issuer must match exactly.',
      });
    }
    document.tenants = others;
  });
  printResult(session, { removed: issuer }, () => `tenant removed: ${printable(issuer)}\n`);
}

async function runList(base: Context, command: Command): Promise<void> {
  const { session, path, file } = await openTenants(base, command);
  const tenants = parseTenants(await file.read(), path);
  printResult(session, { tenants: tenants.map((tenant) => shown(session, tenant)) }, () =>
    tenants.map((tenant) => `${describe(tenant)}\n`).join(''),
  );
}

async function openTenants(base: Context, command: Command) {
  const flags = command.optsWithGlobals<TenantFlags>();
  const session = await openSession(base, command, { withoutProfile: true });
  if (flags.tenants === undefined) {
    throw new UsageError('tenants_missing', 'the file of the tenants is missing', {
      hint: 'Give --tenants FILE.',
    });
  }
  const path = resolve(flags.tenants);
  const file = new JsonFile<TenantsDocument>(path, {
    empty: () => ({ tenants: [] }),
    isContent: isTenantsDocument,
  });
  return { session, path, file, flags };
}

function buildEntry(issuer: string, flags: TenantFlags): TenantEntry {
  const { audience, clientSecret } = flags;
  return definedOnly({
    issuer,
    allowed_values: flags.allowedValue,
    jwks_uri: flags.jwksUri,
    access_token_issuer: flags.accessTokenIssuer,
    audience: audience?.length === 1 ? audience[0] : audience,
    any_audience: flags.anyAudience,
    validation: flags.validation,
    client_id: flags.clientId,
    // The server may run in another folder.
    client_secret: clientSecret?.startsWith('file:')
      ? `file:${resolve(clientSecret.slice(5))}`
      : clientSecret,
    scopes: flags.scope,
    claims: flags.claim && parseClaims(flags.claim),
  }) as TenantEntry;
}

/** A value that is a JSON number or boolean becomes one, with the unchanged text of a number; other values are text. */
function parseClaims(texts: readonly string[]): Record<string, ClaimValue> {
  const claims: Record<string, ClaimValue> = {};
  for (const text of texts) {
    const [name, value] = parseNameValue(text, '--claim', 'claim_invalid');
    const isLiteral = /^(true|false|-?(0|[1-9]\d*)(\.\d+)?)$/.test(value);
    setMember(claims, name, isLiteral ? value : JSON.stringify(value));
  }
  return claims;
}

function shown({ ctx }: Session, { client_secret, ...tenant }: Tenant) {
  if (client_secret === undefined) return tenant;
  const isReference = isSecretReference(client_secret) || ctx.redactor.showSecrets;
  return { ...tenant, client_secret: isReference ? client_secret : '(masked)' };
}

function describe(tenant: Tenant): string {
  const { issuer, audience, validation, client_id, scopes, claims } = tenant;
  const { allowed_values, jwks_uri, access_token_issuer } = tenant;
  const parts = [
    issuer,
    allowed_values && `for ${allowed_values.join(', ')}`,
    jwks_uri && `keys at ${jwks_uri}`,
    access_token_issuer && `access tokens of ${access_token_issuer}`,
    validation === 'introspection' ? `introspection as ${client_id}` : validation,
    audience.length === 0 ? 'any audience' : `audience ${audience.join(', ')}`,
    scopes.length === 0 ? undefined : `scope ${scopes.join(' ')}`,
    ...Object.entries(claims).map(([name, value]) => `${name}=${readNumberText(claims, name) ?? value}`),
  ];
  return parts.flatMap((part) => (part === undefined ? [] : printable(part))).join(' · ');
}
