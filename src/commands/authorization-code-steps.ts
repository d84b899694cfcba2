import { RefusedError } from '../errors.ts';
import type { AuthorizationCodeEvent } from '../flows/authorization-code.ts';
import type { Target } from '../flows/target.ts';
import type { TokenEvent } from '../flows/token.ts';
import { inWords } from '../output/duration.ts';
import { printable } from '../output/printable.ts';
import type { Reporter } from '../output/reporter.ts';
import type { FormParameters } from '../protocol/form.ts';
import { parameterLine, shortPath } from './step-lines.ts';
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
      case 'pushed_authorization_request':
        reporter.step({
          mark: '',
          parties: 'client → server',
          text: `POST ${shortPath(event.url)}  ${clientOf(event.target)}`,
          details: [line(event.parameters)],
        });
        return;
      case 'pushed_authorization_response': {
        const { pushed, status, ms } = event;
        const expiry =
          pushed.expires_in === undefined ? '' : ` · to be opened within ${inWords(pushed.expires_in)}`;
        const text = `request_uri ${printable(pushed.request_uri)}${expiry}`;
        reporter.step({ mark: '', parties: 'server → client', status, text, ms, tone: 'good' });
        return;
      }
      case 'authorization_request': {
        const { origin, pathname } = new URL(event.url);
        reporter.step({
          mark: '',
          parties: 'browser → server',
          text: `GET ${shortPath(`${origin}${pathname}`)}`,
          details: [line([...new URL(event.url).searchParams])],
        });
        if (event.listensAt !== undefined) reporter.note(`the redirect is waited for at ${event.listensAt}`);
        this.#invite(event.url);
        return;
      }
      case 'waiting':
        reporter.live(`waiting for the browser · ${inWords(event.leftMs / 1000)} left`);
        return;
      case 'redirect_refused':
        reporter.warning(`a request to the redirect URI was turned away: it has ${printable(event.reason)}`);
        return;
      case 'authorization_response': {
        reporter.settle();
        const { response, place, remarks } = event;
        const isRefusal = response.kind === 'refused';
        reporter.step({
          mark: '',
          parties: 'browser → client',
          text: isRefusal ? printable(response.oauth.error) : broughtBy(response.json),
          details: [place === 'paste' ? 'pasted' : `by ${place}`],
          tone: isRefusal ? 'bad' : 'good',
        });
        for (const remark of remarks) reporter.warning(remark);
        return;
      }
      case 'id_token_missing':
        reporter.warning('the scope "openid" was asked for, and no ID token came');
        return;
      default:
        this.#tokens.tell(event satisfies TokenEvent);
    }
  };

  /** Tells how the flow ended in a refusal of the server. */
  failed(error: unknown): void {
    this.#reporter.settle();
    this.#tokens.failed(error);
    if (!(error instanceof RefusedError) || error.oauth.endpoint !== 'pushed_authorization_request') return;
    const { status, error: word } = error.oauth;
    this.#reporter.step({ mark: '', parties: 'server → client', status, text: printable(word), tone: 'bad' });
  }
}

function clientOf({ client }: Target): string {
  return `${client.token_endpoint_auth_method} as ${printable(client.client_id)}`;
}

/** Parameters on one line, a name that repeats included. */
function line(parameters: FormParameters): string {
  return parameters.map(([name, value]) => parameterLine({ [name]: value })).join('  ');
}

/** What came through the browser. */
function broughtBy(json: Readonly<Record<string, unknown>>): string {
  return ['code', 'access_token', 'id_token'].filter((name) => name in json).join(' · ');
}
