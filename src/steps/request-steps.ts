import { type Endpoint, RefusedError } from '../errors.ts';
import type { BrowserWaitEvent } from '../flows/authorization/browser-wait.ts';
import { inWords } from '../output/duration.ts';
import { printable } from '../output/printable.ts';
import type { Reporter } from '../output/reporter.ts';
import type { RegisteredClient } from '../protocol/oauth/client-authentication.ts';
import type { FormParameters } from '../protocol/oauth/form.ts';
import { renderForm, renderParameters, shortenPath } from './step-lines.ts';

/** A request that is reported as a step. */
export interface ReportedRequest {
  /** The number of the step, if it has one. */
  readonly mark?: string;
  readonly method?: 'GET' | 'POST';
  readonly url: string;
  /** The client and its authentication method, or how the request is authorized. */
  readonly as: Pick<RegisteredClient, 'client_id' | 'token_endpoint_auth_method'> | string;
  /** By their parameter names, or as pairs; secrets are masked. */
  readonly values?: object | FormParameters;
  /** Whether it carries a DPoP proof. */
  readonly isProven?: boolean;
}

/** Reports a request. */
export function reportRequest(
  reporter: Reporter,
  { mark = '', method = 'POST', url, as, values = {}, isProven = false }: ReportedRequest,
): void {
  const who = typeof as === 'string' ? as : `${as.token_endpoint_auth_method} as ${printable(as.client_id)}`;
  reporter.step({
    mark,
    parties: 'client → server',
    text: `${method} ${shortenPath(url)}  ${who}${isProven ? ' with a DPoP proof' : ''}`,
    details: [Array.isArray(values) ? renderForm(values) : renderParameters(values)].filter(Boolean),
  });
}

/** Reports the request that a browser has to send. */
export function reportBrowserRequest(reporter: Reporter, url: string): void {
  reporter.step({
    mark: '',
    parties: 'browser → server',
    text: `GET ${shortenPath(url)}`,
    details: [renderForm([...new URL(url).searchParams])],
  });
}

/** Reports the wait for the browser. */
export function reportBrowserWait(reporter: Reporter, event: BrowserWaitEvent): void {
  if (event.type === 'waiting') {
    reporter.live(`waiting for the browser · ${inWords(event.leftMs / 1000)} left`);
  } else {
    reporter.warning(`a request to the redirect URI was refused: it has ${printable(event.reason)}`);
  }
}

/** Reports the response to a request. */
export function reportAnswer(
  reporter: Reporter,
  answer: { readonly status: number; readonly text: string; readonly ms: number; readonly isGood?: boolean },
): void {
  const { isGood = true, ...step } = answer;
  reporter.step({ mark: '', parties: 'server → client', ...step, tone: isGood ? 'good' : 'bad' });
}

/** Reports the refusal of one of these endpoints; other failures are not steps. */
export function reportRefusal(reporter: Reporter, error: unknown, ...endpoints: readonly Endpoint[]): void {
  if (!(error instanceof RefusedError) || !endpoints.includes(error.oauth.endpoint)) return;
  const { status, error: word } = error.oauth;
  reporter.step({ mark: '', parties: 'server → client', status, text: printable(word), tone: 'bad' });
}
