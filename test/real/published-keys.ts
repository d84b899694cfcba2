import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'vitest';
import type { Cli } from './cli.ts';

/** A JWK Set at an address, the one way by which 14 takes a client's keys. */
export interface PublishedKeys {
  readonly url: string;
  /** The attributes of a client by which Keycloak finds them. */
  readonly attributes: { readonly 'use.jwks.url': string; readonly 'jwks.url': string };
  close(): void;
}

/** Serves a JWK Set. */
export async function publishKeys(jwks: object): Promise<PublishedKeys> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(jwks));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  return {
    url,
    attributes: { 'use.jwks.url': 'true', 'jwks.url': url },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Serves the public keys of a file in a shell's home until the test ends. */
export async function publishKeyFile(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  cli: Cli,
  file: string,
): Promise<PublishedKeys> {
  const keys = await publishKeys(await cli.json('key', 'jwks', file));
  onTestFinished(() => keys.close());
  return keys;
}
