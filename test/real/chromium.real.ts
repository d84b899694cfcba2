import { expect, type TestContext, test } from 'vitest';
import { openPage, signIn } from './browser.ts';
import type { Cli } from './cli.ts';
import { onEachKeycloak } from './keycloaks.ts';

onEachKeycloak({}, (stage) => {
  const open = async (context: TestContext): Promise<Cli> => {
    const { admin, realm, client } = stage.sample;
    await admin.updateClient(realm, client.id, {
      standardFlowEnabled: true,
      implicitFlowEnabled: true,
      redirectUris: ['http://127.0.0.1/callback'],
    });
    return stage.cli(context);
  };

  /** Runs the flow, the person signing in. @returns the run and what the page said at the end */
  const goThrough = async (context: TestContext, ...args: string[]) => {
    const cli = await open(context);
    const tab = await openPage(context);
    const troubles: string[] = [];
    tab.on('console', (message) => {
      // Nothing but the redirect's own path is served, the icon of a page included.
      const isIcon = message.location().url.endsWith('/favicon.ico');
      if (message.type() === 'error' && !isIcon) troubles.push(message.text());
    });
    tab.on('pageerror', (error) => troubles.push(error.message));
    const running = cli.start('token', 'code', '--scope', 'openid', '--json', ...args);
    const [, address = ''] = await running.says(/Open (\S+)\n/);
    await tab.goto(address);
    troubles.length = 0;
    await signIn(tab, stage.sample.user);
    await tab.getByText('You may close this window').waitFor();
    const run = await running.ended;
    expect(run, run.stderr).toMatchObject({ exitCode: 0 });
    return { tokens: JSON.parse(run.stdout), shownAt: tab.url(), troubles };
  };

  test('the code flow, through the login page', async (context) => {
    const { tokens, troubles } = await goThrough(context);
    expect(tokens).toMatchObject({ token_type: 'Bearer', id_token: expect.any(String) });
    expect(troubles).toEqual([]);
  });

  test('a response that the browser posts as a form', async (context) => {
    const { tokens, shownAt, troubles } = await goThrough(context, '--response-mode', 'form_post');
    expect(tokens).toMatchObject({ token_type: 'Bearer', id_token: expect.any(String) });
    expect(new URL(shownAt).search).toBe('');
    expect(troubles).toEqual([]);
  });

  test("a response in the fragment, which our page's script sends on", async (context) => {
    const { tokens, troubles } = await goThrough(context, '--response-mode', 'fragment');
    expect(tokens).toMatchObject({ token_type: 'Bearer', id_token: expect.any(String) });
    expect(troubles).toEqual([]);
  });

  test('the hybrid flow of an old realm', async (context) => {
    const { tokens } = await goThrough(context, '--response-type', 'code id_token');
    expect(tokens).toMatchObject({ token_type: 'Bearer', id_token: expect.any(String) });
  });

  if (stage.version === 26) {
    test('a response as a signed JWT', async (context) => {
      const { tokens, shownAt } = await goThrough(context, '--response-mode', 'jwt');
      expect(tokens).toMatchObject({ token_type: 'Bearer', id_token: expect.any(String) });
      expect(new URL(shownAt).searchParams.get('response')).toMatch(/^eyJ/);
    });
  }
});
