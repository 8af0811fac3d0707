/** The import table: which library may import which. `docs/architecture.md` explains it; lint enforces it. */

const described = ['diagnostics', 'rpm-package'];
const effects = ['diagnostics', 'rpm-package', 'build-identity', 'host'];
const stored = [...effects, 'store'];
const stages = [...stored, 'image-config', 'package-graph', 'sources', 'rpm-repository', 'sandbox'];
const operations = [...stages, 'rpm-macro', 'rpm-spec', 'toolchain', 'package-build', 'image-build'];

/** Library (the name of its directory) → the libraries that its sources may import. */
export const layers = {
  diagnostics: [],
  'rpm-package': ['diagnostics'],
  'rpm-macro': described,
  'rpm-spec': [...described, 'rpm-macro'],
  'image-config': described,
  'package-graph': described,
  'build-identity': described,
  host: ['diagnostics'],
  store: effects,
  sources: stored,
  'rpm-repository': stored,
  sandbox: stored,
  toolchain: stages,
  'package-build': [...stages, 'toolchain'],
  'image-build': [...stages, 'toolchain'],
  distribution: operations,
  cli: [...operations, 'distribution'],
  'nx-plugin': [...operations, 'distribution', 'cli'],
};

/** Libraries without files, processes, network, clock or environment: same input, same output. */
export const pureLibraries = [
  'diagnostics',
  'rpm-package',
  'rpm-macro',
  'rpm-spec',
  'image-config',
  'package-graph',
  'build-identity',
];

/** Entries below a library's root that others may import. */
export const subpathEntries = ['@kiln/rpm-macro/lua'];

/** The package name of a library. */
export function packageName(library) {
  return library === 'nx-plugin' ? '@kiln/nx' : `@kiln/${library}`;
}
