import { maskBody, maskHeader, maskUrl, type Redactor } from '../redact.ts';
import { printable } from './printable.ts';

/** The parts of an exchange that are shown; compatible with the transport's type. */
interface ShownExchange {
  readonly direction: 'out' | 'in';
  readonly endpoint: string;
  readonly startedAt: number;
  readonly request: ShownMessage & { readonly method: string; readonly url: string };
  readonly answer?: ShownMessage & { readonly status: number; readonly ms: number };
  readonly failure?: string;
}

interface ShownMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Renders an exchange for `-v`: `>` is the request, `<` the response; secrets are masked. */
export function renderExchange(exchange: ShownExchange, redactor: Redactor): string {
  const { request, answer, failure, direction } = redactExchange(exchange, redactor);
  const lines = [
    `${direction === 'in' ? '(received) ' : ''}${request.method} ${request.url}`,
    ...renderMessage(request),
  ].map((line) => `> ${line}`);
  if (answer)
    lines.push(`< ${answer.status}  ${answer.ms} ms`, ...renderMessage(answer).map((line) => `< ${line}`));
  if (failure !== undefined) lines.push(`! ${failure}`);
  return `${lines.map((line) => printable(line, true)).join('\n')}\n`;
}

/** Renders an exchange as one line of a trace file: JSON with the names of the protocol; secrets are masked. */
export function renderTraceLine(exchange: ShownExchange, redactor: Redactor): string {
  const { startedAt, ...rest } = redactExchange(exchange, redactor);
  return `${redactor.text(JSON.stringify({ v: 1, at: new Date(startedAt).toISOString(), ...rest }))}\n`;
}

function redactExchange(exchange: ShownExchange, redactor: Redactor): ShownExchange {
  if (redactor.showSecrets) return exchange;
  const { request, answer } = exchange;
  return {
    ...exchange,
    request: { ...request, url: maskUrl(request.url), ...redactMessage(request) },
    ...(answer && { answer: { ...answer, ...redactMessage(answer) } }),
  };
}

function redactMessage({ headers, body }: ShownMessage): ShownMessage {
  return {
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, maskHeader(name, value)]),
    ),
    body: maskBody(body, headers['content-type']),
  };
}

function renderMessage({ headers, body }: ShownMessage): string[] {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return body === '' ? lines : [...lines, '', ...body.split(/\r?\n/)];
}
