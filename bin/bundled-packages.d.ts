/** A package that the bundle contains code of. */
export interface BundledPackage {
  /** Where it is installed, relative to the repository. */
  readonly folder: string;
  /** Its package.json. */
  readonly manifest: object;
}

export function findBundledPackages(inputs: Iterable<string>): BundledPackage[];
export function renderLicenses(packages: readonly BundledPackage[]): string;
export function renderBillOfMaterials(
  packages: readonly BundledPackage[],
  program: object,
  lock: { readonly packages: object },
): string;
