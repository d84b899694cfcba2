import { spawn } from 'node:child_process';

/** The properties of the process that decide how a browser is opened. */
export interface BrowserHost {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Returns the program that opens a URL, and its arguments; it is run without a shell.
 * @throws Error for a URL that is not http or https, and if there is no display
 */
export function browserCommand(url: string, { platform, env }: BrowserHost): readonly [string, string[]] {
  if (!URL.canParse(url) || !['http:', 'https:'].includes(new URL(url).protocol)) {
    throw new Error('it is not an http or https URL');
  }
  // The first of several, which may say where the address goes.
  const between = platform === 'win32' ? ';' : ':';
  const [program, ...words] = env.BROWSER?.split(between)[0]?.trim().split(/\s+/) ?? [];
  if (program) {
    const isPlaced = words.some((word) => word.includes('%s'));
    return [program, isPlaced ? words.map((word) => word.replaceAll('%s', () => url)) : [...words, url]];
  }
  if (platform === 'darwin') return ['open', [url]];
  if (platform === 'win32') return ['rundll32', ['url.dll,FileProtocolHandler', url]];
  if (!env.DISPLAY && !env.WAYLAND_DISPLAY) throw new Error('there is no display');
  return ['xdg-open', [url]];
}

/**
 * Opens a URL in the user's browser; does not wait for the browser to end.
 * @throws Error if no browser could be started
 */
export async function openBrowser(url: string, host: BrowserHost): Promise<void> {
  const [program, args] = browserCommand(url, host);
  await new Promise<void>((resolve, reject) => {
    const child = spawn(program, args, { detached: true, stdio: 'ignore' });
    child.once('error', reject);
    child.once('spawn', () => {
      child.unref();
      resolve();
    });
  });
}
