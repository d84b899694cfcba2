import { type Endpoint, RefusedError } from '../errors.ts';
import { printable } from '../output/printable.ts';
import type { Reporter } from '../output/reporter.ts';
import type { RegisteredClient } from '../protocol/client-authentication.ts';
import { parameterLine, shortPath } from './step-lines.ts';

/** A request that a step tells. */
export interface ToldRequest {
  readonly method?: 'GET' | 'POST';
  readonly url: string;
  /** Who the client is and how it says so, or with what the request is authorized. */
  readonly as: Pick<RegisteredClient, 'client_id' | 'token_endpoint_auth_method'> | string;
  /** By their wire names; secrets are masked. */
  readonly values?: object;
}

/** Tells a request. */
export function tellRequest(
  reporter: Reporter,
  { method = 'POST', url, as, values = {} }: ToldRequest,
): void {
  const who = typeof as === 'string' ? as : `${as.token_endpoint_auth_method} as ${printable(as.client_id)}`;
  reporter.step({
    mark: '',
    parties: 'client → server',
    text: `${method} ${shortPath(url)}  ${who}`,
    details: [parameterLine(values)].filter(Boolean),
  });
}

/** Tells the answer to a request. */
export function tellAnswer(
  reporter: Reporter,
  answer: { readonly status: number; readonly text: string; readonly ms: number; readonly isGood?: boolean },
): void {
  const { isGood = true, ...step } = answer;
  reporter.step({ mark: '', parties: 'server → client', ...step, tone: isGood ? 'good' : 'bad' });
}

/** Tells that an endpoint refused; any other failure is not a step. */
export function tellRefusal(reporter: Reporter, error: unknown, endpoint: Endpoint): void {
  if (!(error instanceof RefusedError) || error.oauth.endpoint !== endpoint) return;
  const { status, error: word } = error.oauth;
  reporter.step({ mark: '', parties: 'server → client', status, text: printable(word), tone: 'bad' });
}
