import type { PollEvent } from '../flows/polling/poll.ts';
import { inWords } from '../output/duration.ts';
import { printable } from '../output/printable.ts';
import type { Reporter } from '../output/reporter.ts';
import type { ScopeNotGrantedEvent } from '../protocol/oauth/granted-scope.ts';
import type { VerifiedIdToken } from '../protocol/oidc/id-token.ts';
import {
  describeIdToken,
  describeScopeNotGranted,
  describeTokens,
  ID_TOKEN_MISSING,
  warnOfRemarks,
} from './step-lines.ts';

/** The events of a flow that polls the token endpoint, from the first poll on. */
export type PollingEvent =
  | PollEvent
  | ScopeNotGrantedEvent
  | { readonly type: 'id_token_verified'; readonly idToken: VerifiedIdToken }
  | { readonly type: 'id_token_missing' };

/** The names of the steps in one flow. */
export interface PollNames {
  /** The marks of a poll that is answered with `authorization_pending`, and of the poll that returns the tokens. */
  readonly pending: string;
  readonly tokens: string;
  readonly waitingFor: string;
}

/** Reports one event of the polling. */
export function reportPoll(reporter: Reporter, event: PollingEvent, names: PollNames): void {
  switch (event.type) {
    case 'polling':
      reporter.hideLive();
      return;
    case 'polled':
      reporter.step({
        mark: names.pending,
        parties: 'client → server',
        status: event.refusal.status,
        text: printable(event.refusal.error),
        ms: event.ms,
        tone: 'wait',
        isCounted: true,
      });
      return;
    case 'slowed_down':
      reporter.note(`polling every ${event.intervalSeconds} s from now on`);
      return;
    case 'poll_failed':
      reporter.warning(`${printable(event.reason)}; polling again in ${inWords(event.nextInMs / 1000)}`);
      return;
    case 'poll_delayed':
      reporter.note(`the next poll is allowed in ${inWords(Math.ceil(event.nextInMs / 1000))}`);
      return;
    case 'waiting': {
      const left = event.expiresInMs === undefined ? '' : ` · ${inWords(event.expiresInMs / 1000)} left`;
      reporter.live(
        `waiting for ${printable(names.waitingFor)} · next poll in ${inWords(Math.ceil(event.nextInMs / 1000))}${left}`,
      );
      return;
    }
    case 'tokens':
      reporter.settle();
      reporter.step({
        mark: names.tokens,
        parties: 'client → server',
        status: 200,
        text: describeTokens(event.tokens),
        ms: event.ms,
        tone: 'good',
      });
      warnOfRemarks(reporter, 'the token response', event.tokens.remarks);
      return;
    case 'scope_not_granted':
      reporter.note(describeScopeNotGranted(event));
      return;
    case 'id_token_verified':
      reporter.note(describeIdToken(event.idToken));
      return;
    case 'id_token_missing':
      reporter.warning(ID_TOKEN_MISSING);
  }
}
