import { type Command, Option } from 'commander';
import type { Context, TransportOptions } from '../context.ts';
import { DEFAULT_TRANSPORT } from '../context.ts';
import { type OauthctlError, RequestShown, UsageError } from '../errors.ts';
import { renderExchange, renderTraceLine } from '../output/exchange.ts';
import { renderField, renderJson } from '../output/json.ts';
import { Reporter } from '../output/reporter.ts';
import { colours } from '../output/style.ts';
import { openTraceFile } from '../output/trace-file.ts';
import { CLIENT_AUTH_METHODS } from '../protocol/oauth/client-authentication.ts';
import type { FormParameters } from '../protocol/oauth/form.ts';
import { parseSeconds, SETTINGS, type SettingName, Settings } from '../settings.ts';
import type { GlobalOptions } from './global-options.ts';

/** What every command works with: the context over its transport, the settings, and how to speak to the person. */
export interface Session {
  readonly ctx: Context;
  readonly globals: GlobalOptions;
  readonly settings: Settings;
  readonly profileName: string | undefined;
  readonly reporter: Reporter;
  /** Whether there is a person to ask. */
  readonly mayAsk: boolean;
  /** The texts of `--dpop-claim`. */
  readonly dpopClaims?: readonly string[] | undefined;
  /** The nonces that servers want in DPoP proofs, by origin. */
  readonly dpopNonces?: Map<string, string>;
}

/** Options of every command that speaks to a server as a client. */
export function addServerOptions(command: Command): Command {
  return command
    .addOption(new Option('--issuer <url>', 'the authorization server, instead of a profile'))
    .addOption(
      new Option(
        '--accept-issuer <url>',
        'the issuer the server calls itself, if reached by an inner address',
      ),
    )
    .addOption(new Option('--client-id <id>', 'the client'))
    .addOption(new Option('--client-secret <ref>', 'env:NAME, file:PATH, cmd:COMMAND or - (standard input)'))
    .addOption(
      new Option('--auth-method <method>', 'client authentication').choices([...CLIENT_AUTH_METHODS]),
    )
    .addOption(new Option('--client-key <file>', 'private key of the client: PEM (PKCS#8), JWK or JWK Set'))
    .addOption(new Option('--kid <kid>', 'which key of a JWK Set, or the kid to send'))
    .addOption(new Option('--signing-alg <alg>', 'what the client assertion is signed with'))
    .addOption(
      new Option('--decryption-key <file>', 'private key of the client, for what the server encrypts for it'),
    )
    .addOption(
      new Option(
        '--client-assertion <ref>',
        'a ready-made client assertion: env:NAME, file:PATH, cmd:COMMAND or -',
      ),
    )
    .addOption(
      new Option(
        '--assertion-audience <aud>',
        'aud of the client assertion: issuer (the default), endpoint, or a URL',
      ),
    )
    .addOption(new Option('--dpop', 'bind tokens to a key that every request proves (RFC 9449)'))
    .addOption(new Option('--no-dpop', 'send no proofs, whatever profile and kept tokens say'))
    .addOption(
      new Option(
        '--dpop-key <file>',
        'a key of your own for --dpop: PEM (PKCS#8) or JWK (default: a new one)',
      ),
    )
    .addOption(new Option('--dpop-alg <alg>', 'what DPoP proofs are signed with (default: ES256)'));
}

/**
 * Resolves settings and sets the transport up.
 * @param given settings that stood in the arguments in another form than their flag
 * @throws UsageError for an unknown profile, a bad number, an unreadable file
 */
export async function openSession(
  base: Context,
  command: Command,
  given: Partial<Record<SettingName, string | undefined>> = {},
  { withoutProfile = false } = {},
): Promise<Session> {
  const globals = command.optsWithGlobals<GlobalOptions>();
  const { io, env } = base;
  const flags = { ...readFlags(command), ...definedOnly(given) };
  const found = withoutProfile
    ? undefined
    : await findProfile(base, globals, flags.issuer ?? env[SETTINGS.issuer.env]);
  const settings = new Settings({ flags, env, profile: found?.profile });
  const reporter = new Reporter({
    write: (text) => io.err(text),
    env,
    isTerminal: io.stderrIsTerminal,
    // The steps would tell of a request that is not sent.
    quiet: globals.quiet === true || globals.curl === true,
    paint: await colours(env, io.stderrIsTerminal),
    terminal: () => io.terminal,
  });
  const transported = base.withTransport(await transportOptions(base, settings, globals));
  const ctx = globals.curl ? showingRequests(transported, settings, globals) : transported;
  if (globals.verbose) {
    for (const line of settings.describe()) io.err(`# ${line}\n`);
    ctx.onExchange((exchange) => io.err(renderExchange(exchange, ctx.redactor)));
  }
  if (globals.trace !== undefined) {
    const append = openTraceFile(globals.trace);
    ctx.onExchange((exchange) => append(renderTraceLine(exchange, ctx.redactor)));
  }
  return {
    ctx,
    globals,
    settings,
    profileName: found?.name,
    reporter,
    mayAsk: globals.input && io.stdinIsTerminal && io.stderrIsTerminal,
    dpopClaims: command.opts<{ dpopClaim?: readonly string[] }>().dpopClaim,
    dpopNonces: new Map(),
  };
}

