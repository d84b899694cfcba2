import { randomUUID } from 'node:crypto';
import type { Account, Payload } from 'oidc-provider/lib/provider.js';

/** A person who can be asked: the name a client hints at, and the id that tokens carry as `sub`. */
export interface SandboxUser extends Account {
  readonly username: string;
}

/** The users of the sandbox. Ids are unlike names, as on Keycloak, so that nobody mistakes `sub` for the login hint. */
export class Accounts {
  readonly #byId = new Map<string, SandboxUser>();
  readonly #byName = new Map<string, SandboxUser>();

  constructor(usernames: readonly string[]) {
    for (const username of new Set(usernames)) {
      const accountId = randomUUID();
      const user: SandboxUser = {
        username,
        accountId,
        claims: async (): Promise<Payload> => ({
          sub: accountId,
          preferred_username: username,
          name: username,
        }),
      };
      this.#byId.set(accountId, user);
      this.#byName.set(username, user);
    }
  }

  byId(accountId: string): SandboxUser | undefined {
    return this.#byId.get(accountId);
  }

  byName(username: string): SandboxUser | undefined {
    return this.#byName.get(username);
  }
}
