import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Kafka, logLevel } from 'kafkajs';
import {
  type BrokerValidationMethod,
  buildBrokerListener,
} from '../../src/protocol/kafka/broker-configuration.ts';
import { SECRET_VARIABLES } from '../../src/protocol/kafka/properties.ts';
import { type Authority, makeAuthority, makeCertificate } from '../helpers/certificates.ts';
import { cached, temporaryFolder } from './cache.ts';
import { findJava } from './java.ts';
import type { KeycloakServer } from './keycloak.ts';
import { fetchLibraries } from './libraries.ts';
import { freePort } from './ports.ts';
import { progress, run, startServer } from './process.ts';
import { createSampleRealm, type SampleClient, type SampleRealm } from './sample-realm.ts';
import type { Started } from './servers.ts';

/** The listeners, by what they demand; each is `HOST:PORT`. */
const LISTENERS = {
  /** OAUTHBEARER; Strimzi asks the realm's introspection endpoint. */
  introspection: 'SASL_PLAINTEXT',
  /** OAUTHBEARER; Strimzi checks the signature against the realm's JWKS. */
  local: 'SASL_PLAINTEXT',
  /** As `local`, and `aud` must name the broker's client. */
  audience: 'SASL_PLAINTEXT',
  /** OAUTHBEARER; Kafka's own validator, which answers by RFC 7628. */
  own: 'SASL_PLAINTEXT',
  /** As `local`, over TLS. */
  tls: 'SASL_SSL',
  /** As `introspection`, with a secret of the broker that is wrong. */
  misconfigured: 'SASL_PLAINTEXT',
  /** The mechanism PLAIN, and no other. */
  password: 'SASL_PLAINTEXT',
  /** Asks for nothing. */
  internal: 'PLAINTEXT',
  controller: 'PLAINTEXT',
} as const;

type Listener = keyof typeof LISTENERS;

/** A broker, and its realm on the laboratory's Keycloak 26. */
export interface KafkaServer {
  listeners: Record<Listener, string>;
  clusterId: string;
  /** Has one partition. */
  topic: string;
  /** Signed the certificate of the listener `tls`. */
  authority: Authority;
  /** The realm, but for how to administer it. `client` and `plainClient` have the broker's client in their `aud`. */
  realm: Pick<SampleRealm, 'realm' | 'issuer' | 'user' | 'client' | 'plainClient' | 'scope'>;
  /** As which the broker introspects. */
  brokerClient: SampleClient;
}

const HOST = '127.0.0.1';
const topic = 'oauthctl';
const clusterId = 'b2F1dGhjdGwtbGFiLWthZg';
const pom = fileURLToPath(new URL('./kafka/pom.xml', import.meta.url));
const connectSource = fileURLToPath(new URL('./kafka/Connect.java', import.meta.url));

/** Starts Kafka with Strimzi's OAuth on free ports of 127.0.0.1, for a realm of its own on the given Keycloak. */
export async function startKafka(keycloak: KeycloakServer): Promise<Started<KafkaServer>> {
  const javaHome = findJava(17);
  const lib = await libraries(javaHome);
  const sample = await createSampleRealm(keycloak, { realm: 'Kafka' });
  try {
    const brokerClient = await addBrokerClient(sample);
    return await startBroker({ javaHome, lib, sample, brokerClient });
  } catch (error) {
    await sample.remove();
    throw error;
  }
}

