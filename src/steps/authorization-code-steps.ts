import type { AuthorizationCodeEvent } from '../flows/authorization/authorization-code.ts';
import type { TokenEvent } from '../flows/token/token.ts';
import { inWords } from '../output/duration.ts';
import { printable } from '../output/printable.ts';
import type { Reporter } from '../output/reporter.ts';
import type { PreflightVerdict } from '../protocol/oauth/authorization-preflight.ts';
import {
  tellAnswer,
  tellBrowserRequest,
  tellBrowserWait,
  tellRefusal,
  tellRequest,
} from './request-steps.ts';
import { ID_TOKEN_MISSING, tellRemarks } from './step-lines.ts';
import { TokenSteps } from './token-steps.ts';

/** Tells the authorization code grant as it happens, and the person which address to open. */
export class AuthorizationCodeSteps {
  readonly #reporter: Reporter;
  readonly #tokens: TokenSteps;
  readonly #invite: (url: string) => void;

  /** @param invite shows the address; under `--quiet` as well, since nothing goes on without it */
  constructor(reporter: Reporter, invite: (url: string) => void) {
    this.#reporter = reporter;
    this.#tokens = new TokenSteps(reporter);
    this.#invite = invite;
  }

  /** Tells one event. */
  readonly tell = (event: AuthorizationCodeEvent): void => {
    const reporter = this.#reporter;
    switch (event.type) {
      case 'preflight_request':
        tellRequest(reporter, {
          method: 'GET',
          url: event.url,
          as: 'preflight, without a session',
          values: event.parameters,
        });
        return;
      case 'preflight_response':
        tellPreflight(reporter, event);
        return;
      case 'pushed_authorization_request':
        tellRequest(reporter, { url: event.url, as: event.target.client, values: event.parameters });
        return;
      case 'pushed_authorization_response': {
        const { pushed, status, ms } = event;
        const expiry =
          pushed.expires_in === undefined ? '' : ` · to be opened within ${inWords(pushed.expires_in)}`;
        const text = `request_uri ${printable(pushed.request_uri)}${expiry}`;
        tellAnswer(reporter, { status, text, ms });
        return;
      }
      case 'authorization_request':
        tellBrowserRequest(reporter, event.url);
        if (event.listensAt !== undefined) reporter.note(`the redirect is waited for at ${event.listensAt}`);
        this.#invite(event.url);
        return;
      case 'waiting':
      case 'redirect_refused':
        tellBrowserWait(reporter, event);
        return;
      case 'authorization_response': {
        reporter.settle();
        const { response, place, isSigned, remarks } = event;
        const isRefusal = response.kind === 'refused';
        const way = place === 'paste' ? 'pasted' : `by ${place}`;
        reporter.step({
          mark: '',
          parties: 'browser → client',
          text: isRefusal ? printable(response.oauth.error) : broughtBy(response.json),
          details: [isSigned ? `${way}, signature verified (JARM)` : way],
          tone: isRefusal ? 'bad' : 'good',
        });
        for (const remark of remarks) reporter.warning(remark);
        return;
      }
      case 'front_tokens_odd':
        tellRemarks(reporter, 'the authorization response', event.remarks);
        return;
      case 'id_token_missing':
        reporter.warning(ID_TOKEN_MISSING);
        return;
      default:
        this.#tokens.tell(event satisfies TokenEvent);
    }
  };

  /** Tells how the flow ended in a refusal of the server. */
  failed(error: unknown): void {
    this.#reporter.settle();
    tellRefusal(this.#reporter, error, 'pushed_authorization_request', 'token');
  }
}

function tellPreflight(
  reporter: Reporter,
  { verdict, answer }: Extract<AuthorizationCodeEvent, { type: 'preflight_response' }>,
): void {
  if (answer !== undefined) tellAnswer(reporter, { ...answer, ...describeVerdict(verdict) });
  if (verdict.kind === 'unclear')
    reporter.note(`the preflight does not show whether a browser is refused: ${printable(verdict.reason)}`);
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

/** What came through the browser. */
function broughtBy(json: Readonly<Record<string, unknown>>): string {
  return ['code', 'access_token', 'id_token'].filter((name) => name in json).join(' · ');
}
