/** The lower part of a build root in mode `debian-full`: Debian packages over the base layer, finished once for each set of them. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, giveToBuildUser, type Host } from '@kiln/host';
import { parseDependency } from '@kiln/rpm-package';
import { runSandboxed } from '@kiln/sandbox';
import type { Store } from '@kiln/store';
import type { DebianFullToolchain, RequirementSet } from './debian-full.ts';
import { packageLayers, type PackageLayer } from './debian-layers.ts';
import { finishUpperLayer } from './finish-layer.ts';
import { FULL_RECIPE, MULTIARCH } from './layer-recipe.ts';
import { chosenAlternatives, registeredAlternatives, type Alternative } from './registered-alternatives.ts';
import { FINISH_SCRIPT } from './requirement-root-script.ts';
import { TOOL_ENVIRONMENT } from './tool-environment.ts';
import { toolchainRpm } from './toolchain-rpm.ts';
import type { Toolchain } from './toolchain.ts';

interface SetFacts {
  /** Capabilities of the set's RPM, with versions. */
  readonly provides: readonly string[];
  readonly libraryCapabilities: readonly string[];
}

/**
 * The toolchain of one package: the base layer, the set's layers over it, and an RPM that provides what both answer.
 * @throws BuildError those of `packageLayers`, `TOOLCHAIN_UNUSABLE`.
 */
export async function prepareRequirementRoot(
  host: Host,
  store: Store,
  {
    base,
    planned,
    set,
  }: { readonly base: Toolchain; readonly planned: DebianFullToolchain; readonly set: RequirementSet },
): Promise<Toolchain> {
  const layers = await packageLayers(host, store, set.packages);
  const directory = await store.layer(`debian-set-${set.identity}`, (made) =>
    finishSet(host, { base, set, layers, directory: made }),
  );
  const facts = JSON.parse(await readFile(join(directory, 'facts.json'), 'utf8')) as SetFacts;
  const own = planned.package.provides.filter(({ name }) => !planned.requirements.answers.has(name));
  const capabilities = { ...planned.package, provides: [...own, ...facts.provides.map(parseDependency)] };
  const rpm = await toolchainRpm(host, store, {
    toolchain: { ...planned, identity: set.identity, package: capabilities },
    root: base.layer,
    checkLock: () => Promise.resolve(),
  });
  const roots = layers.map(({ root }) => root);
  return {
    ...base,
    identity: set.identity,
    trial: true,
    upperLayers: [join(directory, 'root'), ...roots],
    rpms: [{ fileName: basename(rpm), path: rpm }],
    package: capabilities,
    libraryCapabilities: [...base.libraryCapabilities, ...facts.libraryCapabilities],
    ownsHeader: (path) => [...roots, base.layer].some((root) => existsSync(join(root, path))),
  };
}

interface UnfinishedSet {
  readonly base: Toolchain;
  readonly set: RequirementSet;
  readonly layers: readonly PackageLayer[];
  readonly directory: string;
}

async function finishSet(host: Host, { base, set, layers, directory }: UnfinishedSet): Promise<void> {
  const root = join(directory, 'root');
  const facts = join(directory, 'facts');
  for (const path of [root, facts]) await mkdir(path, { mode: 0o755 });
  const roots = layers.map((layer) => layer.root);
  const user = await buildUser(host);
  for (const path of [root, facts]) await giveToBuildUser(user, path);
  const files = set.answers.map(([, { rule, evidence }]) => `${rule} /${evidence}\n`);
  const result = await runSandboxed(host, {
    layers: [...roots, base.layer],
    mounts: [
      { source: root, target: '/kiln/root', writable: true },
      { source: facts, target: '/kiln/facts', writable: true },
    ],
    identity: 'builder',
    argv: ['bash', '-c', FINISH_SCRIPT],
    environment: TOOL_ENVIRONMENT,
    input: [...files, ...(await librariesOf(base, set, layers))].join(''),
  });
  if (result.status !== 0) {
    throw new BuildError(
      'TOOLCHAIN_UNUSABLE',
      `Debian packages can't be set up: ${result.stderr.trim().slice(-2000)}`,
      {
        command: result.command,
      },
    );
  }
  await linkAlternatives(root, layers, [...roots, base.layer]);
  await linkPkgConfigFiles(root, [...roots, base.layer]);
  await writeCatalogs(root, [...roots, base.layer]);
  await writePythonSite(root, base.layer);
  finishUpperLayer(root, new Map(), { user, recipe: FULL_RECIPE });
  const lines = async (name: string) =>
    (await readFile(join(facts, name), 'utf8')).split('\n').filter((line) => line !== '');
  const found: SetFacts = {
    provides: capabilitiesOf(set, await lines('provides')),
    libraryCapabilities: [...new Set(await lines('libraries'))].sort(),
  };
  await writeFile(join(directory, 'facts.json'), JSON.stringify(found));
  await rm(facts, { recursive: true });
}

/** Each answered capability with the version that rpm's generator found in its file, or that of the Debian package. */
function capabilitiesOf(set: RequirementSet, generated: readonly string[]): string[] {
  const byName = new Map(generated.map((line) => [line.split(' ')[0]!.trim(), line.trim()]));
  return set.answers.flatMap(([name, { version }]) => {
    if (version === undefined) return [byName.get(name) ?? name];
    return name.includes('(') || name.startsWith('/')
      ? [`${name} = ${version}`]
      : [`${name} = ${version}`, `${name}(x86-64) = ${version}`];
  });
}

