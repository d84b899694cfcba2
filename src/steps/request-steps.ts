import { type Endpoint, RefusedError } from '../errors.ts';
import type { BrowserWaitEvent } from '../flows/authorization/browser-wait.ts';
import { inWords } from '../output/duration.ts';
import { printable } from '../output/printable.ts';
import type { Reporter } from '../output/reporter.ts';
import type { RegisteredClient } from '../protocol/oauth/client-authentication.ts';
import type { FormParameters } from '../protocol/oauth/form.ts';
import { formLine, parameterLine, shortPath } from './step-lines.ts';

/** A request that a step tells. */
export interface ToldRequest {
  /** The number of the step, where it has one. */
  readonly mark?: string;
  readonly method?: 'GET' | 'POST';
  readonly url: string;
  /** Who the client is and how it says so, or with what the request is authorized. */
  readonly as: Pick<RegisteredClient, 'client_id' | 'token_endpoint_auth_method'> | string;
  /** By their wire names, or in pairs; secrets are masked. */
  readonly values?: object | FormParameters;
  /** Whether it carries a DPoP proof. */
  readonly isProven?: boolean;
}

/** Tells a request. */
export function tellRequest(
  reporter: Reporter,
  { mark = '', method = 'POST', url, as, values = {}, isProven = false }: ToldRequest,
): void {
  const who = typeof as === 'string' ? as : `${as.token_endpoint_auth_method} as ${printable(as.client_id)}`;
  reporter.step({
    mark,
    parties: 'client → server',
    text: `${method} ${shortPath(url)}  ${who}${isProven ? ' with a DPoP proof' : ''}`,
    details: [Array.isArray(values) ? formLine(values) : parameterLine(values)].filter(Boolean),
  });
}

/** Tells what a browser is to request. */
export function tellBrowserRequest(reporter: Reporter, url: string): void {
  reporter.step({
    mark: '',
    parties: 'browser → server',
    text: `GET ${shortPath(url)}`,
    details: [formLine([...new URL(url).searchParams])],
  });
}

/** Tells how the wait for the browser goes. */
export function tellBrowserWait(reporter: Reporter, event: BrowserWaitEvent): void {
  if (event.type === 'waiting') {
    reporter.live(`waiting for the browser · ${inWords(event.leftMs / 1000)} left`);
  } else {
    reporter.warning(`a request to the redirect URI was turned away: it has ${printable(event.reason)}`);
  }
}

/** Tells the answer to a request. */
export function tellAnswer(
  reporter: Reporter,
  answer: { readonly status: number; readonly text: string; readonly ms: number; readonly isGood?: boolean },
): void {
  const { isGood = true, ...step } = answer;
  reporter.step({ mark: '', parties: 'server → client', ...step, tone: isGood ? 'good' : 'bad' });
}

/** Tells that one of these endpoints refused; any other failure is not a step. */
export function tellRefusal(reporter: Reporter, error: unknown, ...endpoints: readonly Endpoint[]): void {
  if (!(error instanceof RefusedError) || !endpoints.includes(error.oauth.endpoint)) return;
  const { status, error: word } = error.oauth;
  reporter.step({ mark: '', parties: 'server → client', status, text: printable(word), tone: 'bad' });
}
