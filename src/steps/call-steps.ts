import type { CallEvent } from '../flows/resource/call.ts';
import { printable } from '../output/printable.ts';
import type { Reporter } from '../output/reporter.ts';
import { shortenPath } from './step-lines.ts';

/** Reports a request to a protected resource and its response. */
export class CallSteps {
  readonly #reporter: Reporter;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** Reports one event. */
  readonly report = (event: CallEvent): void => {
    const reporter = this.#reporter;
    switch (event.type) {
      case 'resource_request':
        reporter.step({
          mark: '',
          parties: 'client → resource',
          text: `${event.method} ${printable(shortenPath(event.url))}  ${CREDENTIALS[event.scheme ?? 'none']}`,
        });
        return;
      case 'resource_response': {
        const { answer, size } = event;
        const type = answer.headers['content-type']?.split(';')[0];
        reporter.step({
          mark: '',
          parties: 'resource → client',
          status: answer.status,
          text: printable([type, `${size} bytes`].filter(Boolean).join(', ')),
          ms: answer.ms,
          tone: answer.status < 400 ? 'good' : 'bad',
        });
        return;
      }
      case 'resource_metadata': {
        const { authorization_servers: servers, scopes_supported: scopes } = event.metadata;
        const facts = [
          servers && `authorization servers ${servers.join(', ')}`,
          scopes && `scopes ${scopes.join(' ')}`,
        ].filter(Boolean);
        reporter.note(printable(`metadata of the resource: ${facts.join(' · ') || 'nothing relevant'}`));
        return;
      }
      case 'resource_metadata_unusable':
        reporter.warning(printable(event.error.message));
    }
  };
}

const CREDENTIALS = {
  Bearer: 'with the token as Bearer',
  DPoP: 'with the token and a DPoP proof',
  own: 'with the given Authorization header',
  none: 'without a token',
} as const;
