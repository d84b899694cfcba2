import { afterAll, beforeAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { freePort } from '../lab/ports.ts';
import { type BuiltProgram, bundleLabProgram } from '../lab/program.ts';
import { Person } from '../real/person.ts';
import { parseMarkdown, readDocuments } from './markdown.ts';
import { findCommandBlocks, hasKind, readMarker, runPage, simplifyOutput } from './page.ts';
import { buildScript, Shell } from './shell.ts';

const documents = readDocuments();

let program: BuiltProgram;

beforeAll(async () => {
  program = await bundleLabProgram();
});

afterAll(() => program?.remove());

interface SandboxOutput {
  readonly issuer: string;
  readonly users: readonly string[];
  readonly passwords: Readonly<Record<string, string>>;
}

/** Opens a shell with a sandbox, whose profile is in use, as docs/README.md says; both end with the test. */
async function openSandboxShell({
  onTestFinished,
}: TestContext): Promise<{ shell: Shell; sandbox: SandboxOutput }> {
  const [device, serve] = [await freePort(), await freePort()];
  const replacements = new Map([
    ['127.0.0.1:3000', `127.0.0.1:${device}`],
    ['127.0.0.1:8090', `127.0.0.1:${serve}`],
  ]);
  const shell = await Shell.open({
    program: program.path,
    env: { CLIENT_SECRET: 'the-secret-of-the-sandbox-client' },
    replacements,
  });
  onTestFinished(() => shell.close());
  const running = await shell.start(
    'npx oauthctl sandbox --interval 1 --device 127.0.0.1:3000/api/v1/auth --client-secret env:CLIENT_SECRET --json',
    '\n}\n',
  );
  const sandbox = JSON.parse(running.output().stdout) as SandboxOutput;
  replacements.set('https://as.example/realms/sandbox', sandbox.issuer);
  replacements.set('https://api.example/orders', `${sandbox.issuer}/protocol/openid-connect/userinfo`);
  await shell.run('npx oauthctl profile use sandbox');
  return { shell, sandbox };
}

/**
 * Opens the address that a command printed, and answers the pages that follow: the code of `token device`, its
 * confirmation, and the login.
 */
async function signIn(text: string, { users, passwords }: SandboxOutput): Promise<void> {
  const [, url = ''] = /Open (https?:\S+)/.exec(text) ?? [];
  const [, code = ''] = /enter the code (\S+)/.exec(text) ?? [];
  const [username = ''] = users;
  const login = { username, password: passwords[username] ?? '', accept: 'yes' };
  const fields = { user_code: code, confirm: 'yes', ...login };
  const person = new Person();
  let page = await person.open(url);
  for (let pages = 0; page.html.includes('<form'); pages += 1) {
    if (pages === 5) throw new Error(`There is always another form: ${page.html}`);
    const shown = Object.entries(fields).filter(([name]) => page.html.includes(`name="${name}"`));
    page = await person.submit(page, Object.fromEntries(shown));
  }
}

describe('the commands of the documents', () => {
  it.each(documents)('$path says of every block of commands how it is run', (document) => {
    for (const block of findCommandBlocks(document)) readMarker(block, document.path);
    const unmarked = document.blocks.filter(
      ({ language, text }) => language === '' || (language !== 'sh' && /^\$ |^npx oauthctl/m.test(text)),
    );
    expect(unmarked.map(({ line }) => `${document.path}:${line}`)).toEqual([]);
  });

  // Most of the time they wait, for polls and for each other.
  it.concurrent.for(documents.filter((document) => hasKind(document, 'sandbox')))(
    '$path: what is run on the sandbox does what it says',
    async (document, context) => {
      const { shell, sandbox } = await openSandboxShell(context);
      const { expect } = context;
      await runPage(document, 'sandbox', { shell, expect, signIn: (stderr) => signIn(stderr, sandbox) });
    },
  );
});

describe('the runner of the documents', () => {
  it('checks the exit code of each command, and joins lines', async () => {
    const shell = await Shell.open({ program: program.path, replacements: new Map([['WORD', 'word']]) });
    onTestFinished(() => shell.close());
    expect((await shell.run('# a comment\necho WORD \\\n  more\nfalse   # exit 1')).stdout).toBe(
      'word more\n',
    );
    await expect(shell.run('false')).rejects.toThrow('command 1 exited with 1, and not with 0');
    await expect(shell.run('true\ntrue # exit 8')).rejects.toThrow('command 2 exited with 0, and not with 8');
    await expect(shell.run('npx oauthctl nonsense')).rejects.toThrow('exited with 2');
    await expect(shell.run('npx other')).rejects.toThrow('npx other is not run here');
    await expect(shell.start('echo something', 'else')).rejects.toThrow('stdout: something');
  });

  it('fails for a block of commands without a marker, and for a reason of no words', () => {
    const block = { language: 'sh', text: 'true', line: 7 };
    expect(() => readMarker({ ...block, marker: undefined }, 'x.md')).toThrow('x.md:7: a block of commands');
    expect(() => readMarker({ ...block, marker: 'run: mainframe' }, 'x.md')).toThrow('x.md:7');
    expect(() => readMarker({ ...block, marker: 'not run: no' }, 'x.md')).toThrow('x.md:7');
    expect(readMarker({ ...block, marker: 'run: sandbox, until "a b", empty home' }, 'x.md')).toEqual({
      ...{ run: true, kind: 'sandbox', until: 'a b', after: undefined, emptyHome: true, person: false },
    });
  });

  it('compares a block of output with what the block before it wrote', async () => {
    const shell = await Shell.open({ program: program.path, replacements: new Map() });
    onTestFinished(() => shell.close());
    const page = (output: string) =>
      parseMarkdown(
        'x.md',
        `<!-- run: sandbox -->\n\`\`\`sh\necho "took 12 ms"\n\`\`\`\n\n<!-- output -->\n\`\`\`text\n${output}\n\`\`\``,
      );
    await runPage(page('took 4 min 59 s'), 'sandbox', { shell, expect });
    await expect(runPage(page('lost 3 ms'), 'sandbox', { shell, expect })).rejects.toThrow('x.md:7');
  });

  it('compares output without times, ports and identifiers', () => {
    expect(simplifyOutput(' ⑦  at 127.0.0.1:3000   12 ms\n\n ⑦ at 127.0.0.1:17 3 ms')).toEqual([
      '⑦ at 127.0.0.1:PORT TIME',
    ]);
    expect(buildScript('a\n\n# b\nc # exit 4').split('\n').slice(1)).toEqual([
      ...['a', 'check $? 0 1', 'c # exit 4', 'check $? 4 2'],
    ]);
  });
});
