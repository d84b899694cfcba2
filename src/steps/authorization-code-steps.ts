import type { AuthorizationCodeEvent } from '../flows/authorization/authorization-code.ts';
import type { TokenEvent } from '../flows/token/token.ts';
import { inWords } from '../output/duration.ts';
import { printable } from '../output/printable.ts';
import type { Reporter } from '../output/reporter.ts';
import type { PreflightVerdict } from '../protocol/oauth/authorization-preflight.ts';
import {
  reportAnswer,
  reportBrowserRequest,
  reportBrowserWait,
  reportRefusal,
  reportRequest,
} from './request-steps.ts';
import { ID_TOKEN_MISSING, warnOfRemarks } from './step-lines.ts';
import { TokenSteps } from './token-steps.ts';

/** Reports the steps of the authorization code grant, and shows the URL to open. */
export class AuthorizationCodeSteps {
  readonly #reporter: Reporter;
  readonly #tokens: TokenSteps;
  readonly #invite: (url: string) => void;

  /** @param invite shows the URL, also with `--quiet`, since the grant cannot continue without it */
  constructor(reporter: Reporter, invite: (url: string) => void) {
    this.#reporter = reporter;
    this.#tokens = new TokenSteps(reporter);
    this.#invite = invite;
  }

  /** Reports one event. */
  readonly report = (event: AuthorizationCodeEvent): void => {
    const reporter = this.#reporter;
    switch (event.type) {
      case 'preflight_request':
        reportRequest(reporter, {
          method: 'GET',
          url: event.url,
          as: 'preflight, without a session',
          values: event.parameters,
        });
        return;
      case 'preflight_response':
        reportPreflight(reporter, event);
        return;
      case 'pushed_authorization_request':
        reportRequest(reporter, { url: event.url, as: event.target.client, values: event.parameters });
        return;
      case 'pushed_authorization_response': {
        const { pushed, status, ms } = event;
        const expiry = pushed.expires_in === undefined ? '' : ` · expires in ${inWords(pushed.expires_in)}`;
        const text = `request_uri ${printable(pushed.request_uri)}${expiry}`;
        reportAnswer(reporter, { status, text, ms });
        return;
      }
      case 'authorization_request':
        reportBrowserRequest(reporter, event.url);
        if (event.listensAt !== undefined) reporter.note(`waiting for the redirect at ${event.listensAt}`);
        this.#invite(event.url);
        return;
      case 'waiting':
      case 'redirect_refused':
        reportBrowserWait(reporter, event);
        return;
      case 'authorization_response': {
        reporter.settle();
        const { response, place, isSigned, remarks } = event;
        const isRefusal = response.kind === 'refused';
        const way = place === 'paste' ? 'pasted' : `by ${place}`;
        reporter.step({
          mark: '',
          parties: 'browser → client',
          text: isRefusal ? printable(response.oauth.error) : describeContents(response.json),
          details: [isSigned ? `${way}, signature verified (JARM)` : way],
          tone: isRefusal ? 'bad' : 'good',
        });
        for (const remark of remarks) reporter.warning(remark);
        return;
      }
      case 'front_tokens_odd':
        warnOfRemarks(reporter, 'the authorization response', event.remarks);
        return;
      case 'id_token_missing':
        reporter.warning(ID_TOKEN_MISSING);
        return;
      default:
        this.#tokens.report(event satisfies TokenEvent);
    }
  };

  /** Reports the refusal of the server that ended the flow. */
  failed(error: unknown): void {
    this.#reporter.settle();
    reportRefusal(this.#reporter, error, 'pushed_authorization_request', 'token');
  }
}

function reportPreflight(
  reporter: Reporter,
  { verdict, answer }: Extract<AuthorizationCodeEvent, { type: 'preflight_response' }>,
): void {
  if (answer !== undefined) reportAnswer(reporter, { ...answer, ...describeVerdict(verdict) });
  if (verdict.kind === 'unclear')
    reporter.note(`the preflight is inconclusive: ${printable(verdict.reason)}`);
}

function describeVerdict(verdict: PreflightVerdict): { text: string; isGood: boolean } {
  switch (verdict.kind) {
    case 'passed':
      return { text: `${printable(verdict.answered)}, no refusal`, isGood: true };
    case 'refused':
      return { text: printable(verdict.oauth.error), isGood: false };
    case 'unclear':
      return { text: 'undecided', isGood: true };
  }
}

/** Describes what the authorization response contains. */
function describeContents(json: Readonly<Record<string, unknown>>): string {
  return ['code', 'access_token', 'id_token'].filter((name) => name in json).join(' · ');
}
