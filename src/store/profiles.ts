import { UsageError } from '../errors.ts';
import { type DocumentKind, isRecord, isVersionOne, type JsonFile } from './json-file.ts';

/** A profile in the file; every member is a string or a list of strings. */
/** A server and a client: settings by their names in the table of settings; the issuer is always present. */
export interface Profile {
  readonly issuer: string;
  readonly [member: string]: string;
}

export interface ProfilesDocument {
  version: 1;
  current?: string;
  profiles: Record<string, Profile>;
}

export const PROFILES_DOCUMENT: DocumentKind<ProfilesDocument> = {
  empty: () => ({ version: 1, profiles: {} }),
  isContent: isProfilesDocument,
};

function isProfilesDocument(value: unknown): value is ProfilesDocument {
  if (!isVersionOne(value)) return false;
  const { current, profiles } = value as { current?: unknown; profiles?: unknown };
  return (current === undefined || typeof current === 'string') && isRecord(profiles, isProfile);
}

function isProfile(value: unknown): value is Profile {
  return (
    isRecord(value, (item): item is string => typeof item === 'string') &&
    typeof (value as { issuer?: unknown }).issuer === 'string'
  );
}

/** The profiles (server, client and defaults), and which of them is in use. */
export class ProfileStore {
  readonly #file: JsonFile<ProfilesDocument>;

  constructor(file: JsonFile<ProfilesDocument>) {
    this.#file = file;
  }

  get path(): string {
    return this.#file.path;
  }

  async list(): Promise<{ current: string | undefined; profiles: Readonly<Record<string, Profile>> }> {
    const { current, profiles } = await this.#file.read();
    return { current, profiles };
  }

  /** @throws UsageError `profile_unknown` */
  async get(name: string): Promise<Profile> {
    const { profiles } = await this.#file.read();
    return requireProfile(profiles, name);
  }

  /** Adds a profile; the first one becomes the current one. @throws UsageError `profile_exists`, `profile_name_invalid` */
  async add(
    name: string,
    profile: Profile,
    options: { overwrite?: boolean; use?: boolean } = {},
  ): Promise<void> {
    checkName(name);
    await this.#file.change((document) => {
      if (Object.hasOwn(document.profiles, name) && !options.overwrite) {
        throw new UsageError('profile_exists', `the profile "${name}" already exists`, {
          hint: `Change it with "oauthctl profile set ${name} …", or replace it with --force.`,
        });
      }
      document.profiles[name] = profile;
      if (options.use || document.current === undefined) document.current = name;
    });
  }

  /** Changes members of a profile; `undefined` removes one. @throws UsageError `profile_unknown` */
  async set(
    name: string,
    changes: { readonly [Name in keyof Profile]?: Profile[Name] | undefined },
  ): Promise<void> {
    await this.#file.change((document) => {
      const merged = { ...requireProfile(document.profiles, name), ...changes };
      document.profiles[name] = Object.fromEntries(
        Object.entries(merged).filter(([, value]) => value !== undefined),
      ) as unknown as Profile;
    });
  }

  /** @throws UsageError `profile_unknown` */
  async use(name: string): Promise<void> {
    await this.#file.change((document) => {
      requireProfile(document.profiles, name);
      document.current = name;
    });
  }

  /** @throws UsageError `profile_unknown` */
  async remove(name: string): Promise<void> {
    await this.#file.change((document) => {
      requireProfile(document.profiles, name);
      delete document.profiles[name];
      if (document.current === name) delete document.current;
    });
  }
}

function requireProfile(profiles: Readonly<Record<string, Profile>>, name: string): Profile {
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile === undefined) {
    const names = Object.keys(profiles);
    throw new UsageError('profile_unknown', `there is no profile "${name}"`, {
      hint:
        names.length > 0
          ? `There are: ${names.join(', ')}.`
          : 'There are none yet: create one with "oauthctl profile add".',
    });
  }
  return profile;
}

function checkName(name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name) || name === '__proto__') {
    throw new UsageError('profile_name_invalid', `"${name}" is not a valid profile name`, {
      hint: 'Use at most 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit.',
    });
  }
}
