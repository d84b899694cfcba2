import envPaths from 'env-paths';

export interface StorePaths {
  /** The folder of the configuration. */
  readonly config: string;
  /** The folder of the data kept between runs. */
  readonly state: string;
}

/** The folders that the platform prescribes; `OAUTHCTL_HOME` overrides both. */
export function storePaths(env: Readonly<Record<string, string | undefined>>): StorePaths {
  const home = env.OAUTHCTL_HOME;
  if (home) return { config: home, state: home };
  const { config, log } = envPaths('oauthctl', { suffix: '' });
  // env-paths calls XDG's state folder "log".
  return { config, state: log };
}
