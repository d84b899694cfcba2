import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBundledPackages, renderBillOfMaterials, renderLicenses } from '../bin/bundled-packages.js';
import { buildProgramInto } from './helpers/built-program.ts';

const run = promisify(execFile);

interface Component {
  readonly name: string;
  readonly version: string;
  readonly 'bom-ref': string;
}

/** The parts of a CycloneDX document that the tests read. */
interface BillOfMaterials {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

describe('what the archive says about the packages it contains', () => {
  let folder: string;
  let licenses: string;
  let json: string;
  let bom: BillOfMaterials;
  /** The packages of the bill of materials, as NAME VERSION. */
  let bundled: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oauthctl-archive-'));
    await buildProgramInto(join(folder, 'built'));
    const dist = join(folder, 'built', 'dist');
    licenses = await readFile(join(dist, 'THIRD-PARTY-LICENSES.txt'), 'utf8');
    json = await readFile(join(dist, 'sbom.cdx.json'), 'utf8');
    bom = JSON.parse(json);
    bundled = bom.components.map(({ name, version }) => `${name} ${version}`);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('the bill of materials is valid CycloneDX 1.6', async () => {
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
    expect(await validator.validate(json)).toBeNull();
    expect(await validator.validate(json.replace('"library"', '"libary"'))).not.toBeNull();
  });

  it('the bill of materials names every package, and each is reached from the program', () => {
    for (const name of ['commander', 'undici', 'jose', 'chalk', 'ora', 'enquirer', 'oidc-provider', 'koa'])
      expect(bom.components.map((one) => one.name)).toContain(name);
    const edges = new Map(bom.dependencies.map(({ ref, dependsOn = [] }) => [ref, dependsOn]));
    const reached = new Set<string>();
    const follow = (ref: string) => {
      if (reached.has(ref)) return;
      reached.add(ref);
      for (const next of edges.get(ref) ?? []) follow(next);
    };
    follow(bom.metadata.component['bom-ref']);
    expect(bom.components.map((one) => one['bom-ref']).filter((ref) => !reached.has(ref))).toEqual([]);
  });

  it('the licence text of every package is there', () => {
    const sections = licenses.split(`\n${'-'.repeat(80)}\n\n`).slice(1);
    expect(sections.map((text) => /^(.+) \(.+\)\n\n./.exec(text)?.[1]).sort()).toEqual([...bundled].sort());
    for (const text of sections) expect(text.length).toBeGreaterThan(400);
  });

  it('a package without a licence text, or without a licence, is an error', () => {
    const [chalk] = findBundledPackages(['node_modules/chalk/source/index.js', 'src/main.ts']);
    const { manifest } = chalk ?? expect.fail('chalk is not found');
    expect(renderLicenses([{ folder: 'node_modules/chalk', manifest }])).toContain('Sindre Sorhus');
    expect(() => renderLicenses([{ folder: 'src/help', manifest }])).toThrow(/no licence file.*chalk\.txt/);
    const { license: _, ...unlicensed } = manifest as Record<string, unknown>;
    expect(() => renderLicenses([{ folder: 'node_modules/chalk', manifest: unlicensed }])).toThrow(
      /names no licence/,
    );
    const program = { name: 'x', version: '1.0.0', devDependencies: {} };
    expect(() =>
      renderBillOfMaterials([{ folder: 'node_modules/chalk', manifest }], program, { packages: {} }),
    ).toThrow(/no SHA-512/);
  });

  it('the archive is installed and runs without install scripts and without other packages', async () => {
    const place = join(folder, 'installed');
    await mkdir(place);
    const npm = (args: readonly string[], cwd: string) =>
      run('npm', [...args], {
        cwd,
        env: { PATH: process.env.PATH, HOME: folder, npm_config_offline: 'true' },
      });
    const packed = await npm(['pack', '--ignore-scripts', '--json'], join(folder, 'built'));
    const [{ filename, files }] = JSON.parse(packed.stdout);
    expect(files.map(({ path }: { path: string }) => path)).toEqual(
      expect.arrayContaining(['dist/THIRD-PARTY-LICENSES.txt', 'dist/sbom.cdx.json']),
    );
    await npm(['install', '--ignore-scripts', join(folder, 'built', filename)], place);
    expect(await readdir(join(place, 'node_modules'))).toEqual(expect.arrayContaining(['.bin', 'oauthctl']));
    const program = join(place, 'node_modules', '.bin', 'oauthctl');
    const decoded = await run(program, ['jwt', 'decode', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.', '--json'], {
      env: { PATH: process.env.PATH, OAUTHCTL_HOME: join(folder, 'home') },
    });
    expect(JSON.parse(decoded.stdout)).toMatchObject({ claims: { sub: 'a' } });
    const { scripts } = JSON.parse(await readFile(join(folder, 'built', 'package.json'), 'utf8'));
    expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([]);
  });
});
