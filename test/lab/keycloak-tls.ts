import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Authority, type Certificate, makeAuthority, makeCertificate } from '../helpers/certificates.ts';
import { type KeycloakServer, startVariant } from './keycloak.ts';
import { freePort } from './ports.ts';
import type { Started } from './servers.ts';

/** A Keycloak with an HTTPS port beside the plain one of `baseUrl`, which serves the admin API. */
export interface KeycloakTlsServer extends KeycloakServer {
  /** `https://127.0.0.1:PORT`; the certificate is for `localhost` as well. */
  httpsUrl: string;
  /** Signed the server's certificate, and what a client certificate has to be signed with. */
  authority: Authority;
  /** A client certificate that its holder has signed, and that the server trusts all the same: `CN=self-signed`. */
  selfSigned: Certificate;
}

/** The legacy token exchange takes its permissions from the first version of fine-grained administration. */
const features = 'token-exchange:v1,admin-fine-grained-authz:v1';

/** Starts Keycloak 26 with HTTPS, asking for client certificates of an authority of this run, and with preview features. */
export async function startKeycloak26Tls(): Promise<Started<KeycloakTlsServer>> {
  const authority = makeAuthority('Laboratory CA');
  const selfSigned = makeCertificate('self-signed');
  const port = await freePort();
  const { info, stop } = await startVariant({
    name: 'keycloak26tls',
    buildOptions: [`--features=${features}`],
    async options(folder) {
      const { cert, key } = makeCertificate('127.0.0.1', { authority });
      const write = async (name: string, text: string) => {
        await writeFile(join(folder, name), text, { mode: 0o600 });
        return join(folder, name);
      };
      return [
        `--https-port=${port}`,
        `--https-certificate-file=${await write('server.crt', cert)}`,
        `--https-certificate-key-file=${await write('server.key', key)}`,
        '--https-client-auth=request',
        `--https-trust-store-file=${await write('trusted.pem', authority.cert + selfSigned.cert)}`,
        '--https-trust-store-type=PEM',
      ];
    },
  });
  return { info: { ...info, httpsUrl: `https://127.0.0.1:${port}`, authority, selfSigned }, stop };
}
