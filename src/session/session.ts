import type { Command, Option } from 'commander';
import type { Context, TransportOptions } from '../context.ts';
import { DEFAULT_TRANSPORT } from '../context.ts';
import { type OauthctlError, RequestShown } from '../errors.ts';
import { renderExchange, renderTraceLine } from '../output/exchange.ts';
import { renderField, renderJson } from '../output/json.ts';
import { printable, printableJson } from '../output/printable.ts';
import { Reporter } from '../output/reporter.ts';
import { colours, wantsColour } from '../output/style.ts';
import { openTraceFile } from '../output/trace-file.ts';
import { loadCellWidths } from '../output/wrap.ts';
import type { SettingName } from '../settings.ts';
import type { GlobalOptions } from './global-options.ts';
import { findIssuer } from './issuer.ts';
import { parseSeconds } from './option-values.ts';
import { isStdinReader, SettingOption } from './options.ts';
import { readPemFile } from './read-pem.ts';
import { checkSetting } from './setting-checks.ts';
import { type SettingInputs, Settings } from './settings.ts';

/** What every command works with: the context with its transport, the settings, the reporter. */
export interface Session {
  readonly ctx: Context;
  readonly globals: GlobalOptions;
  readonly settings: Settings;
  readonly profileName: string | undefined;
  readonly reporter: Reporter;
  /** Whether a person can be prompted. */
  readonly mayAsk: boolean;
  /** The values of `--dpop-claim`. */
  readonly dpopClaims?: readonly string[] | undefined;
  /** The nonces that servers require in DPoP proofs, by origin. */
  readonly dpopNonces?: Map<string, string>;
}

export interface SessionOptions {
  /** Settings that were given in the arguments, but not by their flag. */
  readonly given?: Partial<Record<SettingName, string | undefined>>;
  /** Values that replace the defaults of settings. */
  readonly defaults?: Partial<Record<SettingName, string>>;
  /** Whether no profile is read; the command then uses only settings that its own options set. */
  readonly withoutProfile?: boolean;
}

/**
 * Resolves the settings, validates those that the command has options for, and creates the transport.
 * @throws UsageError for an unknown profile, an invalid value, an unreadable file, and `stdin_twice`
 */
