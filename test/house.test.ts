import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** Source texts by their path below `src`. */
type Sources = ReadonlyMap<string, string>;

interface Import {
  readonly from: string;
  /** A path below `src`, `node:…`, or a package's name. */
  readonly to: string;
  readonly kind: 'static' | 'dynamic' | 'types';
}

interface ParsedFile {
  readonly imports: readonly Import[];
  /** Names used as identifiers, without those of properties and types. */
  readonly names: ReadonlySet<string>;
  readonly lines: number;
  readonly functions: readonly MeasuredFunction[];
}

interface MeasuredFunction {
  readonly name: string;
  /** Lines of code from its first to its last, those of inner functions included; blank lines and comments are not counted. */
  readonly lines: number;
}

const ROOT = fileURLToPath(new URL('../src/', import.meta.url));
const SHARED = [
  'errors.ts',
  'exact-json.ts',
  'json-scan.ts',
  'redact.ts',
  'refusal-codes.ts',
  'trim-trailing.ts',
];

/** What parameters are, as data: it imports nothing, and may be imported where the rest of its folder may not. */
const DEFINITIONS = 'protocol/definitions';

/**
 * Which folders and root modules each may import, beside its own folder, `errors` and `redact`. The main line is
 * main → program → commands → session → steps → flows → protocol; each may skip a member of it.
 */
const MAY_IMPORT: Readonly<Record<string, { run?: readonly string[]; types?: readonly string[] }>> = {
  protocol: {},
  flows: { run: ['protocol'], types: ['context.ts', 'servers'] },
  servers: { run: ['protocol'], types: ['http'] },
  http: {},
  kafka: { run: ['http', 'protocol'] },
  store: {},
  output: {},
  explain: {},
  sandbox: { run: [DEFINITIONS] },
  workers: { run: ['protocol', 'output'] },
  steps: { run: ['flows', 'protocol', 'output'] },
  session: {
    run: ['steps', 'flows', 'protocol', 'servers', 'store', 'output', 'context.ts', 'settings.ts'],
  },
  'errors.ts': {},
  'exact-json.ts': {},
  'json-scan.ts': {},
  'trim-trailing.ts': {},
  'redact.ts': { run: [DEFINITIONS, 'secret-search.ts'] },
  'secret-search.ts': {},
  'refusal-codes.ts': {},
  help: { run: ['session', 'output', 'settings.ts'] },
  'settings.ts': { run: ['authorization-settings.ts', 'endpoint-settings.ts', 'setting-definition.ts'] },
  'authorization-settings.ts': { types: ['setting-definition.ts'] },
  'endpoint-settings.ts': { types: ['setting-definition.ts'] },
  'setting-definition.ts': {},
  'context.ts': { run: ['http', 'kafka', 'store', 'output', 'servers'], types: ['workers'] },
  'process-parts.ts': { run: ['output', 'store', 'workers'], types: ['context.ts'] },
  'program.ts': { run: ['commands', 'help', 'session', 'settings.ts'], types: ['context.ts'] },
  'main.ts': { run: ['context.ts', 'process-parts.ts', 'program.ts', 'explain', 'output'] },
  commands: {
    run: [
      'session',
      'steps',
      'flows',
      'protocol',
      'servers',
      'http',
      'store',
      'output',
      'explain',
      'sandbox',
      'context.ts',
      'settings.ts',
    ],
  },
};

/** Folders whose subfolders may import those before them, and their own files; files outside a subfolder are free to all. */
const ORDERED: Readonly<Record<string, readonly string[]>> = {
  protocol: ['definitions', 'jose', 'oauth', 'oidc', 'ciba', 'kafka'],
};

/** Folders whose subfolders may not import one another. */
const APART = ['commands'];

/** Packages that a folder may load; `types` may be named in types only. No entry allows all. */
const MAY_LOAD: Readonly<Record<string, { run: readonly string[]; types: readonly string[] }>> = {
  protocol: { run: ['jose'], types: [] },
  flows: { run: [], types: ['jose'] },
};

