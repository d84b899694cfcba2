import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import type { ServeEvent, Serving } from '../../flows/serve/serve.ts';
import { parseTenants, parseTenantsText, type Tenant } from '../../flows/serve/tenants-file.ts';
import { printable } from '../../output/printable.ts';
import { isLoopbackHost } from '../../protocol/loopback.ts';
import { type ListenAddress, parseListenAddress } from '../../servers/listen-address.ts';
import { documentCommand, NETWORK_GLOBALS, OFFLINE_GLOBALS } from '../../session/command-help.ts';
import { parseSeconds } from '../../session/option-values.ts';
import { createRepeatableOption } from '../../session/options.ts';
import { openSession, printResult, type Session } from '../../session/session.ts';
import { runUntilSignal } from '../../session/until-signal.ts';
import { RequestLog } from './log.ts';
import { defineTenants } from './tenants.ts';

interface ServeFlags {
  readonly listen: string;
  readonly allowRemote?: true;
  readonly issuer?: readonly string[];
  readonly audience?: readonly string[];
  readonly anyAudience?: true;
  readonly tenants?: string;
  readonly leeway: string;
  readonly allowIdToken?: true;
}

/** The timeout of a request to an issuer, in seconds; short, because the client of `serve` waits for it. */
const TIMEOUT = '5';

/** A resource server uses no profile. */
const SERVE_GLOBALS = NETWORK_GLOBALS.filter((name) => !['profile', 'curl', 'field', 'input'].includes(name));

/** `oauthctl serve` and its subcommands. */
export function defineServe(command: Command, ctx: Context): void {
  command
    .option(
      '--listen <host:port>',
      'address and port to listen on; port 0 selects a free port',
      '127.0.0.1:8090',
    )
    .option(
      '--allow-remote',
      'allow an address that other machines can reach; tokens are sent to it unencrypted',
    )
    .addOption(createRepeatableOption('--issuer <url>', 'an issuer to trust'))
    .addOption(
      createRepeatableOption('--audience <aud>', 'required audience (aud); one of several is enough'),
    )
    .option('--any-audience', 'accept tokens for any audience')
    .option('--tenants <file>', 'JSON file of the tenants; watched for changes')
    .option('--leeway <seconds>', 'accepted clock difference', '0')
    .option('--allow-id-token', 'accept an ID token as an access token')
    .action(() => runUntilSignal('serve', () => runServe(ctx, command)));
  documentCommand(command, {
    globals: SERVE_GLOBALS,
    notes:
      'GET / with a bearer token returns the tenant and the claims of the token; /metrics and ' +
      '/.well-known/oauth-protected-resource are served as well. "oauthctl serve schema" shows the schema of the file of ' +
      `--tenants. Requests to an issuer time out after ${TIMEOUT} seconds, unless --timeout is given.`,
    examples: [
      'oauthctl serve --issuer https://as.example --audience api',
      'oauthctl serve --tenants tenants.json --listen 127.0.0.1:8090',
    ],
  });
  defineTenants(command.command('tenants').description('edit the file of --tenants'), ctx);
  const schema = command.command('schema').description('show the JSON Schema of the file of --tenants');
  schema.action(() => runSchema(ctx, schema));
  documentCommand(schema, { globals: OFFLINE_GLOBALS, examples: ['oauthctl serve schema'] });
}

async function runServe(base: Context, command: Command): Promise<void> {
  const flags = command.opts<ServeFlags>();
  const session = await openSession(base, command, {
    defaults: { timeout: TIMEOUT },
    withoutProfile: true,
  });
  const { ctx, reporter, globals } = session;
  const listen = parseLoopback(flags);
  const leeway = parseSeconds(flags.leeway, '--leeway', { mayBeZero: true });
  const tenants = flags.tenants === undefined ? tenantsOfFlags(flags) : await readTenants(session, flags);
  const { serve } = await import('../../flows/serve/serve.ts');
  const log = new RequestLog({
    write: (text) => ctx.io.err(text),
    clock: ctx.clock,
    json: globals.json === true,
  });
  const onEvent = (event: ServeEvent) => {
    if (event.type === 'answered' && !globals.quiet) log.add(event.answered);
    else if (event.type === 'failed')
      reporter.warning(`a request could not be processed: ${said(event.error)}`);
    else if (event.type === 'issuer_asked' && !event.request.succeeded)
      reporter.warning(`${printable(event.request.issuer)} returned no ${event.request.type}`);
  };
  const serving = await serve(
    ctx,
    { listen, tenants, leeway, allowIdToken: flags.allowIdToken === true },
    onEvent,
  );
  const watching =
    flags.tenants === undefined ? undefined : await watchTenants(session, flags.tenants, serving);
  try {
    printAddress(session, serving, tenants);
    await new Promise<never>((_resolve, reject) => {
      if (ctx.signal.aborted) reject(ctx.signal.reason);
      ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason), { once: true });
    });
  } finally {
    watching?.close();
    await serving.close();
    log.flush();
  }
}

