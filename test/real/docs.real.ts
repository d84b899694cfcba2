import { afterAll, beforeAll, describe, expect, inject, type TestContext, test } from 'vitest';
import { readDocuments } from '../docs/markdown.ts';
import { hasKind, type Kind, runPage } from '../docs/page.ts';
import { Shell } from '../docs/shell.ts';
import type { KeycloakServer } from '../lab/keycloak.ts';
import { server } from '../lab/provided.ts';
import { createSampleRealm, type SampleRealm } from '../lab/sample-realm.ts';
import { serverUrl } from './cli.ts';

const documents = readDocuments();

function pagesOf(kind: Kind) {
  return documents.filter((document) => hasKind(document, kind));
}

/** The part of a realm that the documents speak of. */
type DocumentedRealm = Pick<SampleRealm, 'realm' | 'user' | 'client' | 'plainClient'>;

/** Opens a shell with the profile `sample` in use; what the documents call by a fixed name is replaced. */
async function openShell(
  { onTestFinished }: TestContext,
  keycloak: KeycloakServer,
  { realm, user, client, plainClient }: DocumentedRealm,
  replacements: readonly (readonly [string, string])[] = [],
): Promise<Shell> {
  const shell = await Shell.open({
    program: inject('program'),
    env: {
      CLIENT_SECRET: client.secret,
      PLAIN_CLIENT_SECRET: plainClient.secret,
      USER_PASSWORD: user.password,
      WRONG_SECRET: 'this-is-wrong',
      OAUTHCTL_DEVICE_LISTEN: keycloak.deviceListen,
    },
    replacements: new Map([
      ['export CLIENT_SECRET=…', ''],
      ['http://127.0.0.1:8080', serverUrl(keycloak)],
      ['http://localhost:8080', serverUrl(keycloak).replace('127.0.0.1', 'localhost')],
      ['SampleRealm', realm],
      ...replacements,
    ]),
  });
  onTestFinished(() => shell.close());
  await shell.run(
    `npx oauthctl profile add sample --url http://127.0.0.1:8080 --realm SampleRealm \
      --client-id ${client.clientId} --client-secret env:CLIENT_SECRET`,
  );
  return shell;
}

describe.sequential('the commands of the documents', () => {
  const keycloak = inject('keycloak26');
  let sample: SampleRealm | undefined;

  beforeAll(async () => {
    if (!('skipped' in keycloak)) sample = await createSampleRealm(keycloak, { interval: 1 });
  });

  afterAll(() => sample?.remove());

  test.for(pagesOf('keycloak'))(
    '$path: what is run on Keycloak does what it says',
    async (document, context) => {
      if ('skipped' in keycloak) return context.skip(keycloak.skipped);
      if (sample === undefined) throw new Error('There is no realm');
      await runPage(document, 'keycloak', { shell: await openShell(context, keycloak, sample), expect });
    },
  );

  test.for(pagesOf('kafka'))('$path: what is run with Kafka does what it says', async (document, context) => {
    const kafka = await server(context, 'kafka');
    if ('skipped' in keycloak) return context.skip(keycloak.skipped);
    const shell = await openShell(context, keycloak, kafka.realm, [
      ['127.0.0.1:9092', kafka.listeners.introspection],
      ['orders', kafka.topic],
    ]);
    await runPage(document, 'kafka', { shell, expect });
  });
});