const NO_TIMERS = ['protocol', 'flows', 'output', 'explain'];
const TIMERS = ['setTimeout', 'setInterval', 'setImmediate'];

const LONGEST_FUNCTION = 60;
const LONGEST_FILE = 350;

/** What every run loads, beside the definitions of parameters. A file more is start-up time more, for every command. */
const START: readonly string[] = [
  'authorization-settings.ts',
  'commands/index.ts',
  'context.ts',
  'endpoint-settings.ts',
  'errors.ts',
  'exact-json.ts',
  'http/byte-order-marks.ts',
  'json-scan.ts',
  'main.ts',
  'output/printable.ts',
  'output/result-stream.ts',
  'output/warnings.ts',
  'process-parts.ts',
  'program.ts',
  'redact.ts',
  'refusal-codes.ts',
  'secret-search.ts',
  'session/command-help.ts',
  'session/options.ts',
  'setting-definition.ts',
  'settings.ts',
  'store/stdin-claim.ts',
  'trim-trailing.ts',
];

/** Functions and files that are too long, as `path name` and `path`. */
function findTooLong(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    const { lines, functions } = parse(path, text);
    return [
      ...(lines > LONGEST_FILE ? [path] : []),
      ...functions.filter((one) => one.lines > LONGEST_FUNCTION).map(({ name }) => `${path} ${name}`),
    ];
  });
}

/** Every breach of the house rules, as sentences. */
function breaches(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    const { imports, names } = parse(path, text);
    const home = findHome(path);
    return [
      ...(posix
        .basename(path)
        .split('.')[0]
        ?.match(/^[a-z0-9]+(-[a-z0-9]+)*$/)
        ? []
        : [`${path} is not in kebab-case`]),
      ...imports.flatMap((one) => findBreaches(one, home)),
      ...['process', 'console']
        .filter(
          (name) =>
            path !== 'process-parts.ts' &&
            (names.has(name) || imports.some(({ to }) => to === `node:${name}`)),
        )
        .map((name) => `${path} uses ${name}`),
      ...TIMERS.filter((name) => NO_TIMERS.includes(home) && names.has(name)).map(
        (name) => `${path} uses ${name}`,
      ),
    ];
  });
}

