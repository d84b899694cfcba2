import { MissingError } from './java.ts';
import {
  type LabServers,
  type ServerName,
  type Skipped,
  type Started,
  serverNames,
  servers,
} from './servers.ts';

type Environment = Record<string, string | undefined>;

/**
 * The servers that `OAUTHCTL_LAB_ONLY` leaves in: names, or Keycloak's versions, separated by commas; all when it is unset.
 *
 * @throws Error for a name that does not exist, or a typing error would skip every test
 */
function chosen(environment: Environment): Set<ServerName> {
  const only = environment.OAUTHCTL_LAB_ONLY?.split(',').filter(Boolean) ?? [];
  if (only.length === 0) return new Set(serverNames);
  return new Set(
    only.map((word) => {
      const name = serverNames.find((known) => known === word || known === `keycloak${word}`);
      if (name === undefined)
        throw new Error(`OAUTHCTL_LAB_ONLY: no server ${word}; there are ${serverNames.join(', ')}`);
      return name;
    }),
  );
}

/** Starts each server at most once, when it is first asked for, and stops what was started. */
export class Lab {
  readonly #environment: Environment;
  readonly #chosen: Set<ServerName>;
  readonly #asked = new Map<ServerName, Promise<Started<LabServers[ServerName]> | Skipped>>();
  #closed = false;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#chosen = chosen(environment);
  }

  /**
   * Gives what a test needs to know about a server, or why there is none.
   *
   * @throws MissingError instead of skipping where `CI` is set; Error when the server cannot be started
   */
  async server<Name extends ServerName>(name: Name): Promise<LabServers[Name] | Skipped> {
    if (this.#closed) throw new Error('The laboratory is closed');
    let asked = this.#asked.get(name);
    if (asked === undefined) {
      asked = this.#start(name);
      this.#asked.set(name, asked);
    }
    const started = await asked;
    return 'skipped' in started ? started : (started.info as LabServers[Name]);
  }

  async #start(name: ServerName): Promise<Started<LabServers[ServerName]> | Skipped> {
    if (!this.#chosen.has(name)) {
      return { skipped: `left out by OAUTHCTL_LAB_ONLY=${this.#environment.OAUTHCTL_LAB_ONLY}` };
    }
    try {
      return await servers[name](this);
    } catch (error) {
      const { CI } = this.#environment;
      const mustRun = CI !== undefined && !['', '0', 'false'].includes(CI);
      if (!(error instanceof MissingError)) throw error;
      if (mustRun) throw new MissingError(`${name} ${error.message}`, { cause: error });
      return { skipped: error.message };
    }
  }

  /** Stops every server, those included that are still starting. */
  async close(): Promise<void> {
    this.#closed = true;
    const started = await Promise.allSettled(this.#asked.values());
    const running = started.flatMap((one) =>
      one.status === 'fulfilled' && 'stop' in one.value ? [one.value] : [],
    );
    await Promise.all(running.map((server) => server.stop()));
  }
}
