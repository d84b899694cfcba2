import { type Command, Option } from 'commander';
import type { Context, HttpRequest } from '../../context.ts';
import { UsageError, ValidationError } from '../../errors.ts';
import { parseJson as parseExactJson } from '../../exact-json.ts';
import type { CallOptions, CallResult } from '../../flows/resource/call.ts';
import { printable } from '../../output/printable.ts';
import { maskBody, maskHeader } from '../../redact.ts';
import { computeCertificateThumbprint } from '../../session/certificate.ts';
import { documentCommand, NETWORK_GLOBALS } from '../../session/command-help.ts';
import { buildProofOptions, createDpopClaimOption } from '../../session/dpop.ts';
import { createRepeatableOption, markStdinReader } from '../../session/options.ts';
import { presentToken, type TokenChoice } from '../../session/presented-token.ts';
import { openSession, printResult, type Session } from '../../session/session.ts';
import { addServerOptions } from '../../session/setting-options.ts';
import { CallSteps } from '../../steps/call-steps.ts';

interface CallFlags extends TokenChoice {
  readonly data?: string;
  readonly header?: readonly string[];
  readonly include?: true;
  readonly output?: string;
  readonly location?: true;
  readonly allowHttp?: true;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** Headers that the transport sets, because they describe the message framing. */
const FRAMING = ['connection', 'content-length', 'transfer-encoding', 'upgrade', 'expect', 'keep-alive'];

/** `oauthctl call` */
export function defineCall(command: Command, ctx: Context): void {
  addServerOptions(command)
    .usage('[options] [METHOD] <URL>')
    .argument('[METHOD]', `${METHODS.join(', ')} (default: GET, with --data POST)`)
    .argument('[URL]', 'the URL of the resource')
    .option('--token <ref>', 'another token: -, @FILE, @last.id_token or the token itself')
    .option('--no-token', 'send no token, and show what the resource requires')
    .option('--refresh', 'refresh the kept token first if it expires within 30 s')
    .addOption(createDpopClaimOption())
    .addOption(
      markStdinReader(
        new Option(
          '--data <text>',
          'the body: TEXT, @FILE or -; sent as application/json if it is JSON, else as a form',
        ),
      ),
    )
    .addOption(
      createRepeatableOption('--header <header>', "'Name: value'; replaces the header that would be sent"),
    )
    .option('-i, --include', 'print status and headers before the body')
    .option('--output <file>', 'write the body to this file instead of stdout')
    .option('--location', 'follow redirects within the origin')
    .option('--allow-http', 'send the token unencrypted to another machine')
    .action((first?: string, second?: string) => runCall(ctx, command, first, second));
  documentCommand(command, {
    globals: NETWORK_GLOBALS,
    examples: [
      'oauthctl call https://api.example/orders',
      `oauthctl call POST https://api.example/orders --data '{"item":1}' -i`,
    ],
  });
}

async function runCall(
  base: Context,
  command: Command,
  first: string | undefined,
  second: string | undefined,
): Promise<void> {
  const session = await openSession(base, command);
  const flags = command.opts<CallFlags>();
  checkFlags(session, flags);
  const url = parseAddress(addressAmong(first, second));
  const body = await readBody(session, flags.data);
  const method = second === undefined ? (body === undefined ? 'GET' : 'POST') : parseMethod(first ?? '');
  const own = parseHeaders(flags.header);
  const headers = { ...(body !== undefined && { 'content-type': guessContentType(body) }), ...own };
  const presented = own.authorization === undefined ? await presentToken(session, flags) : {};
  const { callResource } = await import('../../flows/resource/call.ts');
  const steps = new CallSteps(session.reporter);
  const options: CallOptions = {
    method,
    url,
    headers,
    body,
    proofs: buildProofOptions(session),
    certificate: await computeCertificateThumbprint(session),
    follow: flags.location === true,
    allowHttp: flags.allowHttp === true,
    ...presented,
  };
  const result = await callResource(session.ctx, options, steps.report);
  if (result.refusal === undefined) return printAnswer(session, result, flags);
  showRefusedBody(session, result, flags);
  throw result.refusal;
}

function checkFlags({ globals }: Session, { output }: CallFlags): void {
  if (globals.param !== undefined || globals.omit !== undefined) {
    throw new UsageError('param_unfit', '--param is not supported for a request to a resource', {
      hint: 'Add the parameters to the URL, or give --data.',
    });
  }
  if (output !== undefined && (globals.json || globals.field !== undefined)) {
    throw new UsageError(
      'output_twice',
      '--output writes the unchanged body, and excludes --json and --field',
    );
  }
}

/** The URL is the last argument; if only a method was given, it is missing. */
function addressAmong(first: string | undefined, second: string | undefined): string {
  const last = second ?? first;
  const isMethod = second === undefined && METHODS.some((name) => name === last?.toUpperCase());
  if (last !== undefined && !isMethod) return last;
  throw new UsageError('url_missing', 'the URL of the resource is missing', {
    hint: 'Give the URL, after the method if there is one: oauthctl call GET https://api.example/orders',
  });
}

function parseAddress(text: string): string {
  const isAddress = /^https?:\/\//i.test(text) && URL.canParse(text);
  if (!isAddress) {
    throw new UsageError('url_invalid', `"${text}" is not an http or https URL`, {
      hint: 'Give the complete URL, for example https://api.example/orders.',
    });
  }
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw new UsageError('url_invalid', 'a user name or password in the URL is not sent', {
      hint: "Give it as --header 'Authorization: Basic …', or leave it out.",
    });
  }
  url.hash = '';
  return url.href;
}

