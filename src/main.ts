import { type Context, type ContextParts, createContext } from './context.ts';
import {
  ExitCode,
  InterruptedError,
  OauthctlError,
  type OutputError,
  RefusedError,
  RequestShown,
  UsageError,
} from './errors.ts';
import { stringifyJson } from './exact-json.ts';
import { printable, printableJson } from './output/printable.ts';
import { createProcessParts } from './process-parts.ts';
import { runProgram } from './program.ts';

/** The last line on stderr after a failure with `--json`. */
interface ErrorDocument {
  error: {
    code: string;
    message: string;
    hint: string | undefined;
    exit_code: number;
    oauth?: {
      error: string;
      error_description: string | undefined;
      error_uri: string | undefined;
      status: number | undefined;
    };
  };
}

/**
 * Runs one command.
 * @param argv the arguments after the program's name
 * @param parts the parts of the context that use the process; tests have other ones
 * @returns the exit code; nothing is thrown
 */
export async function main(
  argv: readonly string[],
  parts: ContextParts = createProcessParts({ showSecrets: argv.includes('--show-secrets') }),
): Promise<number> {
  const ctx = createContext(parts);
  try {
    await runProgram(argv, ctx);
    await parts.io.outFlushed();
    return ExitCode.done;
  } catch (thrown) {
    const error = await withUnwritten(asExpected(thrown, ctx), parts);
    if (error === undefined || error.exitCode === ExitCode.done) return ExitCode.done;
    await report(error, argv.includes('--json'), ctx);
    return error.exitCode;
  }
}

/** Returns the failure of the command; if it has not failed, that of writing its result. */
async function withUnwritten(
  error: OauthctlError | undefined,
  { io }: ContextParts,
): Promise<OauthctlError | undefined> {
  if (error !== undefined) return error;
  try {
    await io.outFlushed();
    return undefined;
  } catch (failure) {
    return failure as OutputError;
  }
}

/** Masks a long unknown option in a message: it may be a token that begins with "-". */
function maskOption(message: string): string {
  return message.replace(/(unknown option ')-[^']{19,}'/, "$1(masked)', which is too long for an option");
}

/** Converts a thrown error: help and version are no errors, errors of commander are usage errors, others are defects. */
function asExpected(thrown: unknown, ctx: Context): OauthctlError | undefined {
  // After a signal, any other error is a consequence of it.
  const error = ctx.signal.aborted && !(thrown instanceof OauthctlError) ? ctx.signal.reason : thrown;
  if (error instanceof OauthctlError) return error instanceof RequestShown ? undefined : error;
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === 'string' && code.startsWith('commander.')) {
    if ((error as { exitCode?: number }).exitCode === 0) return undefined;
    // commander throws this if a subcommand is missing.
    if (code === 'commander.help') {
      return new UsageError('usage', 'a subcommand is missing', {
        hint: 'Add --help to list the subcommands.',
      });
    }
    const message = maskOption((error as Error).message.replace(/^error: /, '').replaceAll('\n', ' '));
    return new UsageError('usage', message, {
      hint: 'Add --help to see the arguments and options of the command.',
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new OauthctlError('defect', ExitCode.defect, `a defect of oauthctl: ${message}`, {
    hint: 'Please report it, with the command and the output of -v, in which secrets are masked.',
    cause: error,
  });
}

async function report(error: OauthctlError, asJson: boolean, ctx: Context): Promise<void> {
  const { explain } = await import('./explain/index.ts');
  const explanation = explain(error);
  const furtherHint = error instanceof RefusedError ? error.furtherHint : undefined;
  const remedy = [explanation?.remedy ?? error.hint, furtherHint].filter(Boolean).join(' ');
  if (asJson) {
    const hint = [explanation?.cause, remedy].filter(Boolean).join(' ');
    const document: ErrorDocument = {
      error: {
        code: error.code,
        message: error.message,
        hint: hint || undefined,
        exit_code: error.exitCode,
        ...(error instanceof RefusedError && { oauth: wireError(error) }),
        ...error.members,
      },
    };
    const json = stringifyJson(document);
    ctx.io.err(`${ctx.io.stderrIsTerminal ? printableJson(json) : json}\n`);
    return;
  }
  const isNormalEnd = error instanceof InterruptedError && error.isNormalEnd;
  ctx.io.err(`${isNormalEnd ? '' : 'error: '}${printable(error.message)}\n`);
  if (explanation?.cause) ctx.io.err(`  cause   ${printable(explanation.cause)}\n`);
  if (remedy) ctx.io.err(`  remedy  ${printable(remedy)}\n`);
  if (error.exitCode === ExitCode.defect && error.cause instanceof Error)
    ctx.io.err(`${error.cause.stack}\n`);
}

function wireError({ oauth }: RefusedError) {
  const { error, error_description, error_uri, status } = oauth;
  return { error, error_description, error_uri, status };
}
