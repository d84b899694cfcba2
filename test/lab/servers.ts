import { MissingError } from './java.ts';
import type { KafkaServer } from './kafka.ts';
import {
  type KeycloakServer,
  runningKeycloak,
  startKeycloak14,
  startKeycloak24,
  startKeycloak26,
} from './keycloak.ts';
import { type KeycloakTlsServer, startKeycloak26Tls } from './keycloak-tls.ts';
import { type OidcProviderServer, startOidcProvider } from './oidc-provider.ts';
import { type SpringServer, startSpring } from './spring.ts';

/** What a test learns about each server of the laboratory. A further server (Kafka, Spring, …) is a line here and one below. */
export interface LabServers {
  keycloak26: KeycloakServer;
  keycloak24: KeycloakServer;
  keycloak14: KeycloakServer;
  /** With HTTPS, client certificates and the legacy token exchange. */
  keycloak26tls: KeycloakTlsServer;
  /** A multi-tenant resource server to compare with. */
  spring: SpringServer;
  /** As its package is, in poll mode. */
  'oidc-provider': OidcProviderServer;
  /** A broker with one listener for each way to validate tokens, for a realm of its own on `keycloak26`. */
  kafka: KafkaServer;
}

export type ServerName = keyof LabServers;

/** A server that this machine cannot run, or that the run leaves out. */
export interface Skipped {
  skipped: string;
}

export interface Started<Info> {
  /** Structured-cloneable and JSON. */
  info: Info;
  stop(): Promise<void>;
}

/** Where one server is asked for another that it needs. */
export interface Neighbours {
  server<Name extends ServerName>(name: Name): Promise<LabServers[Name] | Skipped>;
}

/** How each is started. @throws MissingError when the machine lacks something */
export const servers: {
  [Name in ServerName]: (neighbours: Neighbours) => Promise<Started<LabServers[Name]>>;
} = {
  async keycloak26() {
    const running = process.env.OAUTHCTL_LAB_KEYCLOAK26;
    return running ? runningKeycloak('26', running) : startKeycloak26();
  },
  async keycloak24() {
    const running = process.env.OAUTHCTL_LAB_KEYCLOAK24;
    return running ? runningKeycloak('24', running) : startKeycloak24();
  },
  async keycloak14() {
    const running = process.env.OAUTHCTL_LAB_KEYCLOAK14;
    return running ? runningKeycloak('14', running) : startKeycloak14();
  },
  keycloak26tls: startKeycloak26Tls,
  spring: () => startSpring(),
  'oidc-provider': startOidcProvider,
  async kafka(neighbours) {
    const keycloak = await neighbours.server('keycloak26');
    if ('skipped' in keycloak) throw new MissingError(`needs keycloak26: ${keycloak.skipped}`);
    const { startKafka } = await import('./kafka.ts');
    return startKafka(keycloak);
  },
};

export const serverNames = Object.keys(servers) as ServerName[];

/** Those that start before the first test; the others start when a test first asks for them. */
export const eagerNames = ['keycloak26', 'keycloak14'] as const satisfies readonly ServerName[];
