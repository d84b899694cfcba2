import { type BrowserContext, chromium, type Page } from 'playwright-core';
import type { TestContext } from 'vitest';
import { MissingError, which } from '../lab/java.ts';

/** Far more than Keycloak's pages take on a loaded machine. Milliseconds. */
const TIMEOUT = 120_000;

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];

/**
 * Opens a page in a real Chromium, which the end of the test closes.
 * @throws MissingError where `CI` is set and there is no Chromium; the test is skipped otherwise
 */
export async function openPage(context: TestContext): Promise<Page> {
  const executablePath = which('chromium') ?? which('chromium-browser') ?? which('google-chrome');
  if (executablePath === undefined) {
    const reason = 'needs a Chromium (in Debian: apt-get install chromium)';
    if (process.env.CI) throw new MissingError(reason);
    return context.skip(reason);
  }
  const browser = await chromium.launch({ executablePath, args: ARGS });
  context.onTestFinished(() => browser.close());
  const own: BrowserContext = await browser.newContext();
  own.setDefaultTimeout(TIMEOUT);
  return own.newPage();
}

/** Fills Keycloak's login page in, as it is on 14 and on 26, and sends it. */
export async function signIn(page: Page, user: { username: string; password: string }): Promise<void> {
  await page.fill('#username', user.username);
  await page.fill('#password', user.password);
  await page.click('#kc-login');
}
