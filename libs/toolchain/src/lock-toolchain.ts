/** Makes the lock: apt resolves the package list in a private tree; the machine's own apt configuration is only read. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseSha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, type Host, type RunResult } from '@kiln/host';
import { makeWorkDirectory, removeWorkDirectory } from '@kiln/sandbox';
import { archiveBases } from '@kiln/sources';
import type { Store } from '@kiln/store';
import type { DebianPackages } from './debian-packages.ts';
import type { ManifestEntry } from './layer-manifest.ts';
import { layerPrograms } from './layer-programs.ts';
import { libraryCapabilities } from './native-facts.ts';
import { toolchainLayer } from './toolchain-layer.ts';
import type { LockedPackage, ToolchainLock } from './toolchain-lock.ts';
import { checkToolsOnly } from './tools-only.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Resolves the list against the archive as it is now (suite, updates, security) and makes the layer once to learn its capabilities.
 * @throws BuildError `TOOLCHAIN_UNRESOLVED`, `TOOLCHAIN_NOT_TOOLS_ONLY`, and those of making the layer.
 */
export async function lockDebianToolchain(host: Host, store: Store, packages: DebianPackages): Promise<ToolchainLock> {
  const work = await makeWorkDirectory(host, store, 'apt');
  let closure: LockedPackage[];
  try {
    const apt = await privateApt(host, work, packages.suite);
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
  const { root, manifestFile } = await toolchainLayer(host, store, kept);
  const manifest = JSON.parse(await readFile(manifestFile, 'utf8')) as ManifestEntry[];
  return {
    suite: packages.suite,
    packages: kept,
    libraryCapabilities: await libraryCapabilities(host, root, manifest),
    programs: layerPrograms(manifest),
  };
}

type RunApt = (argv: readonly [string, ...string[]]) => Promise<RunResult>;

/** An apt of its own: no package installed, own lists, nothing of /etc/apt but the addresses. */
async function privateApt(host: Host, work: string, suite: string): Promise<RunApt> {
  const user = await buildUser(host);
  const bases = await archiveBases(host);
  if (bases.main === undefined) {
    throw new BuildError('TOOLCHAIN_UNRESOLVED', 'apt on this machine has no Debian archive', {
      hint: 'run `kiln doctor`',
    });
  }
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
  const lines = [`deb ${signed}${bases.main} ${suite} main`, `deb ${signed}${bases.main} ${suite}-updates main`];
  if (bases.security !== undefined) lines.push(`deb ${signed}${bases.security} ${suite}-security main`);
  const settings = {
    'Dir::State': `${work}/state`,
    'Dir::State::Lists': `${work}/lists`,
    'Dir::State::status': `${work}/status`,
    'Dir::Cache': `${work}/cache`,
    'Dir::Etc::SourceList': `${work}/sources.list`,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'APT::Architecture': 'amd64',
    'APT::Architectures': 'amd64',
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': '',
  };
  const config = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  await writeFile(join(work, 'sources.list'), `${lines.join('\n')}\n`);
  await writeFile(join(work, 'status'), '');
  await writeFile(join(work, 'apt.conf'), config.join(''));
  const run: RunApt = async (argv) => {
    const result = await host.run({
      argv: [...user.prefix, ...argv] as unknown as [string, ...string[]],
      cwd: '/',
      environment: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', APT_CONFIG: join(work, 'apt.conf') },
    });
    if (result.status === 0) return result;
    const said = result.stderr.split('\n').filter((line) => line.startsWith('E:'));
    throw new BuildError(
      'TOOLCHAIN_UNRESOLVED',
      `${argv.slice(0, 2).join(' ')} failed: ${said.join('; ') || result.stderr.trim()}`,
    );
  };
  for (const directory of ['state', 'lists/partial', 'cache/archives/partial'])
    await mkdirAs(host, user.prefix, join(work, directory));
  return run;
}

async function mkdirAs(host: Host, prefix: readonly string[], directory: string): Promise<void> {
  if (prefix.length === 0) await mkdir(directory, { recursive: true });
  else await host.run({ argv: [...prefix, 'mkdir', '-p', directory] as unknown as [string, ...string[]], cwd: '/' });
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
