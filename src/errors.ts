import { REFUSAL_CODES } from './refusal-codes.ts';

/** The exit codes of the program, which are a stable interface. */
export const ExitCode = {
  done: 0,
  defect: 1,
  usage: 2,
  refused: 3,
  validation: 4,
  network: 5,
  timeout: 6,
  denied: 7,
  pending: 8,
  unwritten: 9,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The exit codes in words. */
export const EXIT_CODE_MEANINGS: Readonly<Record<keyof typeof ExitCode, string>> = {
  done: 'done',
  defect: 'a defect of oauthctl',
  usage: 'the arguments, the environment or a profile are wrong',
  refused: 'the server refused: an OAuth error other than those of 6 and 7',
  validation:
    'a validation failed: a wrong signature or claim, an inactive token, an untrusted issuer, or an answer that breaks the protocol',
  network: 'the network: name look-up, connection, TLS, or an answer that is not of the protocol',
  timeout: 'time ran out: a deadline, or expired_token',
  denied: 'a person denied: access_denied where a person decides',
  pending: 'the request is still pending (ciba poll --once)',
  unwritten: 'what was received could not be written: a full disk, or a closed stdout',
  interrupted: 'interrupted (Ctrl-C)',
  terminated: 'terminated',
};

/** The endpoint of an answer, named as in the metadata. */
export type Endpoint =
  | 'metadata'
  | 'jwks'
  | 'backchannel_authentication'
  | 'device_authorization'
  | 'authorization'
  | 'pushed_authorization_request'
  | 'redirect'
  | 'token'
  | 'introspection'
  | 'revocation'
  | 'userinfo'
  | 'end_session'
  | 'resource'
  | 'resource_metadata'
  | 'ciba_callback'
  | 'authentication_device'
  | 'kafka_broker';

/** An OAuth error, unchanged as the server sent it. */
export interface OAuthRefusal {
  readonly error: string;
  readonly error_description?: string | undefined;
  readonly error_uri?: string | undefined;
  /** Undefined if it came through the browser. */
  readonly status?: number | undefined;
  readonly endpoint: Endpoint;
  /** The value of the Retry-After header. */
  readonly retry_after?: string | undefined;
  /** The product that answered, where it was recognised. */
  readonly product?: 'keycloak' | undefined;
}

export interface ErrorDetails {
  /** What the user can do about it, in one or two sentences. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** A check and its outcome, listed in an error. */
export interface ListedCheck {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it failed: a stable code in snake_case. */
  readonly reason?: string;
  readonly detail: string;
}

/** The base class of expected failures, with a stable code, an exit code and a hint. Any other thrown error is a defect. */
export class OauthctlError extends Error {
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;
  /** Further members of the error with `--json`, such as results from before the failure. */
  members: Readonly<Record<string, unknown>> | undefined;

  constructor(code: string, exitCode: ExitCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.exitCode = exitCode;
    this.hint = details.hint;
  }
}

/** The command line, the environment, a profile or another file is wrong (exit 2). */
export class UsageError extends OauthctlError {
  constructor(code: string, message: string, details?: ErrorDetails) {
    super(code, ExitCode.usage, message, details);
  }
}

export interface RefusalDetails extends ErrorDetails {
  /** Whether a person could decide about this request, so that `access_denied` is the answer of that person. */
  readonly personDecides?: boolean | undefined;
  /** A clause that says that the lifetime is over; then the exit code is 6, whatever the error of the server is. */
  readonly expired?: string | undefined;
  /** A hint in addition to the remedy of the explanation or the hint. */
  readonly furtherHint?: string | undefined;
}

/**
 * The server refused (exit 3). Exit 6 if it says that the id or code has expired, or if the lifetime is over by our clock;
 * exit 7 if it says that a person denied, and the caller says that a person could decide.
 */
export class RefusedError extends OauthctlError {
  readonly oauth: OAuthRefusal;
  readonly furtherHint: string | undefined;

  constructor(oauth: OAuthRefusal, details: RefusalDetails = {}) {
    const said = oauth.error_description ? `${oauth.error}: ${oauth.error_description}` : oauth.error;
    const status = oauth.status === undefined ? '' : `${oauth.status} `;
    const later = oauth.retry_after === undefined ? '' : ` (Retry-After: ${oauth.retry_after})`;
    const before = details.expired === undefined ? '' : `${details.expired}; `;
    super(
      chooseCode(oauth, details),
      chooseExitCode(oauth, details),
      `${before}the server answered ${status}${said}${later}`,
      details,
    );
    this.oauth = oauth;
    this.furtherHint = details.furtherHint;
  }
}

function chooseCode({ error }: OAuthRefusal, { expired }: RefusalDetails): string {
  if (expired !== undefined && error !== 'expired_token') return 'expired';
  return REFUSAL_CODES.has(error) ? error : 'refused';
}

function chooseExitCode(
  { error, endpoint }: OAuthRefusal,
  { personDecides = false, expired }: RefusalDetails,
): ExitCode {
  if (expired !== undefined) return ExitCode.timeout;
  if (error === 'access_denied' && personDecides) return ExitCode.denied;
  if (error === 'expired_token' && endpoint === 'token') return ExitCode.timeout;
  return ExitCode.refused;
}

/** An answer, token or claim breaks the protocol or fails a check (exit 4). */
export class ValidationError extends OauthctlError {
  /** @param details.checks the checks that were made, if a list of checks failed */
  constructor(
    code: string,
    message: string,
    details?: ErrorDetails & { readonly checks?: readonly ListedCheck[] },
  ) {
    super(code, ExitCode.validation, message, details);
    if (details?.checks !== undefined) this.members = { checks: details.checks };
  }
}

/** The server could not be reached, or its answer is not of the protocol (exit 5). */
export class NetworkError extends OauthctlError {
  /** Whether the server may have handled the request although no answer was received. */
  readonly maybeHandled: boolean;

  constructor(code: string, message: string, details?: ErrorDetails & { maybeHandled?: boolean }) {
    super(code, ExitCode.network, message, details);
    this.maybeHandled = details?.maybeHandled ?? false;
  }
}

/** A deadline passed (exit 6). */
export class TimeoutError extends OauthctlError {
  constructor(code: string, message: string, details?: ErrorDetails) {
    super(code, ExitCode.timeout, message, details);
  }
}

/** The authentication is still pending, and only one poll was requested (exit 8). */
export class PendingError extends OauthctlError {
  constructor(message: string, details?: ErrorDetails) {
    super('authorization_pending', ExitCode.pending, message, details);
  }
}

/** A received result could not be written (exit 9; 0 if the reader of a pipe has read a part of it). */
export class OutputError extends OauthctlError {
  /** Whether the reader closed the pipe after it had read a part. */
  readonly isReadersChoice: boolean;

  constructor(
    code: 'output_failed' | 'output_closed',
    { isReadersChoice, cause }: { readonly isReadersChoice: boolean; readonly cause: NodeJS.ErrnoException },
  ) {
    const why = OUTPUT_FAILURES[cause.code ?? ''] ?? cause.message;
    super(
      code,
      isReadersChoice ? ExitCode.done : ExitCode.unwritten,
      `the result could not be written to standard output: ${why}`,
      {
        hint: 'The answer of the server is not shown. "oauthctl token show" shows kept tokens.',
        cause,
      },
    );
    this.isReadersChoice = isReadersChoice;
  }
}

const OUTPUT_FAILURES: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is exceeded',
  EFBIG: 'the file is too large',
  EIO: 'input/output error',
  EBADF: 'it is not open for writing',
  EPIPE: 'its reader closed it before it had read anything',
  ERR_STREAM_DESTROYED: 'it is closed',
};

/** The process received SIGINT or SIGTERM (exit 130 or 143). */
export class InterruptedError extends OauthctlError {
  /** Whether the command runs until a signal ends it, so that this is its normal end. */
  readonly isNormalEnd: boolean;

  constructor(
    signal: 'SIGINT' | 'SIGTERM',
    { message, ...details }: ErrorDetails & { readonly message?: string } = {},
  ) {
    const code = signal === 'SIGINT' ? 'interrupted' : 'terminated';
    super(code, ExitCode[code], message ?? code, details);
    this.isNormalEnd = message !== undefined;
  }

  /** Returns the same interruption with a hint. */
  withHint(hint: string): InterruptedError {
    return new InterruptedError(this.#signal(), { hint, cause: this });
  }

  /** Returns the same interruption as the normal end of a command. @param message says what has ended */
  asNormalEnd(message: string): InterruptedError {
    return new InterruptedError(this.#signal(), { message, cause: this });
  }

  #signal(): 'SIGINT' | 'SIGTERM' {
    return this.code === 'interrupted' ? 'SIGINT' : 'SIGTERM';
  }
}

/** `--curl` showed the request instead of sending it, which ends the command (exit 0). */
export class RequestShown extends OauthctlError {
  constructor() {
    super('request_shown', ExitCode.done, 'the request was shown and not sent');
  }
}
