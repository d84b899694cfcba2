import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Account, Payload } from 'oidc-provider/lib/provider.js';

/** A person who can be asked: the name a client hints at, and the id that tokens carry as `sub`. */
export interface SandboxUser extends Account {
  readonly username: string;
  readonly password: string;
}

/** The users of the sandbox. Ids differ from names, as on Keycloak, so that `sub` is not confused with the login hint. */
export class Accounts {
  readonly #byId = new Map<string, SandboxUser>();
  readonly #byName = new Map<string, SandboxUser>();

  /** @param passwords by user name; a user without one gets a random one */
  constructor(usernames: readonly string[], passwords: Readonly<Record<string, string>> = {}) {
    for (const username of new Set(usernames)) {
      const accountId = randomUUID();
      const user: SandboxUser = {
        username,
        password: Object.hasOwn(passwords, username)
          ? (passwords[username] as string)
          : randomBytes(12).toString('base64url'),
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

  /** Returns the user of that name, if the password is correct. */
  authenticate(username: string, password: string): SandboxUser | undefined {
    const user = this.byName(username);
    return user !== undefined && isSame(user.password, password) ? user : undefined;
  }

  /** All passwords by user name. */
  passwords(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#byName].map(([username, { password }]) => [username, password]));
  }
}

function isSame(one: string, other: string): boolean {
  const [left, right] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(left as Buffer, right as Buffer);
}
