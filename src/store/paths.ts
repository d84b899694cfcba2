import envPaths from 'env-paths';

export interface StorePaths {
  /** Folder of what the person configures. */
  readonly config: string;
  /** Folder of what the program keeps between runs. */
  readonly state: string;
}

/** Where the platform wants files of ours; `OAUTHCTL_HOME` overrides both. */
export function storePaths(env: Readonly<Record<string, string | undefined>>): StorePaths {
  const home = env.OAUTHCTL_HOME;
  if (home) return { config: home, state: home };
  const { config, log } = envPaths('oauthctl', { suffix: '' });
  // env-paths calls XDG's state folder "log".
  return { config, state: log };
}
