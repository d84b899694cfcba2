import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { browserCommand, openBrowser } from '../../src/output/browser.ts';

const URL_TO_OPEN = 'https://as.example/auth?a=1&b=$(id)';
const DISPLAY = { DISPLAY: ':0' };

describe('a browser', () => {
  it.each<[NodeJS.Platform, Record<string, string>, string, string[]]>([
    ['linux', DISPLAY, 'xdg-open', [URL_TO_OPEN]],
    ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, 'xdg-open', [URL_TO_OPEN]],
    ['darwin', {}, 'open', [URL_TO_OPEN]],
    ['win32', {}, 'rundll32', ['url.dll,FileProtocolHandler', URL_TO_OPEN]],
    ['linux', { BROWSER: 'firefox' }, 'firefox', [URL_TO_OPEN]],
    ['darwin', { BROWSER: 'firefox -P test:lynx' }, 'firefox', ['-P', 'test', URL_TO_OPEN]],
    ['linux', { BROWSER: 'open-it --url=%s --new' }, 'open-it', [`--url=${URL_TO_OPEN}`, '--new']],
    ['linux', { ...DISPLAY, BROWSER: '' }, 'xdg-open', [URL_TO_OPEN]],
  ])('is opened on %s with %j by %s, the address in one argument', (platform, env, program, args) => {
    expect(browserCommand(URL_TO_OPEN, { platform, env })).toEqual([program, args]);
  });

  it('is not opened where there is no display', () => {
    expect(() => browserCommand(URL_TO_OPEN, { platform: 'linux', env: {} })).toThrow('no display');
  });

  it.each(['file:///etc/passwd', 'javascript:alert(1)', '-h', 'as.example'])(
    'is not opened for %s',
    (url) => {
      expect(() => browserCommand(url, { platform: 'darwin', env: {} })).toThrow('not an http or https');
    },
  );

  it('is started without a shell', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'oauthctl-browser-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const [program, seen] = [join(folder, 'browser'), join(folder, 'seen')];
    await writeFile(program, `#!/bin/sh\nprintf %s "$1" > ${seen}.part && mv ${seen}.part ${seen}\n`, {
      mode: 0o755,
    });
    await openBrowser(URL_TO_OPEN, { platform: 'linux', env: { BROWSER: program } });
    await expect.poll(() => readFile(seen, 'utf8').catch(() => undefined)).toBe(URL_TO_OPEN);
  });

  it('that is not there is told of', async () => {
    const host = { platform: 'linux' as const, env: { BROWSER: '/nonexistent/browser' } };
    await expect(openBrowser(URL_TO_OPEN, host)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
