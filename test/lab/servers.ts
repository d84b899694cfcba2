import { type KeycloakServer, runningKeycloak, startKeycloak14, startKeycloak26 } from './keycloak.ts';

/** What a test learns about each server of the laboratory. A further server (Kafka, Spring, …) is a line here and one below. */
export interface LabServers {
  keycloak26: KeycloakServer;
  keycloak14: KeycloakServer;
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

export interface LabEntry<Info> {
  /** True to start it before the first test; otherwise it starts when a test first asks for it. */
  eager: boolean;
  /** @throws MissingError when the machine lacks something */
  start(): Promise<Started<Info>>;
}

export const servers: { [Name in ServerName]: LabEntry<LabServers[Name]> } = {
  keycloak26: {
    eager: true,
    start: async () => {
      const running = process.env.OAUTHCTL_LAB_KEYCLOAK26;
      return running ? runningKeycloak('26', running) : startKeycloak26();
    },
  },
  keycloak14: {
    eager: true,
    start: async () => {
      const running = process.env.OAUTHCTL_LAB_KEYCLOAK14;
      return running ? runningKeycloak('14', running) : startKeycloak14();
    },
  },
};

export const serverNames = Object.keys(servers) as ServerName[];
