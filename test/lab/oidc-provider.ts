import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './cache.ts';
import { freePort } from './ports.ts';
import { startServer } from './process.ts';
import type { Started } from './servers.ts';

/** How a test reaches the oidc-provider of the laboratory: the package as it is, in poll mode. */
export interface OidcProviderServer {
  issuer: string;
  /** Where `POST /approve?user=NAME` and `/deny?user=NAME` decide what that user was last asked. */
  controlUrl: string;
  /** May use every grant that the server has. */
  client: { clientId: string; secret: string };
  /** May use client credentials alone. */
  plainClient: { clientId: string; secret: string };
}

const program = fileURLToPath(new URL('./oidc-provider/server.js', import.meta.url));

/** Starts oidc-provider on a free port of 127.0.0.1; its issuer is the address of that port. */
export async function startOidcProvider(): Promise<Started<OidcProviderServer>> {
  const folder = await temporaryFolder('oidc-provider');
  const port = await freePort();
  const controlPort = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const newSecret = () => randomBytes(24).toString('base64url');
  const client = { clientId: 'test-client', secret: newSecret() };
  const plainClient = { clientId: 'plain-client', secret: newSecret() };
  const registrations = [
    {
      client_id: client.clientId,
      client_secret: client.secret,
      // What lets a redirect URI of http have any port.
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/callback'],
      backchannel_token_delivery_mode: 'poll',
      grant_types: [
        'authorization_code',
        'client_credentials',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:device_code',
        'urn:openid:params:grant-type:ciba',
      ],
    },
    {
      client_id: plainClient.clientId,
      client_secret: plainClient.secret,
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
    },
  ];
  const server = await startServer(
    'oidc-provider',
    {
      command: process.execPath,
      args: [program, String(port), String(controlPort)],
      env: { OIDC_PROVIDER_CLIENTS: JSON.stringify(registrations) },
      folder,
    },
    async () => {
      const url = `${issuer}/.well-known/openid-configuration`;
      const response = await fetch(url, { signal: AbortSignal.timeout(15_000) });
      await response.body?.cancel();
      return response.ok;
    },
  );
  return {
    info: { issuer, controlUrl: `http://127.0.0.1:${controlPort}`, client, plainClient },
    stop: server.stop,
  };
}