function findBreaches({ from, to, kind }: Import, home: string): string[] {
  const breach = [`${from} imports ${to}${kind === 'types' ? ' (types)' : ''}`];
  if (isBelow(from, DEFINITIONS)) return isBelow(to, DEFINITIONS) ? [] : breach;
  const isOurs = to.endsWith('.ts');
  if (to.startsWith('node:')) {
    const isTimer = NO_TIMERS.includes(home) && to.startsWith('node:timers');
    // Cryptography of the runtime; nothing else of it is pure.
    return (home === 'protocol' && to !== 'node:crypto') || isTimer ? breach : [];
  }
  if (!isOurs) {
    const allowed = MAY_LOAD[home];
    if (allowed === undefined) return [];
    return allowed.run.includes(to) || (kind === 'types' && allowed.types.includes(to)) ? [] : breach;
  }
  const target = findHome(to);
  if (target === home && isAgainstOrder(home, from, to)) return breach;
  const { run = [], types = [] } = MAY_IMPORT[home] ?? {};
  const allowed = [home, ...SHARED, ...run, ...(kind === 'types' ? types : [])];
  return allowed.some((one) => one === target || isBelow(to, one)) ? [] : breach;
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

/** Whether one subfolder of a folder imports another one that it must not know. */
function isAgainstOrder(home: string, from: string, to: string): boolean {
  const [one, other] = [from, to].map((path) =>
    path.split('/').length > 2 ? path.split('/')[1] : undefined,
  );
  if (one === undefined || other === undefined || one === other) return false;
  if (APART.includes(home)) return true;
  const order = ORDERED[home];
  return order !== undefined && order.indexOf(other) > order.indexOf(one);
}

/** Every circle of imports, types and dynamic ones included, as paths that end where they start. */
function circles(sources: Sources): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push([...trail.slice(at), path].join(' > '));
    if (at >= 0 || done.has(path)) return;
    for (const { to } of parse(path, sources.get(path) ?? '').imports) {
      if (to.endsWith('.ts')) visit(to, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return found;
}

/** The folder of a module, or the module itself where it stands in `src`. */
function findHome(path: string): string {
  return path.split('/')[0] ?? path;
}

/** By the path and text of a file, so that each is parsed once. */
const parsed = new Map<string, ParsedFile>();

function parse(path: string, text: string): ParsedFile {
  const key = `${path}\n${text}`;
  const file = parsed.get(key) ?? parseAnew(path, text);
  parsed.set(key, file);
  return file;
}

function parseAnew(path: string, text: string): ParsedFile {
  const imports: Import[] = [];
  const names = new Set<string>();
  const functions: MeasuredFunction[] = [];
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const add = (specifier: ts.Node | undefined, kind: Import['kind']) => {
    if (specifier === undefined) return;
    if (!ts.isStringLiteralLike(specifier)) throw new Error(`${path} imports something that is computed`);
    imports.push({ from: path, to: resolve(path, specifier.text), kind });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node))
      add(node.moduleSpecifier, node.importClause?.isTypeOnly ? 'types' : 'static');
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly ? 'types' : 'static');
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, 'types');
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], 'dynamic');
    else if (ts.isIdentifier(node) && isUse(node)) names.add(node.text);
    if (ts.isFunctionLike(node) && 'body' in node && node.body)
      functions.push({ name: readFunctionName(node), lines: countLines(node, file) });
    // Ambient modules describe a package; they import nothing.
    if (!ts.isModuleDeclaration(node)) ts.forEachChild(node, visit);
  };
  visit(file);
  return { imports, names, lines: text.replace(/\n$/, '').split('\n').length, functions };
}

/** Counts the lines that hold a token. */
function countLines(node: ts.Node, file: ts.SourceFile): number {
  const lines = new Set<number>();
  const visit = (one: ts.Node): void => {
    if (ts.isJSDoc(one)) return;
    const children = one.getChildren(file);
    children.forEach(visit);
    if (children.length > 0 || one.getWidth(file) === 0) return;
    const first = file.getLineAndCharacterOfPosition(one.getStart(file)).line;
    const last = file.getLineAndCharacterOfPosition(one.getEnd()).line;
    for (let line = first; line <= last; line += 1) lines.add(line);
  };
  visit(node);
  return lines.size;
}

/** The name of a function, or of what it is assigned to. */
function readFunctionName(node: ts.SignatureDeclaration): string {
  const { parent } = node;
  const named =
    node.name ??
    (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) ? parent.name : undefined);
  return named?.getText() ?? (ts.isConstructorDeclaration(node) ? 'constructor' : 'anonymous');
}

/** Whether an identifier stands for a value: no member's name, except of the global object. */
function isUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node)
    return ts.isIdentifier(parent.expression) && ['globalThis', 'global'].includes(parent.expression.text);
  if (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodSignature(parent))
    return parent.name !== node;
  return !ts.isQualifiedName(parent) && !ts.isTypeReferenceNode(parent);
}

function resolve(from: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier);
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** What loading a module loads, by static imports alone: files below `src`, built-in modules and packages. */
function listLoaded(start: string, sources: Sources) {
  const seen = new Set<string>();
  const builtins = new Set<string>();
  const packages = new Set<string>();
  const open = [start];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const text = sources.get(path);
    if (text === undefined) throw new Error(`${path} is imported and does not exist`);
    for (const { to, kind } of parse(path, text).imports) {
      if (kind !== 'static') continue;
      if (to.endsWith('.ts')) open.push(to);
      else (to.startsWith('node:') ? builtins : packages).add(to);
    }
  }
  return { files: [...seen], builtins: [...builtins], packages: [...packages] };
}

