import { join } from 'node:path';
import { JsonFile } from './json-file.ts';
import { storePaths } from './paths.ts';
import { emptyPending, isPendingDocument, PendingStore } from './pending.ts';
import { emptyProfiles, isProfilesDocument, ProfileStore } from './profiles.ts';
import { emptyTokens, isTokensDocument, TokenStore } from './tokens.ts';

export interface Store {
  readonly profiles: ProfileStore;
  readonly tokens: TokenStore;
  readonly pending: PendingStore;
}

/** Opens the files of this user; each is read or created at its first use. */
export function openStore(env: Readonly<Record<string, string | undefined>>): Store {
  const { config, state } = storePaths(env);
  return {
    profiles: new ProfileStore(
      new JsonFile(join(config, 'profiles.json'), emptyProfiles, isProfilesDocument),
    ),
    tokens: new TokenStore(new JsonFile(join(state, 'tokens.json'), emptyTokens, isTokensDocument)),
    pending: new PendingStore(new JsonFile(join(state, 'pending.json'), emptyPending, isPendingDocument)),
  };
}
