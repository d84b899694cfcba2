import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, inCache, temporaryFolder } from './cache.ts';
import { type Artifact, distribution } from './distribution.ts';
import { findJava } from './java.ts';
import { freeOffset, freePort } from './ports.ts';
import { progress, run, startServer } from './process.ts';
import type { Started } from './servers.ts';

/** How a test reaches a running Keycloak. Structured-cloneable, since it travels to the test's worker. */
export interface KeycloakServer {
  version: string;
  /** Without a trailing slash; ends in `/auth` on 14. */
  baseUrl: string;
  adminUser: string;
  adminPassword: string;
  /** `HOST:PORT/PATH` where this server expects its authentication device; nothing listens there yet. */
  deviceListen: string;
  /** The server's own log while it runs; absent for a server that was running already. */
  logFile?: string;
}

const admin = { adminUser: 'admin', adminPassword: 'admin' };
const devicePath = '/api/v1/auth';

// Both start a good deal faster with the first compiler alone, and a test never warms up the second.
const jvmOptions = (temporary: string) => [
  '-Xms64m',
  '-Xmx512m',
  '-XX:TieredStopAtLevel=1',
  '-Djava.awt.headless=true',
  `-Djava.io.tmpdir=${temporary}`,
];

const ready = (baseUrl: string) => async () => {
  const url = `${baseUrl}/realms/master/.well-known/openid-configuration`;
  const response = await fetch(url, { signal: AbortSignal.timeout(15_000) });
  await response.body?.cancel();
  return response.ok;
};

/** A release of Keycloak on Quarkus, and what other releases call otherwise. */
interface Release {
  version: string;
  /** The latest JDK that it is released for; none for one that takes every later JDK. */
  maxJava?: number;
  /** The environment variables for the first administrator: name and password. */
  adminVariables: readonly [string, string];
  /** The environment variable for the address of the authentication device. */
  deviceVariable: string;
}

const release26: Release = {
  version: '26.7.4',
  adminVariables: ['KC_BOOTSTRAP_ADMIN_USERNAME', 'KC_BOOTSTRAP_ADMIN_PASSWORD'],
  deviceVariable: 'KC_SPI_CIBA_AUTH_CHANNEL__CIBA_HTTP_AUTH_CHANNEL__HTTP_AUTHENTICATION_CHANNEL_URI',
};

const release24: Release = {
  version: '24.0.5',
  maxJava: 21,
  adminVariables: ['KEYCLOAK_ADMIN', 'KEYCLOAK_ADMIN_PASSWORD'],
  deviceVariable: 'KC_SPI_CIBA_AUTH_CHANNEL_CIBA_HTTP_AUTH_CHANNEL_HTTP_AUTHENTICATION_CHANNEL_URI',
};

/** What distinguishes one Keycloak on Quarkus from another. */
export interface Variant {
  /** What its folder and its messages are called. */
  name: string;
  /** 26 by default. */
  release?: Release;
  /** Options that it is built with; the outcome is kept in the cache for each combination. */
  buildOptions?: string[];
  /** Further options, for a run whose files may be put into this folder. */
  options?: (folder: string) => Promise<string[]>;
}

/** Starts Keycloak 26 in development mode with an empty in-memory database, on a free port of 127.0.0.1. */
export function startKeycloak26(): Promise<Started<KeycloakServer>> {
  return startVariant({ name: 'keycloak26' });
}

/** Starts Keycloak 24, as startKeycloak26 does. */
export function startKeycloak24(): Promise<Started<KeycloakServer>> {
  return startVariant({ name: 'keycloak24', release: release24 });
}

/**
 * Starts one variant of Keycloak on Quarkus, as startKeycloak26 does.
 *
 * Its first start builds it (about half a minute); the outcome, `lib/quarkus`, is kept in the cache.
 */
export async function startVariant({
  name,
  release: { version, maxJava, adminVariables, deviceVariable } = release26,
  buildOptions: furtherBuildOptions = [],
  options = async () => [],
}: Variant): Promise<Started<KeycloakServer>> {
  const javaHome = findJava(17, maxJava);
  const artifact: Artifact = { group: 'org.keycloak', name: 'keycloak-quarkus-dist', version, type: 'zip' };
  const home = await distribution(artifact, javaHome);
  const folder = await temporaryFolder(name);
  const port = await freePort();
  const devicePort = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  const device = `127.0.0.1:${devicePort}${devicePath}`;

  // Only what a run may write is copied; the 168 MB of lib/lib are shared.
  const buildOptions = ['--db=dev-mem', ...furtherBuildOptions];
  const built = join('built', `keycloak-${version}${buildOptions.join('')}`);
  const builtBefore = inCache(built);
  for (const part of [
    'bin',
    'conf',
    'providers',
    'themes',
    'version.txt',
    'lib/app',
    'lib/quarkus-run.jar',
  ]) {
    await cp(join(home, part), join(folder, part), { recursive: true });
  }
  await cp(builtBefore ?? join(home, 'lib/quarkus'), join(folder, 'lib/quarkus'), { recursive: true });
  await symlink(join(home, 'lib/lib'), join(folder, 'lib/lib'));
  await mkdir(join(folder, 'tmp'));

  progress(`${name}: starting${builtBefore ? '' : ' and building'} on ${baseUrl}`);
  const server = await startServer(
    name,
    {
      command: 'bash',
      args: [
        ...['bin/kc.sh', 'start-dev', ...buildOptions],
        ...['--http-host=127.0.0.1', `--http-port=${port}`, ...(await options(folder))],
      ],
      env: {
        JAVA_HOME: javaHome,
        JAVA_OPTS_APPEND: jvmOptions(join(folder, 'tmp')).join(' '),
        [adminVariables[0]]: admin.adminUser,
        [adminVariables[1]]: admin.adminPassword,
        [deviceVariable]: `http://${device}`,
      },
      folder,
    },
    ready(baseUrl),
  );
  if (builtBefore === undefined) {
    await cached(built, (unfinished) => cp(join(folder, 'lib/quarkus'), unfinished, { recursive: true }));
  }
  const info = {
    version,
    baseUrl,
    ...admin,
    deviceListen: device,
    logFile: server.logFile,
  };
  return { info, stop: server.stop };
}