function sourcesOfTheProgram(): Sources {
  return new Map(
    readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => path.endsWith('.ts'))
      .map((path) => [path, readFileSync(`${ROOT}${path}`, 'utf8')]),
  );
}

const sources = sourcesOfTheProgram();

describe('the house', () => {
  it('is read whole', () => {
    expect(sources.size).toBeGreaterThan(50);
    expect(new Set([...sources.keys()].map(findHome))).toEqual(new Set(Object.keys(MAY_IMPORT)));
  });

  it('keeps its rules', () => {
    expect(breaches(sources)).toEqual([]);
  });

  it('has no circle of imports, those of types and dynamic ones included', () => {
    expect(circles(sources)).toEqual([]);
  });

  it('has no function and no file that is too long', () => {
    expect(findTooLong(sources)).toEqual([]);
  });

  it('loads commander and no other package before a command is known', () => {
    expect(listLoaded('main.ts', sources).packages).toEqual(['commander', '../package.json']);
  });

  it('starts with these files and no others, and with no built-in module', () => {
    const { files, builtins } = listLoaded('main.ts', sources);
    expect(files.filter((path) => !isBelow(path, DEFINITIONS)).sort()).toEqual([...START].sort());
    expect(builtins).toEqual([]);
  });

  it('loads for the help what describes commands, and nothing that reads values', () => {
    const { files, builtins, packages } = listLoaded('help/index.ts', sources);
    const others = files.filter((path) => !isBelow(path, 'help') && !START.includes(path));
    expect({ others, builtins, packages }).toEqual({
      others: ['output/wrap.ts'],
      builtins: [],
      packages: ['commander'],
    });
  });

  it('reads keys without the whole of node:crypto, as long as they are not PEM', () => {
    expect(listLoaded('session/session.ts', sources).builtins).not.toContain('node:crypto');
    expect(listLoaded('protocol/jose/key-file.ts', sources).builtins).not.toContain('node:crypto');
  });

  it.each(['undici', 'jose', 'ora', 'enquirer', 'chalk', 'kafkajs', 'string-width'])(
    'does not load %s before a command’s action runs',
    (name) => {
      const entries = parse('commands/index.ts', sources.get('commands/index.ts') ?? '').imports;
      const definitions = entries.filter(({ kind }) => kind === 'dynamic').map(({ to }) => to);
      expect(definitions.length).toBeGreaterThan(3);
      for (const definition of definitions)
        expect(listLoaded(definition, sources).packages).not.toContain(name);
    },
  );
});

