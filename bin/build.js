// Bundles the program into dist/: `npm run build [-- OUTDIR]`. One chunk for each command, loaded when it runs.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { build } from 'esbuild';

const outdir = process.argv[2] ?? 'dist';

/**
 * What libraries load and this program never uses, and what stands in for it. These built-in modules cost more
 * start-up time than everything of ours.
 */
const UNUSED = [
  // commander runs subcommands that are programs of their own with it; we have none.
  { module: /^node:child_process$/, importer: /[\\/]commander[\\/]/, standIn: 'module.exports = {};' },
  // HTTP/2 is off in our transport.
  { module: /^\.\/client-h2(\.js)?$/, importer: /[\\/]undici[\\/]/, standIn: 'module.exports = undefined;' },
  // Only bodies that are streams of the Fetch API need it.
  {
    module: /^\.\.\/web\/fetch\/body(\.js)?$/,
    importer: /[\\/]undici[\\/]/,
    standIn: 'module.exports = {};',
  },
  // undici asks for one default and one class, to recognise bodies that we never send.
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

/**
 * Gives every module that is imported dynamically a static import of main.ts. Whatever the program starts with is then
 * shared by all of them, and becomes one chunk instead of one for each set of modules that share it: each file costs
 * start-up time. It costs nothing at run time, because main.ts is loaded before. What threads load is left alone: they
 * start without main.ts.
 */
const oneStartChunk = {
  name: 'one-start-chunk',
  setup({ onLoad }) {
    const main = resolve('src/main.ts');
    const inThreads = findStaticImports(resolve('src/workers/batch-worker.ts'));
    const targets = findDynamicImports();
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, ({ path }) =>
      targets.has(path) && !inThreads.has(path)
        ? { contents: `${readFileSync(path, 'utf8')}\nimport ${JSON.stringify(main)};\n`, loader: 'ts' }
        : undefined,
    );
  },
};

/** The modules of src that others import dynamically, as absolute paths. */
function findDynamicImports() {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' });
  return new Set(
    files
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => listSpecifiers(resolve('src', file), /\bimport\(\s*'(\.[^']+)'\s*\)/g)),
  );
}

/** A module of src and everything of ours that it imports statically, as absolute paths. */
function findStaticImports(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  for (const one of listSpecifiers(path, /^(?:import|export) (?!type )[^;]*?'(\.[^']+)';/gm))
    findStaticImports(one, found);
  return found;
}

function listSpecifiers(path, pattern) {
  return [...readFileSync(path, 'utf8').matchAll(pattern)].map(([, to]) => resolve(dirname(path), to));
}

rmSync(outdir, { recursive: true, force: true });

const { outputFiles } = await build({
  // Threads have a program of their own.
  entryPoints: ['src/main.ts', 'src/workers/batch-worker.ts'],
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  chunkNames: 'chunks/[name]-[hash]',
  minifyWhitespace: true,
  minifySyntax: true,
  // oidc-provider looks its models up by the names of their classes.
  keepNames: true,
  legalComments: 'linked',
  logLevel: 'warning',
  define: { __filename: '"oauthctl"' },
  write: false,
  plugins: [withoutUnused, oneStartChunk],
});

// CommonJS inside the bundle asks for built-in modules by `require`, through one helper; only the chunk with that
// helper gets one, because each import of a built-in module costs start-up time.
const REQUIRE = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);\n";

for (const { path, text } of outputFiles) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, path.endsWith('.js') && text.includes('typeof require') ? REQUIRE + text : text);
}
