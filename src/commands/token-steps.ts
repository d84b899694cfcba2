import { RefusedError } from '../errors.ts';
import type { TokenEvent } from '../flows/token.ts';
import { printable } from '../output/printable.ts';
import type { Reporter } from '../output/reporter.ts';
import { idTokenLine, parameterLine, shortPath, tokenLine } from './step-lines.ts';

/** Tells a token request and its answer. */
export class TokenSteps {
  readonly #reporter: Reporter;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** Tells one event. */
  readonly tell = (event: TokenEvent): void => {
    const reporter = this.#reporter;
    switch (event.type) {
      case 'token_request': {
        const { client, dpop, proofs } = event.target;
        const proof = dpop && proofs ? ' with a DPoP proof' : '';
        reporter.step({
          mark: '',
          parties: 'client → server',
          text: `POST ${shortPath(event.url)}  ${client.token_endpoint_auth_method} as ${printable(client.client_id)}${proof}`,
          details: [parameterLine(event.values)],
        });
        return;
      }
      case 'token_response':
        reporter.step({
          mark: '',
          parties: 'server → client',
          status: 200,
          text: tokenLine(event.tokens),
          ms: event.ms,
          tone: 'good',
        });
        return;
      case 'id_token_verified':
        reporter.note(idTokenLine(event.idToken));
        return;
      case 'refresh_waiting':
        reporter.note('another run refreshes these tokens · waiting for it');
        return;
      case 'refreshed_elsewhere':
        reporter.note('another run has refreshed these tokens meanwhile · its result is taken');
        return;
    }
  };

  /** Tells that the server refused. */
  failed(error: unknown): void {
    if (!(error instanceof RefusedError) || error.oauth.endpoint !== 'token') return;
    const { status, error: word } = error.oauth;
    this.#reporter.step({ mark: '', parties: 'server → client', status, text: printable(word), tone: 'bad' });
  }
}