function parseMethod(text: string): HttpRequest['method'] {
  const method = METHODS.find((name) => name === text.toUpperCase());
  if (method !== undefined) return method;
  throw new UsageError('method_unknown', `the method "${text}" is not supported`, {
    hint: `Supported: ${METHODS.join(', ')}. The method goes before the URL.`,
  });
}

/** Returns text if the body is UTF-8, else bytes. */
async function readBody(
  { ctx }: Session,
  data: string | undefined,
): Promise<string | Uint8Array | undefined> {
  if (data === undefined) return undefined;
  if (data !== '-' && !data.startsWith('@')) return data;
  const bytes = data === '-' ? await ctx.io.readStdinBytes() : await ctx.readBytes(data.slice(1));
  return decodeText(bytes) ?? bytes;
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function guessContentType(body: string | Uint8Array): string {
  if (typeof body !== 'string') return 'application/octet-stream';
  return parseJson(body) === undefined ? 'application/x-www-form-urlencoded' : 'application/json';
}

/** Returns the value in an object, because `null` is valid JSON. */
function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: parseExactJson(text) };
  } catch {
    return undefined;
  }
}

/** @throws UsageError `header_invalid` */
function parseHeaders(texts: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name = '', value = ''] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*)$/s.exec(text) ?? [];
      // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not get through
      if (name === '' || /[\0-\x08\x0a-\x1f\x7f]|[^\0-\xff]/.test(value)) {
        throw new UsageError(
          'header_invalid',
          `--header takes 'Name: value'; "${printable(text)}" is invalid`,
        );
      }
      if (FRAMING.includes(name.toLowerCase())) {
        throw new UsageError('header_invalid', `the header ${name} is set by the transport`);
      }
      return [name.toLowerCase(), value];
    }),
  );
}

async function printAnswer(session: Session, result: CallResult, flags: CallFlags): Promise<void> {
  const { ctx, globals, reporter } = session;
  const { answer, bytes } = result;
  reporter.settle();
  if (globals.json || globals.field !== undefined) {
    const value = readJsonBody(answer.body);
    const { status, headers } = answer;
    printResult(session, flags.include ? { status, headers, body: value } : value, () => '');
    return;
  }
  if (flags.include) ctx.io.out(renderHead(result));
  if (flags.output !== undefined) {
    await ctx.writeBytes(flags.output, bytes);
    reporter.note(`${bytes.length} bytes in ${flags.output}`);
    return;
  }
  if (!ctx.io.stdoutIsTerminal) return ctx.io.out(bytes);
  const text = decodeText(bytes);
  if (text === undefined) {
    reporter.warning(
      `the body is ${bytes.length} bytes of binary data, which a terminal cannot show: use --output FILE`,
    );
  } else {
    ctx.io.out(`${printable(text, true)}${text === '' || text.endsWith('\n') ? '' : '\n'}`);
  }
}

function readJsonBody(body: string): unknown {
  if (body === '') return null;
  const json = parseJson(body);
  if (json !== undefined) return json.value;
  throw new ValidationError('answer_not_json', 'the response of the resource is not JSON', {
    hint: 'Omit --json and --field; -i shows the media type.',
  });
}

function renderHead({ answer }: CallResult, shown = (_name: string, value: string) => value): string {
  const lines = Object.entries(answer.headers).map(([name, value]) =>
    printable(`${name}: ${shown(name, value)}`),
  );
  return `${[`HTTP ${answer.status}`, ...lines, ''].join('\n')}\n`;
}

/** The maximum number of characters of a refusal's body that are shown. */
const MOST_SHOWN = 8_192;

/** The body of a refusal is part of the error, so it is printed to stderr. */
function showRefusedBody({ ctx, globals }: Session, result: CallResult, flags: CallFlags): void {
  if (globals.quiet) return;
  const { answer, bytes } = result;
  const { showSecrets } = ctx.redactor;
  if (flags.include) ctx.io.err(renderHead(result, showSecrets ? undefined : maskHeader));
  if (bytes.length === 0) return;
  const text = decodeText(bytes);
  const masked = text === undefined || showSecrets ? text : maskBody(text, answer.headers['content-type']);
  const shown = masked === undefined ? `(${bytes.length} bytes of binary data)` : printable(masked, true);
  const cut = shown.length > MOST_SHOWN ? `${shown.slice(0, MOST_SHOWN)}… (${bytes.length} bytes)` : shown;
  ctx.io.err(`${cut}${answer.body.endsWith('\n') ? '' : '\n'}`);
}
