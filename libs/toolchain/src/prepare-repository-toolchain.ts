/** Provider `repository`: the RPMs of a manifest, installed by their own rpm, as the lowest layer of build roots. */
import {
  appendFileSync,
  chmodSync,
  constants,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, giveToBuildUser, type Host } from '@kiln/host';
import { makeWorkDirectory, removeWorkDirectory, runSandboxed, type SandboxMount } from '@kiln/sandbox';
import { walkTree, type Store } from '@kiln/store';
import { checkManifestSignature } from './check-manifest-signature.ts';
import { fetchManifestRpms } from './fetch-rpms.ts';
import { readManifest } from './layer-manifest.ts';
import { LAYER_TIME } from './layer-recipe.ts';
import type { RepositoryToolchain } from './repository-toolchain.ts';
import {
  BUILDER_LINES,
  INSTALL_SCRIPT,
  LAYER_DIRECTORIES,
  MISSING_FILES,
  NEEDED_PROGRAMS,
  ROOT_PLACE,
  RPMS_PLACE,
  UNPACK_SCRIPT,
} from './rpm-layer-recipe.ts';
import { TOOL_ENVIRONMENT } from './tool-environment.ts';
import type { ManifestPackage } from './toolchain-manifest.ts';
import type { Toolchain } from './toolchain.ts';

/** What is known when the layer is made. */
interface LayerFacts {
  readonly rpmVendor: string;
}

const SUBJECT = { type: 'progress', action: 'toolchain', subject: 'toolchain' } as const;

/**
 * Makes the toolchain ready: downloads and checks RPMs that aren't in the store, installs them into a layer once.
 * @throws BuildError `SIGNATURE_*` for the manifest, those of `fetchManifestRpms`, `TOOLCHAIN_INSTALL_FAILED`, `TOOLCHAIN_UNUSABLE`, and those of the sandbox.
 */
export async function prepareRepositoryToolchain(
  host: Host,
  store: Store,
  toolchain: RepositoryToolchain,
): Promise<Toolchain> {
  const { identity, manifest, root: workspace, signature } = toolchain;
  if (signature !== undefined) await checkManifestSignature(host, workspace, signature);
  await fetchManifestRpms({ host, store, root: workspace }, manifest);
  const key = repositoryLayerKey(toolchain);
  const directory = await store.layer(key, (made) => makeLayer(host, store, { toolchain, directory: made }), {
    checked: true,
  });
  const layer = join(directory, 'root');
  const { rpmVendor } = JSON.parse(await readFile(join(directory, 'facts.json'), 'utf8')) as LayerFacts;
  const capabilities = new Set(toolchain.package.provides.map(({ name }) => name));
  return {
    ...{ identity, layer, rpmVendor },
    rpms: manifest.packages.map((one) => ({ fileName: fileNameOf(one), path: store.blobPath(one.sha256) })),
    package: toolchain.package,
    libraryCapabilities: [...capabilities],
    ownsHeader: (path) => /^\/usr\/(include|lib\/gcc)\//.test(path) && existsSync(join(layer, path)),
    readManifest: () => Promise.resolve(readManifest(layer, new Map())),
  };
}

export function repositoryLayerKey({ identity }: RepositoryToolchain): string {
  return `toolchain-rpms-${identity}`;
}

function fileNameOf({ nevra }: Pick<ManifestPackage, 'nevra'>): string {
  return `${nevra.replace(/-\d+:/, '-')}.rpm`;
}

interface UnfinishedLayer {
  readonly toolchain: RepositoryToolchain;
  readonly directory: string;
}

