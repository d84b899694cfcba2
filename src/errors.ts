/** What each exit code of the program means; a tested part of its contract. */
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
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Which endpoint an answer came from, in the words of the metadata. */
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

/** An OAuth error as the server sent it; nothing is renamed or dropped. */
export interface OAuthRefusal {
  readonly error: string;
  readonly error_description?: string | undefined;
  readonly error_uri?: string | undefined;
  /** Undefined where it came by the browser, which keeps the status to itself. */
  readonly status?: number | undefined;
  readonly endpoint: Endpoint;
}

export interface ErrorDetails {
  /** What the person can do about it, one sentence or two. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** One thing that was looked at before something was found invalid, and what came of it. */
export interface ListedCheck {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it failed: a stable code in snake_case. */
  readonly reason?: string;
  readonly detail: string;
}

/** Every expected failure: a stable code, an exit code, and what to do. Anything else thrown is a defect. */
export class OauthctlError extends Error {
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;
  /** Further members of the error under `--json`, such as what was found before it failed. */
  members: Readonly<Record<string, unknown>> | undefined;

  constructor(code: string, exitCode: ExitCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.exitCode = exitCode;
    this.hint = details.hint;
  }
}

/** The command line, a profile or another file of ours is wrong (exit 2). */
export class UsageError extends OauthctlError {
  constructor(code: string, message: string, details?: ErrorDetails) {
    super(code, ExitCode.usage, message, details);
  }
}

/** The server answered with an OAuth error (exit 3; 7 where the person denied, 6 where the id expired, 8 while pending). */
export class RefusedError extends OauthctlError {
  readonly oauth: OAuthRefusal;

  constructor(oauth: OAuthRefusal, details?: ErrorDetails) {
    const said = oauth.error_description ? `${oauth.error}: ${oauth.error_description}` : oauth.error;
    const status = oauth.status === undefined ? '' : `${oauth.status} `;
    super(oauth.error, chooseExitCode(oauth), `the server answered ${status}${said}`, details);
    this.oauth = oauth;
  }
}

/** An answer, token or claim breaks the protocol or fails a check (exit 4). */
export class ValidationError extends OauthctlError {
  /** @param details.checks every check that was made, where it was a list of them that failed */
  constructor(
    code: string,
    message: string,
    details?: ErrorDetails & { readonly checks?: readonly ListedCheck[] },
  ) {
    super(code, ExitCode.validation, message, details);
    if (details?.checks !== undefined) this.members = { checks: details.checks };
  }
}

/** The server could not be reached, or what answered does not speak the protocol (exit 5). */
export class NetworkError extends OauthctlError {
  /** Whether the request may have been handled although no answer came. */
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

/** The authentication is still pending and the caller asked for one poll only (exit 8). */
export class PendingError extends OauthctlError {
  constructor(message: string, details?: ErrorDetails) {
    super('authorization_pending', ExitCode.pending, message, details);
  }
}

/** SIGINT or SIGTERM arrived (exit 130 or 143). */
export class InterruptedError extends OauthctlError {
  constructor(signal: 'SIGINT' | 'SIGTERM', details?: ErrorDetails) {
    const interrupted = signal === 'SIGINT';
    super(
      interrupted ? 'interrupted' : 'terminated',
      interrupted ? ExitCode.interrupted : ExitCode.terminated,
      interrupted ? 'interrupted' : 'terminated',
      details,
    );
  }

  /** The same interruption, with what the person can do about it. */
  withHint(hint: string): InterruptedError {
    return new InterruptedError(this.code === 'interrupted' ? 'SIGINT' : 'SIGTERM', { hint, cause: this });
  }
}

/** `--curl` showed the request instead of sending it, which ends the command well (exit 0). */
export class RequestShown extends OauthctlError {
  constructor() {
    super('request_shown', ExitCode.done, 'the request was shown and not sent');
  }
}

function chooseExitCode({ error, endpoint }: OAuthRefusal): ExitCode {
  // A resource denies the token, and no person anything.
  if (endpoint === 'resource') return ExitCode.refused;
  switch (error) {
    case 'access_denied':
      return ExitCode.denied;
    case 'expired_token':
      return ExitCode.timeout;
    default:
      return ExitCode.refused;
  }
}
