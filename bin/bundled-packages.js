// What dist says about the packages whose code it contains: their licence texts and a CycloneDX bill of materials.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Contrib, Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';

/** Licence texts of packages whose archive has none, as their repositories have them: `NAME.txt`. */
const LICENSES = new URL('licenses/', import.meta.url);

const LICENSE_FILE = /^(licen[cs]e|copying)(\.(md|txt))?$/i;
const NOTICE_FILE = /^notice(\.(md|txt))?$/i;

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/**
 * Finds the packages that a bundle contains code of.
 * @param {Iterable<string>} inputs paths of bundled files, relative to the repository
 * @returns {{folder: string, manifest: object}[]} in the order of their folders
 */
export function findBundledPackages(inputs) {
  const folders = new Set();
  for (const input of inputs) {
    // What stands before the first node_modules is there only where that is a symbolic link.
    const [, folder] = /^.*?(node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//.exec(input) ?? [];
    if (folder !== undefined) folders.add(folder);
  }
  return [...folders].sort().map((folder) => ({ folder, manifest: readJson(`${folder}/package.json`) }));
}

/**
 * Renders the licence text of each package.
 * @throws {Error} if a package names no licence, or no text of it is found
 */
export function renderLicenses(packages) {
  const sections = packages.map(({ folder, manifest: { name, version, license } }) => {
    const files = readdirSync(folder).sort();
    const own = files.filter((file) => LICENSE_FILE.test(file)).map((file) => `${folder}/${file}`);
    const added = new URL(`${name.replace('/', '+')}.txt`, LICENSES);
    const texts = own.length > 0 ? own : existsSync(added) ? [added] : [];
    if (typeof license !== 'string') throw new Error(`${folder} names no licence in its package.json`);
    if (texts.length === 0)
      throw new Error(`${folder} has no licence file: add the text as bin/licenses/${name}.txt`);
    const notices = files.filter((file) => NOTICE_FILE.test(file)).map((file) => `${folder}/${file}`);
    const text = [...texts, ...notices].map((file) => readFileSync(file, 'utf8').trim()).join('\n\n');
    return `${name} ${version} (${license})\n\n${text.replaceAll('\r\n', '\n')}\n`;
  });
  const rule = `\n${'-'.repeat(80)}\n\n`;
  return `oauthctl contains code of ${packages.length} packages. Their licences:\n${rule}${sections.join(rule)}`;
}

/**
 * Finds the installed package that an import of `name` from `folder` leads to.
 * @returns {string | undefined} its folder, if it is one of `folders`
 */
function resolveDependency(folder, name, folders) {
  for (let at = folder; ; at = at.slice(0, at.lastIndexOf('/node_modules/'))) {
    const candidate = `${at}/node_modules/${name}`;
    if (folders.has(candidate)) return candidate;
    if (!at.includes('/node_modules/')) break;
  }
  const top = `node_modules/${name}`;
  return folders.has(top) ? top : undefined;
}

/**
 * Renders a bill of materials. Equal input gives equal output: it has no serial number and no time.
 * @param {object} program package.json of this repository
 * @param {object} lock package-lock.json, for the hashes of the packages' archives
 * @returns {string} JSON
 * @see https://cyclonedx.org/docs/1.6/json/
 */
export function renderBillOfMaterials(packages, program, lock) {
  const components = new Contrib.FromNodePackageJson.Builders.ComponentBuilder(
    new Contrib.FromNodePackageJson.Factories.ExternalReferenceFactory(),
    new Contrib.License.Factories.LicenseFactory(),
  );
  const describe = (manifest, type) => {
    const component = components.makeComponent(manifest, type);
    const { name, version } = manifest;
    component.purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
    component.bomRef.value = component.purl;
    return component;
  };

  const bom = new Models.Bom();
  bom.metadata.component = describe(program, Enums.ComponentType.Application);
  const byFolder = new Map();
  for (const { folder, manifest } of packages) {
    const component = describe(manifest, Enums.ComponentType.Library);
    // A package may be bundled from two folders in the same version.
    component.bomRef.value = `${component.purl}#${folder}`;
    const integrity = /^sha512-(.+)$/.exec(lock.packages[folder]?.integrity ?? '')?.[1];
    if (integrity === undefined) throw new Error(`package-lock.json has no SHA-512 of ${folder}`);
    const hash = Buffer.from(integrity, 'base64').toString('hex');
    component.hashes.set(Enums.HashAlgorithm['SHA-512'], hash);
    byFolder.set(folder, component);
    bom.components.add(component);
  }
  const folders = new Set(byFolder.keys());
  const addDependencies = (component, folder, names) => {
    for (const name of names) {
      const found = resolveDependency(folder, name, folders);
      if (found !== undefined) component.dependencies.add(byFolder.get(found).bomRef);
    }
  };
  addDependencies(bom.metadata.component, '', Object.keys(program.devDependencies));
  for (const { folder, manifest } of packages) {
    addDependencies(byFolder.get(folder), folder, Object.keys(manifest.dependencies ?? {}));
  }

  const normalizers = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  return `${new Serialize.JsonSerializer(normalizers).serialize(bom, { sortLists: true, space: 1 })}\n`;
}
