/** The toolchain layer in the store: made once from the lock, sealed, looked at before every use. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, writeFileAtomic, type Host } from '@kiln/host';
import { checkStoreReachable } from '@kiln/sandbox';
import { downloadFromArchive } from '@kiln/sources';
import { isSealed, sealTree, type Store, type TreeSeal } from '@kiln/store';
import { finishLayer } from './finish-layer.ts';
import { describeChanges, readManifest, type ManifestEntry } from './layer-manifest.ts';
import { toolchainLayerIdentity } from './debian-toolchain.ts';
import { TOOLS_RECIPE, type LayerRecipe } from './layer-recipe.ts';
import type { LockedPackage } from './toolchain-lock.ts';
import { unpackPackages } from './unpack-packages.ts';

/** Paths of a layer in the store. */
export interface ToolchainLayer {
  /** The tree itself: the lowest layer of build roots. */
  readonly root: string;
  /** JSON list of `ManifestEntry`. */
  readonly manifestFile: string;
}

const SUBJECT = { type: 'progress', action: 'toolchain', subject: 'toolchain' } as const;

/**
 * The layer of these packages, whole and unchanged: made when it isn't there, made again when it was changed.
 * @throws BuildError `TOOLCHAIN_LOCK_STALE`, `TOOLCHAIN_PACKAGE_MISSING`, `TOOLCHAIN_PACKAGE_UNREADABLE`, `TOOLCHAIN_LOCK_MALFORMED`,
 * `STORE_UNREACHABLE`.
 */
export async function toolchainLayer(
  host: Host,
  store: Store,
  packages: readonly LockedPackage[],
  recipe: LayerRecipe = TOOLS_RECIPE,
): Promise<ToolchainLayer> {
  await checkStoreReachable(host, store);
  const key = `toolchain-${toolchainLayerIdentity({ packages }, recipe)}`;
  const make = () => store.layer(key, (directory) => makeLayer(host, store, { packages, recipe, directory }));
  const layer = pathsOf(await make());
  if (await verifyToolchainLayer(layer)) return layer;
  const changes = await describeDamage(layer);
  if (changes.length === 0) {
    // It was only touched or copied.
    await writeFileAtomic(sealFile(layer.root), JSON.stringify(sealTree(layer.root)));
    return layer;
  }
  host.emit({
    type: 'notice',
    severity: 'warning',
    code: 'TOOLCHAIN_LAYER_CHANGED',
    message: `the toolchain in ${layer.root} was changed since it was made, so it is made again: ${changes.join(', ')}`,
  });
  await removeLayer(store, key);
  return pathsOf(await make());
}

/** Whether the layer is as it was made. Looks at every inode, not at contents: a tenth of a second. */
export async function verifyToolchainLayer({ root }: ToolchainLayer): Promise<boolean> {
  const seal = await readFile(sealFile(root), 'utf8').catch(() => undefined);
  return seal !== undefined && isSealed(root, JSON.parse(seal) as TreeSeal);
}

async function makeLayer(
  host: Host,
  store: Store,
  {
    packages,
    recipe,
    directory,
  }: { readonly packages: readonly LockedPackage[]; readonly recipe: LayerRecipe; readonly directory: string },
): Promise<void> {
  await downloadPackages(host, store, packages);
  const { root, manifestFile } = pathsOf(directory);
  await mkdir(root);
  await chmod(root, 0o755);
  await chmod(directory, 0o755);
  const total = packages.length;
  const owners = await unpackPackages(host, store, {
    packages,
    recipe,
    directory: root,
    onProgress: (done) => host.emit({ ...SUBJECT, message: 'unpacking build tools', done, total, unit: 'packages' }),
  });
  finishLayer(root, owners, { user: await buildUser(host), recipe });
  await writeFile(manifestFile, JSON.stringify(readManifest(root, owners)));
  await writeFile(sealFile(root), JSON.stringify(sealTree(root)));
}

/** @throws BuildError `TOOLCHAIN_LOCK_STALE` when the archive has some no more, `TOOLCHAIN_PACKAGE_MISSING` when it can't be asked. */
export async function downloadPackages(host: Host, store: Store, packages: readonly LockedPackage[]): Promise<void> {
  const total = packages.length;
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  const all = megabytes(packages.reduce((sum, { size }) => sum + size, 0));
  const failures = await downloadFromArchive(host, store, packages, ({ files, bytes }) => {
    const message = `downloading build tools, ${megabytes(bytes)} of ${all} MB`;
    host.emit({ ...SUBJECT, message, done: files, total, unit: 'files' });
  });
  // A security update moves to the main archive with the next point release.
  const moved = packages.filter(({ sha256, archive }) => failures.has(sha256) && archive === 'security');
  const elsewhere = moved.map((one) => ({
    ...one,
    archive: 'main' as const,
    path: one.path.replace(/^pool\/updates\//, 'pool/'),
  }));
  const still = new Map([...failures, ...(await downloadFromArchive(host, store, elsewhere))]);
  const missing: LockedPackage[] = [];
  for (const one of packages) if (!(await store.hasBlob(one))) missing.push(one);
  if (missing.length === 0) return;
  const reasonOf = ({ sha256 }: LockedPackage) => still.get(sha256) ?? 'not downloaded';
  const gone = missing.filter((one) => GONE.test(reasonOf(one)));
  const shown = gone.length > 0 ? gone : missing;
  const code = gone.length > 0 ? 'TOOLCHAIN_LOCK_STALE' : 'TOOLCHAIN_PACKAGE_MISSING';
  const message =
    gone.length > 0
      ? `the lock is stale: Debian's archive no longer has ${gone.length} of its ${total} packages`
      : `${missing.length} of ${total} Debian packages of the toolchain can't be downloaded`;
  throw new BuildError(code, message, {
    diagnostics: shown.slice(0, SHOWN_PACKAGES).map((one) => ({
      severity: 'error',
      code,
      message: `${one.name} ${one.version}: ${reasonOf(one)}`,
    })),
    hint:
      gone.length > 0
        ? 'make the lock again with `kiln lock-toolchain`, or let apt know an archive that keeps old packages'
        : 'check the network and `apt-get update`, then run the same command again',
  });
}

/** How apt's reason begins when the archive answers that it doesn't have the file: by HTTP, or from a directory. */
const GONE = /: (404 |File not found)/;
const SHOWN_PACKAGES = 10;

/** Nothing when all contents are as they were. */
async function describeDamage({ root, manifestFile }: ToolchainLayer): Promise<string[]> {
  const text = await readFile(manifestFile, 'utf8').catch(() => undefined);
  if (text === undefined || !existsSync(root)) return ['its manifest is gone'];
  return describeChanges(root, JSON.parse(text) as ManifestEntry[], 5);
}

/** Out of sight at once, so that nobody takes it, then removed. */
async function removeLayer(store: Store, key: string): Promise<void> {
  await store.withLock(`layer-${key}`, `layer ${key}`, async () => {
    const grave = await store.temporaryPath('removed');
    await rename(join(store.directory, 'layers', key), grave).catch(() => undefined);
    await rm(grave, { recursive: true, force: true });
  });
}

function pathsOf(directory: string): ToolchainLayer {
  return { root: join(directory, 'root'), manifestFile: join(directory, 'manifest.json') };
}

function sealFile(root: string): string {
  return join(root, '..', 'seal.json');
}