async function makeLayer(host: Host, store: Store, { toolchain, directory }: UnfinishedLayer): Promise<void> {
  const { packages } = toolchain.manifest;
  const user = await buildUser(host);
  const work = await makeWorkDirectory(host, store, 'toolchain');
  try {
    const [unpacked, root, rpms] = ['unpacked', 'root', 'rpms'].map((name) => join(work, name)) as [
      string,
      string,
      string,
    ];
    for (const path of [unpacked, root, rpms]) await mkdir(path, { mode: 0o755 });
    for (const path of [unpacked, root]) await giveToBuildUser(user, path);
    for (const one of packages) {
      await copyFile(store.blobPath(one.sha256), join(rpms, fileNameOf(one)), constants.COPYFILE_FICLONE);
    }
    const total = packages.length;
    host.emit({ ...SUBJECT, message: 'unpacking packages', total, unit: 'packages' });
    const onMachine = await machineRoot(work);
    await runStep(host, {
      layers: [onMachine.layer],
      mounts: [...onMachine.mounts, ...placed(rpms, unpacked)],
      identity: 'builder',
      script: UNPACK_SCRIPT,
    });
    refuseUnusable(unpacked);
    host.emit({ ...SUBJECT, message: 'installing packages', total, unit: 'packages' });
    const begin = host.now();
    await runStep(host, {
      layers: [unpacked],
      mounts: placed(rpms, root),
      deviceDirectories: [`${ROOT_PLACE}/dev`],
      identity: 'root',
      script: INSTALL_SCRIPT,
    });
    finishLayer(root, begin);
    const facts: LayerFacts = { rpmVendor: await rpmVendor(host, root) };
    await rename(root, join(directory, 'root'));
    await writeFile(join(directory, 'facts.json'), JSON.stringify(facts));
    chmodSync(directory, 0o755);
  } finally {
    await removeWorkDirectory(host, work);
  }
}

function placed(rpms: string, root: string): SandboxMount[] {
  return [
    { source: rpms, target: RPMS_PLACE, writable: false },
    { source: root, target: ROOT_PLACE, writable: true },
  ];
}

/** A root that has the machine's programs and libraries, read-only, and nothing else of it. */
async function machineRoot(
  work: string,
): Promise<{ readonly layer: string; readonly mounts: readonly SandboxMount[] }> {
  const layer = join(work, 'machine');
  await mkdir(join(layer, 'usr'), { recursive: true, mode: 0o755 });
  const mounts: SandboxMount[] = [{ source: '/usr', target: '/usr', writable: false }];
  for (const name of ['bin', 'sbin', 'lib', 'lib32', 'lib64']) {
    const found = lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (found?.isSymbolicLink() === true) symlinkSync(`usr/${name}`, join(layer, name));
    else if (found !== undefined) mounts.push({ source: `/${name}`, target: `/${name}`, writable: false });
  }
  // Where programs may be links to one of several, and where libraries are found.
  for (const path of ['/etc/alternatives', '/etc/ld.so.cache'])
    if (existsSync(path)) mounts.push({ source: path, target: path, writable: false });
  return { layer, mounts };
}

interface Step {
  readonly layers: readonly string[];
  readonly mounts: readonly SandboxMount[];
  readonly deviceDirectories?: readonly string[];
  readonly identity: 'builder' | 'root';
  readonly script: string;
}

/** @throws BuildError `TOOLCHAIN_INSTALL_FAILED` with the words of rpm, scriptlets that failed among them. */
async function runStep(host: Host, { script, ...request }: Step): Promise<void> {
  const { status, stderr, command } = await runSandboxed(host, {
    ...request,
    argv: ['bash', '-c', script],
    environment: TOOL_ENVIRONMENT,
  });
  if (/No space left on device/.test(stderr)) throw Object.assign(new Error(stderr), { code: 'ENOSPC' });
  const missing = /^the machine has no (\S+)$/m.exec(stderr)?.[1];
  if (missing !== undefined) {
    throw new BuildError('PROGRAM_NOT_FOUND', `the program '${missing}' is not installed or not in PATH`, {
      hint: 'run `kiln doctor --fix`',
    });
  }
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const bad = lines.filter((line) => SCRIPTLET_FAILED.test(line));
  if (status === 0 && bad.length === 0) return;
  const reasons = bad.length > 0 ? bad : lines.slice(-10);
  throw new BuildError(
    'TOOLCHAIN_INSTALL_FAILED',
    `the toolchain can't be installed: ${reasons[0] ?? `status ${status}`}`,
    {
      diagnostics: reasons.map((message) => ({ severity: 'error', code: 'TOOLCHAIN_INSTALL_FAILED', message })),
      hint: 'a package lacks something, or has a scriptlet that fails in an empty root: correct "roots" of the manifest',
      command,
    },
  );
}