async function libraries(javaHome: string): Promise<string> {
  const digest = createHash('sha256').update(await readFile(pom));
  return cached(join('built', `kafka-${digest.digest('hex').slice(0, 12)}`), async (unfinished) => {
    const folder = `${unfinished}.folder`;
    const target = join(folder, 'lib');
    try {
      await fetchLibraries('Kafka', { pom, target, folder, javaHome });
      await rename(target, unfinished);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

async function addBrokerClient({ admin, realm, client, plainClient }: SampleRealm): Promise<SampleClient> {
  const clientId = 'kafka-broker';
  const secret = 'the-secret-of-the-kafka-broker';
  const id = await admin.createClient(realm, { clientId, secret, publicClient: false });
  for (const application of [client, plainClient])
    await admin.addAudienceMapper(realm, application.id, clientId);
  return { id, clientId, secret };
}

interface Broker {
  javaHome: string;
  lib: string;
  sample: SampleRealm;
  brokerClient: SampleClient;
}

async function startBroker({ javaHome, lib, sample, brokerClient }: Broker): Promise<Started<KafkaServer>> {
  const folder = await temporaryFolder('kafka');
  const ports = Object.fromEntries(
    await Promise.all(Object.keys(LISTENERS).map(async (name) => [name, await freePort()])),
  ) as Record<Listener, number>;
  const authority = makeAuthority('Kafka Laboratory CA');
  const { cert, key } = makeCertificate(HOST, { authority });
  const keystore = join(folder, 'server.pem');
  await writeFile(keystore, key + cert, { mode: 0o600 });
  const config = join(folder, 'server.properties');
  const settings = buildSettings({ folder, ports, keystore, sample, brokerClient });
  await writeFile(config, renderProperties(settings), { mode: 0o600 });
  await mkdir(join(folder, 'tmp'));

  const { jwksUri } = buildSetup(sample, brokerClient);
  const jvm = [
    ...['-Xmx128m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', `-Djava.io.tmpdir=${join(folder, 'tmp')}`],
    // Kafka's own validator fetches from nowhere else.
    `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${jwksUri}`,
    ...['-Dlog4j2.level=WARN', '-cp', `${lib}/*`],
  ];
  const java = join(javaHome, 'bin', 'java');
  await run({
    command: java,
    args: [...jvm, 'kafka.tools.StorageTool', 'format', '--cluster-id', clusterId, '-c', config],
    folder,
  });
  const listeners = Object.fromEntries(
    Object.entries(ports).map(([name, port]) => [name, `${HOST}:${port}`]),
  ) as Record<Listener, string>;
  progress(`Kafka: starting on ${listeners.internal}`);
  const server = await startServer(
    'Kafka',
    {
      command: java,
      args: [...jvm, 'kafka.Kafka', config],
      env: { [SECRET_VARIABLES.broker]: brokerClient.secret },
      folder,
    },
    () => createTopic(listeners.internal),
  );
  const { realm, issuer, user, client, plainClient, scope } = sample;
  return {
    info: {
      listeners,
      clusterId,
      topic,
      authority,
      realm: { realm, issuer, user, client, plainClient, scope },
      brokerClient,
    },
    async stop() {
      await server.stop();
      await sample.remove().catch(() => {});
    },
  };
}

/** @returns true once the broker has the topic, with a leader */
async function createTopic(broker: string): Promise<boolean> {
  const kafka = new Kafka({
    brokers: [broker],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
    connectionTimeout: 1000,
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const exists = (await admin.listTopics()).includes(topic);
    if (!exists) await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: false });
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions[0]?.leader === 1;
  } finally {
    await admin.disconnect();
  }
}

interface Setup {
  folder: string;
  ports: Record<Listener, number>;
  keystore: string;
  sample: SampleRealm;
  brokerClient: SampleClient;
}

type Properties = Record<string, string | number>;

function buildSettings({ folder, ports, keystore, sample, brokerClient }: Setup): Properties {
  const names = Object.keys(LISTENERS) as Listener[];
  const address = (name: Listener) => `${name.toUpperCase()}://${HOST}:${ports[name]}`;
  // What the program prints for a broker is what this one runs with.
  const listen = (listener: Listener, way: BrokerValidationMethod, change = (value: string) => value) => {
    const { properties } = buildBrokerListener({ ...buildSetup(sample, brokerClient), listener }, way);
    return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, change(value)]));
  };
  const ofAnyAudience = (value: string) => value.replace('oauth.check.audience="true"', '');
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${HOST}:${ports.controller}`,
    listeners: names.map(address).join(','),
    'advertised.listeners': names
      .filter((name) => name !== 'controller')
      .map(address)
      .join(','),
    'listener.security.protocol.map': names
      .map((name) => `${name.toUpperCase()}:${LISTENERS[name]}`)
      .join(','),
    'inter.broker.listener.name': 'INTERNAL',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    // A small heap has no room for the default.
    'log.cleaner.dedupe.buffer.size': 2_097_152,
    'offsets.topic.replication.factor': 1,
    'auto.create.topics.enable': 'false',
    ...listen('introspection', 'introspection'),
    ...listen('misconfigured', 'introspection', (value) =>
      value.replace(`\${env:${SECRET_VARIABLES.broker}}`, 'not-the-secret-of-the-broker'),
    ),
    ...listen('local', 'local', ofAnyAudience),
    ...listen('audience', 'local'),
    ...listen('own', 'local_without_strimzi'),
    ...listen('tls', 'local', ofAnyAudience),
    'listener.name.tls.ssl.keystore.type': 'PEM',
    'listener.name.tls.ssl.keystore.location': keystore,
    'listener.name.password.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.password.plain.sasl.jaas.config':
      'org.apache.kafka.common.security.plain.PlainLoginModule required user_nobody="nothing";',
  };
}

function buildSetup({ issuer, client }: Pick<SampleRealm, 'issuer' | 'client'>, brokerClient: SampleClient) {
  const base = `${issuer}/protocol/openid-connect`;
  return {
    issuer,
    tokenEndpoint: `${base}/token`,
    introspectionEndpoint: `${base}/token/introspect`,
    jwksUri: `${base}/certs`,
    clientId: client.clientId,
    brokerClientId: brokerClient.clientId,
    bootstrap: '',
    isTls: false,
  };
}

/**
 * Connects with Kafka's own client for Java.
 * @param properties the client's; the environment and further options of the JVM are those that they want
 * @returns the id of the cluster
 * @throws Error with the end of what it printed when it could not
 */
export async function connectWithJava(
  properties: Readonly<Record<string, string>>,
  { env = {}, jvmOptions = [] }: { env?: Record<string, string>; jvmOptions?: readonly string[] } = {},
): Promise<string> {
  const javaHome = findJava(17);
  const folder = await temporaryFolder('kafka-client');
  try {
    const file = join(folder, 'client.properties');
    await writeFile(file, renderProperties(properties), { mode: 0o600 });
    const output = await run({
      command: join(javaHome, 'bin', 'java'),
      args: [
        ...['-Xmx96m', '-XX:TieredStopAtLevel=1', '-Dlog4j2.level=OFF', ...jvmOptions],
        ...['-cp', `${await libraries(javaHome)}/*`, connectSource, file],
      ],
      env,
      folder,
    });
    return /^cluster (.+)$/m.exec(output)?.[1] ?? output;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function renderProperties(settings: Readonly<Properties>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