/** Lines `library <path>` of the set's shared libraries, the base layer's with them. */
async function librariesOf(base: Toolchain, set: RequirementSet, layers: readonly PackageLayer[]): Promise<string[]> {
  const found = new Set<string>();
  for (const { root } of layers) {
    for (const directory of LIBRARY_DIRECTORIES)
      for (const name of await readdir(join(root, directory)).catch(() => []))
        if (LIBRARY.test(name)) found.add(`${directory}/${name}`);
  }
  for (const { path, owner } of await base.readManifest())
    if (owner !== undefined && set.members.has(owner) && LIBRARY_PATH.test(path)) found.add(path);
  return [...found].sort().map((path) => `shared /${path}\n`);
}

const LIBRARY_DIRECTORIES = [MULTIARCH, 'usr/lib'];
const LIBRARY = /^[^/]+\.so(\.[\d.]+)?$/;
const LIBRARY_PATH = /^usr\/lib\/(x86_64-linux-gnu\/)?[^/]+\.so(\.[\d.]+)?$/;

async function linkAlternatives(
  root: string,
  layers: readonly PackageLayer[],
  below: readonly string[],
): Promise<void> {
  const scripts = await Promise.all(layers.map(({ postinstFile }) => readFile(postinstFile, 'utf8')));
  const java = await javaPrograms(layers.map((layer) => layer.root));
  for (const { link, target } of chosenAlternatives([...scripts.flatMap(registeredAlternatives), ...java])) {
    const has = (path: string) => below.some((one) => existsSync(join(one, path)));
    if (has(link) || !has(target)) continue;
    const path = join(root, link.replace(/^\/(bin|sbin|lib)\//, '/usr/$1/'));
    await mkdir(dirname(path), { recursive: true });
    await symlink(target, path);
  }
}

/** Those of Java are registered in loops, which can't be read. */
async function javaPrograms(roots: readonly string[]): Promise<Alternative[]> {
  const found: Alternative[] = [];
  for (const root of roots) {
    for (const home of await readdir(join(root, 'usr/lib/jvm')).catch(() => [])) {
      for (const name of await readdir(join(root, 'usr/lib/jvm', home, 'bin')).catch(() => []))
        found.push({ link: `/usr/bin/${name}`, target: `/usr/lib/jvm/${home}/bin/${name}`, priority: 0 });
    }
  }
  return found;
}

/** Macros may let pkg-config look only where the distribution has its own files. */
async function linkPkgConfigFiles(root: string, below: readonly string[]): Promise<void> {
  const [own, multiarch] = ['usr/lib/pkgconfig', `${MULTIARCH}/pkgconfig`];
  const namesIn = async (directory: string): Promise<Set<string>> => {
    const lists = await Promise.all(below.map((one) => readdir(join(one, directory)).catch(() => [])));
    return new Set(lists.flat());
  };
  const there = await namesIn(own);
  const names = [...(await namesIn(multiarch))].filter((name) => !there.has(name)).sort();
  if (names.length > 0) await mkdir(join(root, own), { recursive: true });
  for (const name of names) await symlink(`../${basename(MULTIARCH)}/pkgconfig/${name}`, join(root, own, name));
}

/** What Python reads when it starts: `site.getsitepackages()` names the directory of packages first, as it does elsewhere. */
const PYTHON_SITE = `import site
_all = site.getsitepackages
site.getsitepackages = lambda prefixes=None: [one for one in _all(prefixes) if not one.startswith('/usr/local/')]
`;

/** `setup.py install` without a prefix installs below /usr too. */
const PYTHON_INSTALL = '[install]\nprefix=/usr\n';

async function writePythonSite(root: string, base: string): Promise<void> {
  for (const name of await readdir(join(base, 'etc')).catch(() => [])) {
    if (!/^python3\.\d+$/.test(name)) continue;
    await mkdir(join(root, 'etc', name), { recursive: true });
    await writeFile(join(root, 'etc', name, 'sitecustomize.py'), PYTHON_SITE);
    for (const place of [`usr/lib/${name}/distutils`, 'usr/lib/python3/dist-packages/setuptools/_distutils']) {
      await mkdir(join(root, place), { recursive: true });
      await writeFile(join(root, place, 'distutils.cfg'), PYTHON_INSTALL);
    }
  }
}

/** Catalogs of all catalogs, as update-xmlcatalog and update-catalog make them. */
async function writeCatalogs(root: string, below: readonly string[]): Promise<void> {
  const xml = new Set<string>();
  const sgml = new Set<string>();
  for (const one of below) {
    for (const tree of ['usr/share/xml', 'usr/share/sgml']) {
      for (const name of await readdir(join(one, tree), { recursive: true }).catch(() => [])) {
        if (/(^|\/)catalog\.xml$/.test(name)) xml.add(`/${tree}/${name}`);
        if (/(^|\/)catalog$|\.cat$/.test(name)) sgml.add(`/${tree}/${name}`);
      }
    }
  }
  if (xml.size + sgml.size === 0) return;
  for (const directory of ['etc/xml', 'etc/sgml']) await mkdir(join(root, directory), { recursive: true });
  const next = [...xml].sort().map((path) => `  <nextCatalog catalog="file://${path}"/>\n`);
  const head = '<?xml version="1.0"?>\n<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">\n';
  await writeFile(join(root, 'etc/xml/catalog'), `${head}${next.join('')}</catalog>\n`);
  const names = [...sgml].sort().map((path) => `CATALOG ${path}\n`);
  await writeFile(join(root, 'etc/sgml/catalog'), names.join(''));
}