describe('the checker of the house', () => {
  it.each([
    [
      'protocol/a.ts',
      `import { readFile } from 'node:fs/promises';`,
      'protocol/a.ts imports node:fs/promises',
    ],
    ['protocol/a.ts', `import chalk from 'chalk';`, 'protocol/a.ts imports chalk'],
    ['protocol/a.ts', `import '../settings.ts';`, 'protocol/a.ts imports settings.ts'],
    ['flows/a.ts', `import { createContext } from '../context.ts';`, 'flows/a.ts imports context.ts'],
    ['flows/a.ts', `import { compactVerify } from 'jose';`, 'flows/a.ts imports jose'],
    ['flows/a.ts', `import { type Context } from '../context.ts';`, 'flows/a.ts imports context.ts'],
    ['flows/a.ts', `const a = () => import('../store/index.ts');`, 'flows/a.ts imports store/index.ts'],
    ['servers/a.ts', `import { run } from '../flows/a.ts';`, 'servers/a.ts imports flows/a.ts'],
    [
      'http/a.ts',
      `import type { Store } from '../store/index.ts';`,
      'http/a.ts imports store/index.ts (types)',
    ],
    ['store/a.ts', `export * from '../protocol/jwt.ts';`, 'store/a.ts imports protocol/jwt.ts'],
    ['output/a.ts', `type A = import('../context.ts').Context;`, 'output/a.ts imports context.ts (types)'],
    ['explain/a.ts', `export { type A } from '../flows/a.ts';`, 'explain/a.ts imports flows/a.ts'],
    ['sandbox/a.ts', `import { jwt } from '../protocol/jwt.ts';`, 'sandbox/a.ts imports protocol/jwt.ts'],
    ['context.ts', `import { commands } from './commands/index.ts';`, 'context.ts imports commands/index.ts'],
    ['main.ts', `import { commands } from './commands/index.ts';`, 'main.ts imports commands/index.ts'],
    ['store/a.ts', `const home = process.env.HOME;`, 'store/a.ts uses process'],
    ['store/a.ts', `import { env } from 'node:process';`, 'store/a.ts uses process'],
    ['store/a.ts', `globalThis.console.log();`, 'store/a.ts uses console'],
    ['commands/a.ts', `console.log('a');`, 'commands/a.ts uses console'],
    ['flows/a.ts', `setTimeout(() => {}, 1);`, 'flows/a.ts uses setTimeout'],
    [
      'flows/a.ts',
      `import { setTimeout as sleep } from 'node:timers/promises';`,
      'flows/a.ts imports node:timers/promises',
    ],
    [
      'commands/token/a.ts',
      `import { b } from '../ciba/b.ts';`,
      'commands/token/a.ts imports commands/ciba/b.ts',
    ],
    [
      'commands/token/a.ts',
      `import type { Options } from '../../program.ts';`,
      'commands/token/a.ts imports program.ts (types)',
    ],
    [
      'protocol/jose/a.ts',
      `import type { B } from '../oauth/b.ts';`,
      'protocol/jose/a.ts imports protocol/oauth/b.ts (types)',
    ],
    ['redact.ts', `import './protocol/oauth/form.ts';`, 'redact.ts imports protocol/oauth/form.ts'],
    [
      'protocol/definitions/a.ts',
      `import { UsageError } from '../../errors.ts';`,
      'protocol/definitions/a.ts imports errors.ts',
    ],
    [
      'protocol/definitions/a.ts',
      `import type { JWK } from 'jose';`,
      'protocol/definitions/a.ts imports jose (types)',
    ],
    [
      'protocol/definitions/a.ts',
      `import type { B } from '../oauth/b.ts';`,
      'protocol/definitions/a.ts imports protocol/oauth/b.ts (types)',
    ],
    ['steps/a.ts', `import { s } from '../session/session.ts';`, 'steps/a.ts imports session/session.ts'],
    ['session/a.ts', `import { b } from '../commands/b.ts';`, 'session/a.ts imports commands/b.ts'],
    ['store/textFile.ts', '', 'store/textFile.ts is not in kebab-case'],
  ])('finds a breach in %s: %s', (path, text, breach) => {
    expect(breaches(new Map([[path, text]]))).toContain(breach);
  });

  it.each([
    ['protocol/a.ts', `import { decodeJwt } from 'jose'; import { UsageError } from '../errors.ts';`],
    ['flows/a.ts', `import type { Context } from '../context.ts'; import type { A } from '../servers/a.ts';`],
    [
      'flows/a.ts',
      `import { buildA } from '../protocol/a.ts'; import './b.ts'; import type { JWK } from 'jose';`,
    ],
    [
      'output/a.ts',
      `// console.log\nconst a = { console: 'process' }; let b: NodeJS.WriteStream; a.console;`,
    ],
    ['process-parts.ts', `console.error(process.argv);`],
    ['http/a.ts', `setTimeout(() => {}, 1);`],
    [
      'http/parts.d.ts',
      `declare module 'undici/lib/a.js' { import { Client } from 'undici'; export default Client; }`,
    ],
    [
      'commands/token/a.ts',
      `import { b } from './b.ts'; import { s } from '../../session/s.ts'; import { f } from '../../flows/f.ts';`,
    ],
    ['sandbox/a.ts', `import { A } from '../protocol/definitions/a.ts';`],
    ['redact.ts', `import { A } from './protocol/definitions/a.ts';`],
    ['protocol/ciba/a.ts', `import { b } from '../jose/b.ts'; import { json } from '../json.ts';`],
  ])('finds none in %s: %s', (path, text) => {
    expect(breaches(new Map([[path, text]]))).toEqual([]);
  });

  const code = (count: number) => '  call();\n'.repeat(count);

  it.each([
    ['a function', `function run() {\n${code(59)}}`, ['a.ts run']],
    ['an arrow function', `const run = () => {\n${code(59)}};`, ['a.ts run']],
    ['a method', `class A {\n  run() {\n${code(59)}  }\n}`, ['a.ts run']],
    ['a constructor', `class A {\n  constructor() {\n${code(59)}  }\n}`, ['a.ts constructor']],
    ['a member of an object', `const a = {\n  run: () => {\n${code(59)}  },\n};`, ['a.ts run']],
    ['a function without a name', `call(function () {\n${code(59)}});`, ['a.ts anonymous']],
    [
      'an inner function, with what is around it',
      `function run() {\n  const inner = () => {\n${code(57)}  };\n}`,
      ['a.ts run'],
    ],
    ['a text of several lines', `function run() {\n  return \`${'\n'.repeat(59)}\`;\n}`, ['a.ts run']],
    ['a file', '// a line\n'.repeat(351), ['a.ts']],
  ])('finds that %s is too long', (_, text, found) => {
    expect(findTooLong(new Map([['a.ts', text]]))).toEqual(found);
  });

  it.each([
    ['a function of 60 lines', `function run() {\n${code(58)}}`],
    [
      'blank lines and comments',
      `/**\n${' * text\n'.repeat(30)} */\nfunction run() {\n${code(57)}${'\n  // why\n'.repeat(30)}  /*\n\n\n  */\n  call(); // why\n}`,
    ],
    [
      'a class and an object that hold methods',
      `class A {\n${'  a() {\n    call();\n  }\n'.repeat(30)}}\nconst b = {\n${'  c() {\n    call();\n  },\n'.repeat(30)}};`,
    ],
    ['a file of 350 lines', '// a line\n'.repeat(350)],
  ])('finds nothing too long in %s', (_, text) => {
    expect(findTooLong(new Map([['a.ts', text]]))).toEqual([]);
  });

  it('finds a circle that a type and a dynamic import close', () => {
    const graph = new Map([
      ['commands/a/a.ts', `import type { B } from './b.ts';`],
      ['commands/a/b.ts', `const c = () => import('./c.ts');`],
      ['commands/a/c.ts', `export { a } from './a.ts';`],
    ]);
    expect(circles(graph)).toEqual(['commands/a/a.ts > commands/a/b.ts > commands/a/c.ts > commands/a/a.ts']);
  });

  it('follows static imports only, through every file', () => {
    const graph = new Map([
      ['main.ts', `import './a.ts'; import type { JWK } from 'jose'; const b = () => import('./b.ts');`],
      ['a.ts', `export { a } from './c.ts'; import './main.ts';`],
      ['b.ts', `import 'enquirer';`],
      [
        'c.ts',
        `import ora from 'ora'; import { on } from 'node:events'; import x from '@scope/name/part.js';`,
      ],
    ]);
    expect(listLoaded('main.ts', graph)).toEqual({
      files: ['main.ts', 'a.ts', 'c.ts'],
      builtins: ['node:events'],
      packages: ['ora', '@scope/name'],
    });
  });
});
