// Bundles the program into dist/: `npm run build [-- OUTDIR]`. One chunk for each command, loaded when it runs.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { findBundledPackages, renderBillOfMaterials, renderLicenses } from './bundled-packages.js';

const outdir = process.argv[2] ?? 'dist';
const MAIN = 'src/main.ts';

/**
 * Modules that libraries load and this program never uses, with their replacements. These built-in modules cost more
 * start-up time than everything of ours.
 */
const UNUSED = [
  // commander uses it to run subcommands that are separate programs; we have none.
  { module: /^node:child_process$/, importer: /[\\/]commander[\\/]/, standIn: 'module.exports = {};' },
  // Our transport does not use HTTP/2.
  { module: /^\.\/client-h2(\.js)?$/, importer: /[\\/]undici[\\/]/, standIn: 'module.exports = undefined;' },
  // Needed only for bodies that are Fetch API streams.
  {
    module: /^\.\.\/web\/fetch\/body(\.js)?$/,
    importer: /[\\/]undici[\\/]/,
    standIn: 'module.exports = {};',
  },
  // undici needs one default and one class, to recognise bodies that we never send.
  {
    module: /^node:http$/,
    importer: /[\\/]undici[\\/]/,
    standIn: 'module.exports = { maxHeaderSize: 16384, IncomingMessage: class {} };',
  },
];

const withoutUnused = {
  name: 'without-unused',
  setup({ onResolve, onLoad }) {
    for (const [index, { module, importer }] of UNUSED.entries()) {
      onResolve({ filter: module }, (args) =>
        importer.test(args.importer) ? { path: String(index), namespace: 'stand-in' } : undefined,
      );
    }
    onLoad({ filter: /.*/, namespace: 'stand-in' }, ({ path }) => ({
      contents: UNUSED[Number(path)].standIn,
    }));
  },
};

/** Modules that this many dynamic imports lead to are common. */
const COMMON = 4;

/** Built-in modules that are loaded at the start anyway, or cost nothing. Common modules load no others, and no packages. */
const LIGHT_BUILTINS = ['node:fs', 'node:fs/promises', 'node:os', 'node:path', 'node:url'];

/**
 * Makes one chunk of what the program starts with, one of what opens a session, and one of what many commands have in
 * common, instead of one for each set of modules that the same commands load: a file costs as much start-up time as
 * some ten thousand characters of code that is not run. For that, the entry point and each module that is imported
 * dynamically are given static imports of the whole group if they load a part of it.
 * @param inputs those of esbuild's metafile
 */
const inGroups = (inputs) => ({
  name: 'groups',
  setup({ onResolve, onLoad }) {
    const { groups, loads } = findGroups(inputs);
    onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      const target = relative('.', resolve(resolveDir, path)).replaceAll('\\', '/');
      return (kind === 'dynamic-import' || kind === 'entry-point') && loads.has(target)
        ? { path: target, namespace: 'grouped' }
        : undefined;
    });
    onLoad({ filter: /.*/, namespace: 'grouped' }, ({ path }) => {
      const wanted = groups.filter(
        (group, index) => index === 0 || group.some((one) => loads.get(path).has(one)),
      );
      const imports = wanted.flat().map((one) => `import ${JSON.stringify(`./${one}`)};`);
      return {
        contents: `${imports.join('\n')}\nexport * from ${JSON.stringify(`./${path}`)};`,
        resolveDir: '.',
      };
    });
  },
});

/**
 * Finds the modules of src that are to be in one chunk.
 * @returns paths: the groups, and by the entry point and each module that is imported dynamically what it loads, itself
 *   included
 */
function findGroups(inputs) {
  const follow = (path, kind) =>
    inputs[path].imports
      .filter((one) => one.kind === kind && one.path.startsWith('src/'))
      .map((one) => one.path);
  const listStatic = (path, found = new Set()) => {
    if (found.has(path)) return found;
    found.add(path);
    for (const next of follow(path, 'import-statement')) listStatic(next, found);
    return found;
  };
  const ours = Object.keys(inputs).filter((path) => path.startsWith('src/'));
  const targets = new Set([MAIN, ...ours.flatMap((path) => follow(path, 'dynamic-import'))]);
  const loads = new Map([...targets].map((path) => [path, listStatic(path)]));

  // What the help shares with every session is small, and must not bring the whole session into the help.
  const help = listStatic('src/help/index.ts');
  const start = new Set([
    ...listStatic(MAIN),
    ...[...listStatic('src/session/session.ts')].filter((path) => help.has(path)),
  ]);
  const session = [...listStatic('src/session/session.ts')].filter((path) => !start.has(path));
  const isLight = (path) =>
    [...listStatic(path)].every((one) =>
      inputs[one].imports.every(
        ({ kind, path: to }) =>
          kind === 'dynamic-import' ||
          to.startsWith('src/') ||
          to === '<runtime>' ||
          start.has(one) ||
          LIGHT_BUILTINS.includes(to),
      ),
    );
  const common = ours.filter(
    (path) =>
      !start.has(path) &&
      !session.includes(path) &&
      [...loads.values()].filter((loaded) => loaded.has(path)).length >= COMMON &&
      isLight(path),
  );
  return { groups: [[...start], session, common], loads };
}

rmSync(outdir, { recursive: true, force: true });

const OPTIONS = {
  outdir,
  outbase: 'src',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  chunkNames: 'chunks/[name]-[hash]',
  minifyWhitespace: true,
  minifySyntax: true,
  // oidc-provider looks up its models by the names of their classes.
  keepNames: true,
  legalComments: 'linked',
  logLevel: 'warning',
  define: { __filename: '"oauthctl"' },
  write: false,
};

const { metafile } = await build({
  ...OPTIONS,
  entryPoints: [MAIN],
  plugins: [withoutUnused],
  metafile: true,
});
const results = await Promise.all([
  build({
    ...OPTIONS,
    entryPoints: [{ in: `./${MAIN}`, out: 'main' }],
    plugins: [withoutUnused, inGroups(metafile.inputs)],
    metafile: true,
  }),
  // Threads have a program of their own, which shares no chunk with the main one.
  build({
    ...OPTIONS,
    entryPoints: ['src/workers/batch-worker.ts'],
    plugins: [withoutUnused],
    metafile: true,
  }),
]);

// CommonJS inside the bundle asks for built-in modules by `require`, through one helper; only the chunk with that
// helper gets one, because each import of a built-in module costs start-up time.
const REQUIRE = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);\n";

for (const { path, text } of results.flatMap(({ outputFiles }) => outputFiles)) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, path.endsWith('.js') && text.includes('typeof require') ? REQUIRE + text : text);
}

const packages = findBundledPackages(results.flatMap(({ metafile: { inputs } }) => Object.keys(inputs)));
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
writeFileSync(`${outdir}/THIRD-PARTY-LICENSES.txt`, renderLicenses(packages));
writeFileSync(
  `${outdir}/sbom.cdx.json`,
  renderBillOfMaterials(packages, readJson('package.json'), readJson('package-lock.json')),
);