export async function openSession(
  base: Context,
  command: Command,
  { given = {}, defaults = {}, withoutProfile = false }: SessionOptions = {},
): Promise<Session> {
  const globals = command.optsWithGlobals<GlobalOptions>();
  const { io, env } = base;
  const flags = { ...readFlags(command), ...definedOnly(given) };
  const found = withoutProfile ? undefined : await findProfile(base, flags);
  const settings = new Settings({ flags, env, profile: found?.profile, defaults }, checkSetting);
  for (const name of listOffered(command)) {
    if (!withoutProfile || flags[name] !== undefined) settings.find(name);
  }
  claimStdin(base, command, settings);
  if (io.stderrIsTerminal || wantsColour(env, false)) await loadCellWidths();
  const reporter = new Reporter({
    write: (text) => io.err(text),
    env,
    isTerminal: io.stderrIsTerminal,
    // With --curl no request is sent, so there are no steps to report.
    quiet: globals.quiet === true || globals.curl === true,
    paint: await colours(env, io.stderrIsTerminal),
    terminal: () => io.terminal,
  });
  base.onWarning((text) => reporter.warning(printable(text)));
  const transported = base.withTransport(await readTransportOptions(base, settings, globals));
  const ctx = globals.curl ? showRequests(transported, settings, globals) : transported;
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

/** Returns the name under which this session's pending requests and tokens are kept. */
export function storageName({ profileName, settings }: Session): string {
  return profileName ?? `${findIssuer(settings)} ${settings.get('clientId')}`;
}

/** Prints the result in the requested format. @param human renders it for people */
export function printResult(session: Session, value: unknown, human: () => string): void {
  const { globals, ctx } = session;
  session.reporter.settle();
  const { io } = ctx;
  // A pipe gets every character as it came; on a terminal some would change the screen.
  if (globals.field !== undefined) {
    const field = renderField(value, globals.field);
    io.out(io.stdoutIsTerminal ? printable(field, true) : field);
  } else if (globals.json) {
    const json = renderJson(value);
    io.out(io.stdoutIsTerminal ? printableJson(json) : json);
  } else io.out(human());
}

/** Whether the result is rendered for people, and not as JSON or one value of it. */
export function isForPeople({ globals }: Session): boolean {
  return !globals.json && globals.field === undefined;
}

/**
 * Prints a result that belongs to a failure. For people it is printed to stdout. With `--json`, where a failure leaves
 * stdout empty, it becomes a member of the error.
 * @param member the name of that member
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

/** Lists the options of a command and of its parent commands. */
function listOptions(command: Command): readonly Option[] {
  return command.parent === null ? command.options : [...command.options, ...listOptions(command.parent)];
}

/** Lists the settings that a command has options for. */
function listOffered(command: Command): readonly SettingName[] {
  return listOptions(command).flatMap((option) =>
    option instanceof SettingOption && !option.hidden ? [option.setting] : [],
  );
}

/** Reads the settings whose flags were given. */
export function readFlags(command: Command): Partial<Record<SettingName, string>> {
  const values = command.optsWithGlobals<Record<string, unknown>>();
  const flags: Partial<Record<SettingName, string>> = {};
  for (const option of listOptions(command)) {
    if (!(option instanceof SettingOption)) continue;
    const value = values[option.attributeName()];
    if (typeof value === 'string' || typeof value === 'boolean') flags[option.setting] = String(value);
  }
  return flags;
}

/**
 * Finds every option and argument that reads standard input, before any of them is read.
 * @throws UsageError `stdin_twice`
 */
function claimStdin(ctx: Context, command: Command, settings: Settings): void {
  const values = command.optsWithGlobals<Record<string, unknown>>();
  for (const option of listOptions(command)) {
    if (option.hidden || !isStdinReader(option)) continue;
    const value =
      option instanceof SettingOption ? settings.get(option.setting) : values[option.attributeName()];
    for (const one of [value].flat()) if (one === '-') ctx.claimStdin(option.long ?? option.flags);
  }
  for (const [index, argument] of command.registeredArguments.entries()) {
    if (!isStdinReader(argument)) continue;
    for (const one of [command.processedArgs[index]].flat())
      if (one === '-') ctx.claimStdin(`the argument ${argument.name()}`);
  }
}

/** Returns the members that have a value. */
export function definedOnly<Values extends object>(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Values;
}

/** Metadata and keys that are needed to build the request are still fetched. */
const FETCHED = ['metadata', 'jwks', 'resource_metadata'];

/** Creates a context that prints the first protocol request as a curl command instead of sending it, and ends the run. */
function showRequests(ctx: Context, settings: Settings, globals: GlobalOptions): Context {
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

/** Returns no profile if the server is named by flag or environment: it must not get the secret of another server. */
async function findProfile(ctx: Context, flags: SettingInputs['flags']) {
  const settings = new Settings({ flags, env: ctx.env, profile: undefined });
  const named = settings.get('profile');
  if (named === undefined && findIssuer(settings) !== undefined) return undefined;
  const { profiles } = await ctx.store();
  const name = named ?? (await profiles.list()).current;
  return name === undefined ? undefined : { name, profile: { ...(await profiles.get(name)) } };
}

async function readTransportOptions(
  ctx: Context,
  settings: Settings,
  globals: GlobalOptions,
): Promise<TransportOptions> {
  const { env } = ctx;
  const read = async (name: 'caCert' | 'cert' | 'key') => {
    const path = settings.get(name);
    return path === undefined ? undefined : readPemFile(ctx, path);
  };
  const proxy = settings.get('proxy');
  return {
    ...DEFAULT_TRANSPORT,
    timeoutMs: parseSeconds(settings.require('timeout', 'the time-out'), '--timeout') * 1000,
    ca: await read('caCert'),
    cert: await read('cert'),
    key: await read('key'),
    insecure: globals.insecure,
    // --proxy has precedence over NO_PROXY.
    httpProxy: proxy ?? env.http_proxy ?? env.HTTP_PROXY,
    httpsProxy: proxy ?? env.https_proxy ?? env.HTTPS_PROXY,
    noProxy: proxy === undefined ? (env.no_proxy ?? env.NO_PROXY) : '',
  };
}
