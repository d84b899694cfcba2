// Bundles the program into dist/: `npm run build [-- OUTDIR]`. One chunk for each command, loaded when it runs.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
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
  plugins: [withoutUnused],
});

// CommonJS inside the bundle asks for built-in modules by `require`, through one helper; only the chunk with that
// helper gets one, because each import of a built-in module costs start-up time.
const REQUIRE = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);\n";

for (const { path, text } of outputFiles) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, path.endsWith('.js') && text.includes('typeof require') ? REQUIRE + text : text);
}
