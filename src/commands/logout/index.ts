import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { RequestShown, UsageError } from '../../errors.ts';
import {
  type BrowserLogoutEvent,
  endSession,
  type LoggedOut,
  type LogoutEvent,
  logoutByBrowser,
} from '../../flows/authorization/logout.ts';
import { printable } from '../../output/printable.ts';
import { parseRedirectUri } from '../../protocol/oauth/redirect-uri.ts';
import { documentCommand } from '../../session/command-help.ts';
import { connect } from '../../session/connect.ts';
import { createAddressOpener } from '../../session/open-address.ts';
import { parseSeconds } from '../../session/option-values.ts';
import { createReferenceArgument } from '../../session/options.ts';
import { openSession, printResult, type Session, storageName } from '../../session/session.ts';
import { addServerOptions } from '../../session/setting-options.ts';
import { readTokenArgument } from '../../session/token-argument.ts';
import {
  reportAnswer,
  reportBrowserRequest,
  reportBrowserWait,
  reportRefusal,
  reportRequest,
} from '../../steps/request-steps.ts';
import { renderForm } from '../../steps/step-lines.ts';

interface LogoutFlags {
  readonly browser?: boolean;
  readonly idTokenHint?: string;
  readonly postLogoutRedirectUri?: string;
  readonly state?: string;
  readonly logoutHint?: string;
  readonly uiLocales?: string;
  readonly deadline?: string;
  readonly failFast?: true;
}

/** Seconds that a person has to come back from the server. */
const DEFAULT_DEADLINE = '300';

/** `oauthctl logout` */
export function defineLogout(command: Command, ctx: Context): void {
  addServerOptions(command)
    .addArgument(
      createReferenceArgument('[refresh-token]', 'the refresh token, - or @FILE (default: the kept one)'),
    )
    .option(
      '--browser',
      'log out in a browser, as OpenID Connect has it (default: where no refresh token is kept)',
    )
    .option('--no-browser', 'the same, but show the address only')
    .option('--id-token-hint <ref>', 'the ID token, -, @FILE or @last.id_token (default: the kept one)')
    .option(
      '--post-logout-redirect-uri <uri>',
      'where the browser goes then; waited for at http://127.0.0.1:PORT',
    )
    .option('--state <text>', 'comes back with it (default: at random)')
    .option('--logout-hint <user>', 'who is to be logged out')
    .option('--ui-locales <tags>', 'languages of the pages, separated by spaces')
    .option('--deadline <seconds>', 'give up waiting for the browser after so long, exit 6', DEFAULT_DEADLINE)
    .option('--fail-fast', 'end at the first redirect whose state is missing or wrong, exit 4')
    .action((token: string | undefined) => runLogout(ctx, command, token));
  documentCommand(command, {
    examples: [
      'oauthctl logout',
      'oauthctl logout --browser --post-logout-redirect-uri http://127.0.0.1:8090/',
    ],
  });
}

async function runLogout(base: Context, command: Command, given: string | undefined): Promise<void> {
  const session = await openSession(base, command);
  const flags = command.opts<LogoutFlags>();
  const { id_token, refresh_token } = (await keptResponse(session)) ?? {};
  const isForBrowser = BROWSER_FLAGS.some((name) => flags[name] !== undefined);
  if (given !== undefined && isForBrowser) {
    throw new UsageError(
      'logout_ambiguous',
      'a refresh token and a logout in the browser exclude each other',
      {
        hint: 'Leave the refresh token out, or --browser and what belongs to it.',
      },
    );
  }
  const isRefreshTokenKept = typeof refresh_token === 'string';
  if (given === undefined && !isForBrowser && !isRefreshTokenKept && typeof id_token !== 'string')
    throw nothingToLogOut();
  if (given !== undefined || (!isForBrowser && isRefreshTokenKept)) {
    await byRefreshToken(session, given ?? '@last.refresh_token');
  } else {
    await byBrowser(session, flags, typeof id_token === 'string');
  }
}