/** Under which name this session's pending requests and tokens are kept. */
export function storageName({ profileName, settings }: Session): string {
  return profileName ?? `${settings.get('issuer')} ${settings.get('clientId')}`;
}

/** Prints the result in the form that was asked for. @param human renders it for people */
export function printResult(session: Session, value: unknown, human: () => string): void {
  const { globals, ctx } = session;
  session.reporter.settle();
  if (globals.field !== undefined) ctx.io.out(renderField(value, globals.field));
  else ctx.io.out(globals.json ? renderJson(value) : human());
}

/** Whether the result is rendered for people, rather than as JSON or one value of it. */
export function isForPeople({ globals }: Session): boolean {
  return !globals.json && globals.field === undefined;
}

/**
 * Prints a result that a failure comes with. People see it in any case; for scripts stdout has results only, so that the
 * failure carries it as a member of the error under `--json`.
 * @param member its name there
 */
export function printFailedResult(
  session: Session,
  failure: OauthctlError | undefined,
  member: string,
  value: unknown,
  human: () => string,
): void {
  if (failure === undefined || isForPeople(session)) printResult(session, value, human);
  else failure.members = { ...failure.members, [member]: value };
}

/** Reads `--param NAME=VALUE`s, or those of another option. @throws UsageError `param_invalid` */
export function parseParameters(texts: readonly string[], flag = '--param'): FormParameters {
  return texts.map((text) => {
    const at = text.indexOf('=');
    if (at < 1) {
      throw new UsageError('param_invalid', `${flag} takes NAME=VALUE, and got "${text}"`);
    }
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
}

function readFlags(command: Command): Partial<Record<SettingName, string>> {
  const options = command.optsWithGlobals<Record<string, unknown>>();
  const flags: Partial<Record<SettingName, string>> = {};
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const value = options[name === 'deviceListen' ? 'listen' : name];
    if (typeof value === 'string' || typeof value === 'boolean') flags[name] = String(value);
  }
  return flags;
}

/** Keeps the members that have a value. */
export function definedOnly<Values extends object>(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Values;
}

/** What is fetched to build a request is fetched all the same; the request itself is printed. */
const FETCHED = ['metadata', 'jwks', 'resource_metadata'];

/** A context that prints the first protocol request as a curl command instead of sending it, and ends the command. */
function showingRequests(ctx: Context, settings: Settings, globals: GlobalOptions): Context {
  return {
    ...ctx,
    http: async () => ({
      async send(request, signal) {
        if (FETCHED.includes(request.endpoint)) return (await ctx.http()).send(request, signal);
        const { renderCurl } = await import('../output/curl.ts');
        const [caCert, cert, key, proxy] = (['caCert', 'cert', 'key', 'proxy'] as const).map((name) =>
          settings.get(name),
        );
        const transport = { caCert, cert, key, proxy, insecure: globals.insecure };
        const { command, variables } = renderCurl(request, transport, ctx.redactor);
        ctx.io.out(command);
        if (variables.length > 0 && !globals.quiet) {
          ctx.io.err(`# it reads ${variables.join(', ')}; --show-secrets writes their values into it\n`);
        }
        throw new RequestShown();
      },
    }),
  };
}

/** A server named by flag or environment stands for itself: it is not sent the secret of an unrelated profile. */
async function findProfile(ctx: Context, globals: GlobalOptions, issuer: string | undefined) {
  const named = globals.profile ?? (ctx.env.OAUTHCTL_PROFILE || undefined);
  if (named === undefined && issuer) return undefined;
  const { profiles } = await ctx.store();
  const name = named ?? (await profiles.list()).current;
  return name === undefined ? undefined : { name, profile: { ...(await profiles.get(name)) } };
}

async function transportOptions(
  ctx: Context,
  settings: Settings,
  globals: GlobalOptions,
): Promise<TransportOptions> {
  const { env } = ctx;
  const read = async (name: 'caCert' | 'cert' | 'key') => {
    const path = settings.get(name);
    return path === undefined ? undefined : ctx.readFile(path);
  };
  const proxy = settings.get('proxy');
  return {
    ...DEFAULT_TRANSPORT,
    timeoutMs: parseSeconds(settings.require('timeout', 'the time-out'), '--timeout') * 1000,
    ca: await read('caCert'),
    cert: await read('cert'),
    key: await read('key'),
    insecure: globals.insecure,
    // A proxy that is named by hand goes before NO_PROXY.
    httpProxy: proxy ?? env.http_proxy ?? env.HTTP_PROXY,
    httpsProxy: proxy ?? env.https_proxy ?? env.HTTPS_PROXY,
    noProxy: proxy === undefined ? (env.no_proxy ?? env.NO_PROXY) : '',
  };
}
