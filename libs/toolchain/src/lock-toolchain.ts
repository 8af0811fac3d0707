/** Makes the lock: apt resolves the package list in a private tree; the machine's own apt configuration is only read. */
import { readFile } from 'node:fs/promises';
import { parseSha256 } from '@kiln/build-identity';
import { BuildError, nearestWord, type Diagnostic } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import { makeWorkDirectory, removeWorkDirectory } from '@kiln/sandbox';
import type { Store } from '@kiln/store';
import type { DebianPackages } from './debian-packages.ts';
import type { ManifestEntry } from './layer-manifest.ts';
import { layerPrograms } from './layer-programs.ts';
import { libraryCapabilities, namedLibraries } from './native-facts.ts';
import { privateApt } from './private-apt.ts';
import { toolchainLayer } from './toolchain-layer.ts';
import type { LockedPackage, ToolchainLock } from './toolchain-lock.ts';
import { checkToolsOnly } from './tools-only.ts';

/**
 * Resolves the list against the archive as it is now (suite, updates, security) and makes the layer once to learn its capabilities.
 * @throws BuildError `TOOLCHAIN_UNRESOLVED`, `TOOLCHAIN_NOT_TOOLS_ONLY`, and those of making the layer.
 */
export async function lockDebianToolchain(host: Host, store: Store, packages: DebianPackages): Promise<ToolchainLock> {
  const work = await makeWorkDirectory(host, store, 'apt');
  let closure: LockedPackage[];
  try {
    const apt = await privateApt(host, work, { suite: packages.suite });
    await apt(['apt-get', 'update', '--quiet']);
    const plan = await apt(['apt-get', 'install', '--simulate', '--quiet', ...packages.packages]);
    const names = [...plan.stdout.matchAll(/^Inst (\S+) \((\S+) /gm)].map(([, name, version]) => `${name}=${version}`);
    const shown = await apt(['apt-cache', 'show', ...names]);
    closure = parseStanzas(shown.stdout, new Set(names));
  } finally {
    await removeWorkDirectory(host, work);
  }
  const kept = closure
    .filter(({ name }) => !packages.exclude.includes(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  checkToolsOnly(
    kept.map(({ name }) => name),
    `the closure of the package list of ${packages.suite}`,
  );
  checkProvides(packages, kept);
  const { root, manifestFile } = await toolchainLayer(host, store, kept);
  const manifest = JSON.parse(await readFile(manifestFile, 'utf8')) as ManifestEntry[];
  // Only in a root with rpm are packages built, so that its libraries answer requirements.
  const hasRpm = kept.some(({ name }) => name === 'rpm');
  return {
    suite: packages.suite,
    packages: kept,
    libraryCapabilities: hasRpm ? await libraryCapabilities(host, root, namedLibraries(manifest)) : [],
    programs: layerPrograms(manifest),
  };
}

/** Compilers have their version in their name, which is another one in each suite. @throws BuildError `TOOLCHAIN_UNRESOLVED` */
function checkProvides({ suite, provides }: DebianPackages, kept: readonly LockedPackage[]): void {
  const names = kept.map(({ name }) => name);
  const diagnostics = Object.entries(provides).flatMap(([capability, name]): Diagnostic[] => {
    if (names.includes(name)) return [];
    const near = nearestWord(name, names);
    const message = `'${capability}' is said to come from '${name}'${near === undefined ? '' : `; did you mean '${near}'?`}`;
    return [{ severity: 'error', code: 'TOOLCHAIN_UNRESOLVED', message }];
  });
  if (diagnostics.length === 0) return;
  throw new BuildError(
    'TOOLCHAIN_UNRESOLVED',
    `the list names packages in "provides" that it doesn't bring from ${suite}`,
    {
      diagnostics,
      hint: 'name the packages that have them there',
    },
  );
}

/** Package stanzas (deb822) of exactly the wanted `name=version`. */
function parseStanzas(text: string, wanted: ReadonlySet<string>): LockedPackage[] {
  const found = new Map<string, LockedPackage>();
  for (const stanza of text.split(/\n\n+/)) {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? '';
    const [name, version, path] = [field('Package'), field('Version'), field('Filename')];
    if (!wanted.has(`${name}=${version}`)) continue;
    const archive = path.startsWith('pool/updates/') ? 'security' : 'main';
    const rest = {
      architecture: field('Architecture'),
      sha256: parseSha256(field('SHA256')),
      size: Number(field('Size')),
    };
    found.set(name, { name, version, ...rest, archive, path });
  }
  const lack = [...wanted].find((one) => !found.has(one.slice(0, one.indexOf('='))));
  if (lack !== undefined) throw new BuildError('TOOLCHAIN_UNRESOLVED', `apt has no record of '${lack}'`);
  return [...found.values()];
}