function nothingToLogOut(): UsageError {
  return new UsageError(
    'nothing_kept',
    'there is nothing to log out: neither a refresh token nor an ID token is kept for this profile',
    {
      hint:
        'Give a refresh token, or add --browser to log out whoever is signed in there. "oauthctl token list" shows ' +
        'what is kept.',
    },
  );
}

/** Each of them asks for the logout in a browser. */
const BROWSER_FLAGS = [
  'browser',
  'idTokenHint',
  'postLogoutRedirectUri',
  'state',
  'logoutHint',
  'uiLocales',
] as const satisfies readonly (keyof LogoutFlags)[];

async function byRefreshToken(session: Session, argument: string): Promise<void> {
  const { ctx, reporter } = session;
  const refreshToken = await readTokenArgument(session, argument, ['refresh_token']);
  const target = await connect(session);
  try {
    const { forgotten } = await endSession(ctx, { target, refreshToken }, (event) =>
      reportEvent(session, event),
    );
    printResult(session, { by: 'refresh_token', forgotten }, () =>
      ['the session of the refresh token has ended\n', ...forgottenLines({ forgotten })].join(''),
    );
  } catch (error) {
    reportRefusal(reporter, error, 'end_session');
    throw error;
  }
}

async function byBrowser(session: Session, flags: LogoutFlags, isIdTokenKept: boolean): Promise<void> {
  const { ctx, reporter } = session;
  const { postLogoutRedirectUri, deadline = DEFAULT_DEADLINE } = flags;
  const deadlineMs = parseSeconds(deadline, '--deadline') * 1000;
  const redirectUri =
    postLogoutRedirectUri === undefined ? undefined : parseRedirectUri(postLogoutRedirectUri);
  const hint = flags.idTokenHint ?? (isIdTokenKept ? '@last.id_token' : undefined);
  const request = {
    id_token_hint: hint === undefined ? undefined : await readTokenArgument(session, hint, ['id_token']),
    logout_hint: flags.logoutHint,
    state: flags.state,
    ui_locales: flags.uiLocales,
  };
  const target = await connect(session);
  const result = await logoutByBrowser(
    ctx,
    { target, request, redirectUri, deadlineMs, failFast: flags.failFast === true },
    createBrowserReporter(session, flags.browser !== false),
  ).finally(() => reporter.settle());
  printResult(session, { by: 'browser', ...result }, () =>
    result.returned
      ? ['logged out, and the browser came back\n', ...forgottenLines(result)].join('')
      : 'whether the session has ended, only the browser knows; nothing is forgotten ("oauthctl token forget")\n',
  );
}

function forgottenLines({ forgotten }: LoggedOut): string[] {
  return forgotten.map((owner) => `the kept tokens of "${printable(owner)}" are forgotten\n`);
}

async function keptResponse(session: Session): Promise<Readonly<Record<string, unknown>> | undefined> {
  return (await (await session.ctx.store()).tokens.last(storageName(session)))?.response;
}

function reportEvent({ reporter }: Session, event: LogoutEvent): void {
  if (event.type === 'logout_request') {
    reportRequest(reporter, { url: event.url, as: event.target.client, values: event.values });
  } else {
    reportAnswer(reporter, { status: event.status, text: 'session ended', ms: event.ms });
  }
}

function createBrowserReporter(session: Session, mayBrowse: boolean): (event: BrowserLogoutEvent) => void {
  const { ctx, reporter, globals } = session;
  const invite = createAddressOpener(session, mayBrowse);
  return (event) => {
    switch (event.type) {
      case 'browser_logout': {
        const { url, listensAt } = event;
        // What a browser would request.
        if (globals.curl) {
          ctx.io.out(`${printable(url)}\n`);
          throw new RequestShown();
        }
        reportBrowserRequest(reporter, url);
        if (listensAt !== undefined) reporter.note(`the browser is waited for at ${listensAt}`);
        invite(url);
        return;
      }
      case 'waiting':
      case 'redirect_refused':
        reportBrowserWait(reporter, event);
        return;
      case 'browser_came_back':
        reporter.settle();
        reporter.step({
          mark: '',
          parties: 'browser → client',
          text: renderForm(event.parameters) || 'came back',
          tone: 'good',
        });
    }
  };
}