function printAddress(session: Session, { url }: Serving, tenants: readonly Tenant[]): void {
  const listed = tenants.map(({ issuer, validation }) => ({ issuer, validation }));
  printResult(session, { url, tenants: listed }, () =>
    [
      `resource   ${url}`,
      `metadata   ${url}.well-known/oauth-protected-resource`,
      `counters   ${url}metrics`,
      ...(listed.length === 0 ? ['tenants    none yet'] : []),
      ...listed.map(
        ({ issuer, validation }, index) =>
          `${index === 0 ? 'tenants' : '       '}    ${printable(issuer)} (${validation})`,
      ),
      '',
      'Ctrl-C ends it.',
      '',
    ].join('\n'),
  );
}

/** Replaces the tenants whenever the file changes; an invalid file does not change them. */
async function watchTenants(session: Session, file: string, serving: Serving) {
  const { reporter } = session;
  const { watchFile } = await import('../../store/watched-file.ts');
  return watchFile(file, {
    onText(text) {
      const { added, removed, changed } = serving.replaceTenants(parseTenantsText(text, file));
      for (const issuer of added) reporter.note(`tenant added: ${printable(issuer)}`);
      for (const issuer of removed) reporter.note(`tenant removed: ${printable(issuer)}`);
      for (const issuer of changed) reporter.note(`tenant changed: ${printable(issuer)}`);
    },
    onError: (error) => reporter.warning(`the tenants are unchanged: ${said(error)}`),
  });
}

async function readTenants(
  session: Session,
  { tenants: file = '', issuer, audience, anyAudience }: ServeFlags,
) {
  if (issuer !== undefined || audience !== undefined || anyAudience) {
    throw new UsageError(
      'tenants_ambiguous',
      '--tenants and --issuer, --audience, --any-audience exclude each other',
      {
        hint: 'In the file each tenant has its own audience.',
      },
    );
  }
  return parseTenantsText(await session.ctx.readFile(file), file);
}

/** Builds the tenants of `--issuer`: each is checked locally, for the same audience. */
function tenantsOfFlags({ issuer = [], audience, anyAudience }: ServeFlags): readonly Tenant[] {
  if (issuer.length === 0) {
    throw new UsageError('tenants_missing', 'no tenant is configured', {
      hint: 'Give --issuer URL with --audience AUD, or --tenants FILE.',
    });
  }
  if ((audience === undefined) === (anyAudience === undefined)) {
    throw new UsageError('audience_missing', 'either --audience or --any-audience has to be given', {
      hint: 'Without it, tokens for other resource servers would be accepted: give the value of "aud" for this server.',
    });
  }
  const conditions = anyAudience ? { any_audience: true } : { audience };
  return parseTenants({ tenants: issuer.map((one) => ({ issuer: one, ...conditions })) }, '--issuer');
}

function parseLoopback({ listen: text, allowRemote }: ServeFlags): ListenAddress {
  const listen = parseListenAddress(text);
  if (listen.path !== '/') {
    throw new UsageError('listen_invalid', `--listen takes HOST:PORT; "${text}" is invalid`);
  }
  if (!isLoopbackHost(listen.host) && !allowRemote) {
    throw new UsageError('listen_not_loopback', `${listen.host} may be reached from other machines`, {
      hint: 'Bearer tokens would be sent over the network unencrypted. Add --allow-remote to allow it.',
    });
  }
  return listen;
}

async function runSchema(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command, { withoutProfile: true });
  const { TENANTS_SCHEMA } = await import('../../flows/serve/tenants-schema.ts');
  printResult(session, TENANTS_SCHEMA, () => `${JSON.stringify(TENANTS_SCHEMA, null, 2)}\n`);
}

function said(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error));
}
