import { createHash, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, type TestContext } from 'vitest';
import { type Certificate, type CertificateOptions, makeCertificate } from '../helpers/certificates.ts';
import type { KeycloakTlsServer } from '../lab/keycloak-tls.ts';
import { askFor } from '../lab/provided.ts';
import { createSampleRealm, type SampleRealm, type SampleRealmOptions } from '../lab/sample-realm.ts';
import { addProfile, type Cli, type CliOptions, openCli } from './cli.ts';

/** A client certificate in files of a shell. */
export interface ClientCertificate {
  /** `--cert FILE --key FILE` */
  readonly flags: readonly string[];
  /** What `cnf` of a token that is bound to it holds as `x5t#S256`. */
  readonly thumbprint: string;
}

/** What the tests of one file share. */
export interface TlsStage {
  readonly server: KeycloakTlsServer;
  /** The realm of this file; its `issuer` is the one by HTTPS. */
  readonly sample: SampleRealm;
  /** Runs once before the first test, where the server is there. */
  prepare(run: () => Promise<void>): unknown;
  /** Opens a shell with the profile `sample` in use, and the server's authority in its `ca.pem`. */
  cli(context: Pick<TestContext, 'onTestFinished'>, options?: Omit<CliOptions, 'profile'>): Promise<Cli>;
  /** Makes a client certificate for `CN=NAME`, signed by the authority that the server trusts unless told otherwise. */
  certificate(cli: Cli, name: string, options?: CertificateOptions): Promise<ClientCertificate>;
}

/** Defines tests for the Keycloak with HTTPS and client certificates, which starts when the first of them asks for it. */
export function onKeycloakTls(options: SampleRealmOptions, define: (stage: TlsStage) => void): void {
  describe('keycloak26tls', () => {
    let provided: Awaited<ReturnType<typeof askFor<'keycloak26tls'>>>;
    let made: SampleRealm | undefined;
    const preparations: (() => Promise<void>)[] = [];

    beforeAll(async () => {
      provided = await askFor('keycloak26tls');
      if ('skipped' in provided) return;
      made = await createSampleRealm(provided, options);
      for (const prepare of preparations) await prepare();
    }, 240_000);

    beforeEach((context) => {
      if ('skipped' in provided) context.skip(provided.skipped);
    });

    afterAll(() => made?.remove());

    const stage: TlsStage = {
      get server() {
        if ('skipped' in provided) throw new Error(provided.skipped);
        return provided;
      },
      get sample() {
        if (made === undefined) throw new Error('The realm is not there yet');
        return { ...made, issuer: `${stage.server.httpsUrl}/realms/${made.realm}` };
      },
      prepare: (run) => preparations.push(run),
      async cli(context, cliOptions = {}) {
        const { server, sample } = stage;
        const cli = await openCli(context, sample, cliOptions);
        await writeFile(join(cli.home, 'ca.pem'), server.authority.cert);
        const { client = sample.client } = cliOptions;
        const extra = ['--ca-cert', 'ca.pem'];
        await addProfile(cli, { ...server, baseUrl: server.httpsUrl }, sample, client, extra);
        return cli;
      },
      certificate: (cli, name, certificateOptions) =>
        install(
          cli,
          name,
          makeCertificate(name, { authority: stage.server.authority, ...certificateOptions }),
        ),
    };
    define(stage);
  });
}

/** Writes a client certificate and its key into a shell's home. */
export async function install(
  cli: Cli,
  name: string,
  { cert, key }: Certificate,
): Promise<ClientCertificate> {
  await writeFile(join(cli.home, `${name}.crt`), cert);
  await writeFile(join(cli.home, `${name}.key`), key, { mode: 0o600 });
  cli.know(...key.split('\n').filter((line) => /^[\w+/=]{24,}$/.test(line)));
  return {
    flags: ['--cert', `${name}.crt`, '--key', `${name}.key`],
    thumbprint: createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url'),
  };
}
