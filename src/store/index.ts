import { join } from 'node:path';
import { JsonFile, type Locking } from './json-file.ts';
import { storePaths } from './paths.ts';
import { PENDING_DOCUMENT, PendingStore } from './pending.ts';
import { PROFILES_DOCUMENT, ProfileStore } from './profiles.ts';
import { TOKENS_DOCUMENT, TokenStore } from './tokens.ts';

export interface Store {
  readonly profiles: ProfileStore;
  readonly tokens: TokenStore;
  readonly pending: PendingStore;
}

/**
 * Opens the files of this user; each is read or created at its first use.
 * @param locking who holds the locks, and how long to wait for them
 */
export function openStore(env: Readonly<Record<string, string | undefined>>, locking: Locking = {}): Store {
  const { config, state } = storePaths(env);
  return {
    profiles: new ProfileStore(new JsonFile(join(config, 'profiles.json'), PROFILES_DOCUMENT, locking)),
    tokens: new TokenStore(
      new JsonFile(join(state, 'tokens.json'), TOKENS_DOCUMENT, locking),
      locking.holder,
    ),
    pending: new PendingStore(new JsonFile(join(state, 'pending.json'), PENDING_DOCUMENT, locking)),
  };
}