const keycloak14: Artifact = {
  group: 'org.keycloak',
  name: 'keycloak-server-dist',
  version: '14.0.0',
  type: 'tar.gz',
};

/** Every port that its standalone.xml names, before the offset. */
const ports14 = { http: 8080, all: [4712, 4713, 8009, 8080, 8443, 9990, 9993] };

/** Starts Keycloak 14 with an empty in-memory database, on free ports of 127.0.0.1. */
export async function startKeycloak14(): Promise<Started<KeycloakServer>> {
  // Released for Java 8 and 11, seen on 17, and its libraries cannot read later class files.
  const javaHome = findJava(17, 17);
  const home = await distribution(keycloak14, javaHome, async (fresh) => {
    const { adminUser, adminPassword } = admin;
    await run({
      command: 'bash',
      args: ['bin/add-user-keycloak.sh', '-r', 'master', '-u', adminUser, '-p', adminPassword],
      env: { JAVA_HOME: javaHome },
      folder: fresh,
    });
  });
  const folder = await temporaryFolder('keycloak14');
  const offset = await freeOffset(ports14.all);
  const devicePort = await freePort();
  const baseUrl = `http://127.0.0.1:${ports14.http + offset}/auth`;
  const device = `127.0.0.1:${devicePort}${devicePath}`;

  await cp(join(home, 'standalone'), folder, { recursive: true });
  const configuration = join(folder, 'configuration', 'standalone.xml');
  await writeFile(configuration, configured(await readFile(configuration, 'utf8'), `http://${device}`));

  progress(`Keycloak ${keycloak14.version}: starting on ${baseUrl}`);
  const server = await startServer(
    `Keycloak ${keycloak14.version}`,
    {
      // What bin/standalone.sh runs. The script itself dies of a SIGTERM before its JVM does, and orphans it.
      command: join(javaHome, 'bin', 'java'),
      args: [
        ...jvmOptions(join(folder, 'tmp')),
        '-Djava.net.preferIPv4Stack=true',
        '-Djboss.modules.system.pkgs=org.jboss.byteman',
        '--add-exports=java.base/sun.nio.ch=ALL-UNNAMED',
        '--add-exports=jdk.unsupported/sun.misc=ALL-UNNAMED',
        '--add-exports=jdk.unsupported/sun.reflect=ALL-UNNAMED',
        `-Dorg.jboss.boot.log.file=${join(folder, 'log', 'server.log')}`,
        `-Dlogging.configuration=file:${join(folder, 'configuration', 'logging.properties')}`,
        '-jar',
        join(home, 'jboss-modules.jar'),
        '-mp',
        join(home, 'modules'),
        'org.jboss.as.standalone',
        `-Djboss.home.dir=${home}`,
        `-Djboss.server.base.dir=${folder}`,
        `-Djboss.socket.binding.port-offset=${offset}`,
        '-b',
        '127.0.0.1',
        '-bmanagement',
        '127.0.0.1',
        '-Dkeycloak.profile.feature.ciba=enabled',
      ],
      folder,
    },
    ready(baseUrl),
  );
  const info = {
    version: keycloak14.version,
    baseUrl,
    ...admin,
    deviceListen: device,
    logFile: server.logFile,
  };
  return { info, stop: server.stop };
}

/** The standalone.xml of one run: its device, and a database in memory, since the one on disk listens on every address. */
function configured(xml: string, deviceUri: string): string {
  const channel = `<spi name="ciba-auth-channel"><default-provider>ciba-http-auth-channel</default-provider>
                <provider name="ciba-http-auth-channel" enabled="true"><properties>
                    <property name="httpAuthenticationChannelUri" value="${deviceUri}"/>
                </properties></provider></spi>`;
  const edits: [RegExp, string][] = [
    [/<spi name="hostname">.*?<\/spi>/s, `$&\n            ${channel}`],
    [/jdbc:h2:[^<]*\/keycloak;AUTO_SERVER=TRUE/, 'jdbc:h2:mem:keycloak;DB_CLOSE_DELAY=-1'],
  ];
  return edits.reduce((text, [pattern, replacement]) => {
    if (!pattern.test(text))
      throw new Error(`standalone.xml of Keycloak 14 has nothing that matches ${pattern}`);
    return text.replace(pattern, replacement);
  }, xml);
}

/**
 * Takes a Keycloak that runs already, for quick iteration.
 *
 * @param setting `BASE_URL,DEVICE_PORT`, as in `http://127.0.0.1:8080,3000`; its administrator is admin/admin
 */
export function runningKeycloak(version: string, setting: string): Started<KeycloakServer> {
  const match = /^(https?:\/\/[^,]+?)\/?,(\d+)$/.exec(setting);
  if (!match) throw new Error(`A running Keycloak is given as BASE_URL,DEVICE_PORT, not as ${setting}`);
  const [, baseUrl = '', devicePort = ''] = match;
  const info = { version, baseUrl, ...admin, deviceListen: `127.0.0.1:${devicePort}${devicePath}` };
  return { info, stop: async () => {} };
}