/** rpm only warns of it. */
const SCRIPTLET_FAILED = /scriptlet failed/;

/** What builds expect beside the packages, and properties that are the same everywhere. @param begin when the installation began, milliseconds */
function finishLayer(root: string, begin: number): void {
  for (const directory of LAYER_DIRECTORIES)
    if (placeOf(root, directory) === 'nothing') mkdirSync(join(root, directory), { recursive: true });
  for (const [path, line] of Object.entries(BUILDER_LINES)) addBuilder(root, path, line);
  for (const [path, text] of Object.entries(MISSING_FILES))
    if (placeOf(root, path) === 'nothing') writeFileSync(join(root, path), text);
  for (const { path, stats, type } of walkTree(root)) {
    const full = join(root, path);
    if (type === 'link') {
      lutimesSync(full, LAYER_TIME, LAYER_TIME);
      continue;
    }
    chmodSync(full, type === 'directory' || (stats.mode & 0o111) !== 0 ? 0o755 : 0o644);
    const time = type === 'file' && stats.mtimeMs < begin ? Math.floor(stats.mtimeMs / 1000) : LAYER_TIME;
    utimesSync(full, time, time);
  }
  utimesSync(root, LAYER_TIME, LAYER_TIME);
}

/** Adds the line of the user who builds, unless name or number are taken. */
function addBuilder(root: string, path: string, line: string): void {
  const place = placeOf(root, path);
  if (place === 'other') return;
  const text = place === 'file' ? readFileSync(join(root, path), 'utf8') : '';
  const [name, , id] = line.split(':');
  const taken = text.split('\n').map((one) => one.split(':'));
  if (taken.some((fields) => fields[0] === name || fields[2] === id)) return;
  appendFileSync(join(root, path), `${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`);
}

/** What is at a path of the layer. Links count as something else, also on the way: an absolute one leads to files of the machine. */
function placeOf(root: string, path: string): 'nothing' | 'file' | 'other' {
  const steps = path.split('/');
  for (let count = 1; count <= steps.length; count += 1) {
    const found = lstatSync(join(root, ...steps.slice(0, count)), { throwIfNoEntry: false });
    if (found === undefined) return 'nothing';
    if (count === steps.length) return found.isFile() ? 'file' : 'other';
    if (!found.isDirectory()) return 'other';
  }
  return 'other';
}

/** @throws BuildError `TOOLCHAIN_UNUSABLE` */
function refuseUnusable(root: string): void {
  const has = (name: string) =>
    ['usr/bin', 'usr/sbin', 'bin'].some(
      (place) => lstatSync(join(root, place, name), { throwIfNoEntry: false }) !== undefined,
    );
  const lacking = NEEDED_PROGRAMS.filter((names) => !names.some(has)).map((names) => names.join(' or '));
  if (lacking.length === 0) return;
  throw new BuildError('TOOLCHAIN_UNUSABLE', `the packages of the toolchain have no ${lacking.join(', no ')}`, {
    hint: 'add packages that have them to "roots" of the manifest',
  });
}

/** The directory of the vendor's macros that this rpm was built with (`rpm --showrc`). @throws BuildError `TOOLCHAIN_UNUSABLE` */
async function rpmVendor(host: Host, root: string): Promise<string> {
  const { stdout, stderr, command } = await runSandboxed(host, {
    layers: [root],
    identity: 'builder',
    argv: ['rpm', '--showrc'],
    environment: TOOL_ENVIRONMENT,
  });
  const paths = /^Macro path: (.*)$/m.exec(stdout)?.[1]?.split(':') ?? [];
  const vendor = paths
    .map((path) => /^\/usr\/lib\/rpm\/([\w.-]+)\/macros$/.exec(path)?.[1])
    .find((one) => one !== undefined);
  if (vendor !== undefined) return vendor;
  throw new BuildError(
    'TOOLCHAIN_UNUSABLE',
    `the toolchain's rpm reads no macros of a vendor: ${stderr.trim() || paths.join(':')}`,
    {
      hint: 'take an rpm that was configured with --with-vendor',
      command,
    },
  );
}
