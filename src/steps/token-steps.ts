import type { TokenEvent } from '../flows/token/token.ts';
import type { Reporter } from '../output/reporter.ts';
import { reportAnswer, reportRefusal, reportRequest } from './request-steps.ts';
import { describeIdToken, describeScopeNotGranted, describeTokens, warnOfRemarks } from './step-lines.ts';

/** Reports a token request and its response. */
export class TokenSteps {
  readonly #reporter: Reporter;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** Reports one event. */
  readonly report = (event: TokenEvent): void => {
    const reporter = this.#reporter;
    switch (event.type) {
      case 'token_request': {
        const { url, values, target } = event;
        const isProven = target.dpop !== undefined && target.proofs !== undefined;
        reportRequest(reporter, { url, as: target.client, values, isProven });
        return;
      }
      case 'token_response':
        reportAnswer(reporter, { status: 200, text: describeTokens(event.tokens), ms: event.ms });
        warnOfRemarks(reporter, 'the token response', event.tokens.remarks);
        return;
      case 'id_token_verified':
        reporter.note(describeIdToken(event.idToken));
        return;
      case 'scope_not_granted':
        reporter.note(describeScopeNotGranted(event));
        return;
      case 'refresh_waiting':
        reporter.note('another run is refreshing these tokens · waiting for it');
        return;
      case 'refreshed_elsewhere':
        reporter.note('another run has refreshed these tokens · using its result');
        return;
    }
  };

  /** Reports that the server refused. */
  failed(error: unknown): void {
    reportRefusal(this.#reporter, error, 'token');
  }
}
