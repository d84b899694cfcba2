import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface ScriptedTokenAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json: unknown;
}

export interface TokenServer {
  readonly issuer: string;
  /** The token requests, in their order. */
  readonly forms: readonly URLSearchParams[];
}

/**
 * Starts a server for a program that runs as a process of its own: metadata with a token endpoint, and the endpoint. It
 * ends with the test.
 * @param answer makes the answer to a token request; `number` counts from 1
 */
export async function startTokenServer(
  answer: (form: URLSearchParams, number: number, issuer: string) => ScriptedTokenAnswer,
): Promise<TokenServer> {
  const forms: URLSearchParams[] = [];
  let issuer = '';
  const server = createServer(async (request, response) => {
    const form = new URLSearchParams(await text(request));
    const isToken = request.method === 'POST';
    const {
      status = 200,
      headers,
      json,
    } = isToken
      ? answer(form, forms.push(form), issuer)
      : { json: { issuer, token_endpoint: `${issuer}/token` } };
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(json));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { issuer, forms };
}
