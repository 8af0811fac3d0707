/** A build root: a layer for each RPM over the toolchain, and the RPM database that proves that they belong together. */
import { readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, giveToBuildUser, inParallel, type Host } from '@kiln/host';
import { runSandboxed, type SandboxMount } from '@kiln/sandbox';
import type { Blob, Store } from '@kiln/store';
import { TOOL_ENVIRONMENT } from './tool-environment.ts';
import type { Toolchain } from './toolchain.ts';

/** An RPM in the store. */
export interface RpmMember {
  readonly fileName: string;
  readonly blob: Blob;
}

export interface RpmRoot {
  /** Topmost first: the RPMs in the order they were given, then the toolchain. */
  readonly layers: readonly string[];
  /** Directory of the database; builds get a writable copy. */
  readonly rpmdb: string;
}

const RPM_LAYER_RECIPE_VERSION = 1;
const RPMDB_RECIPE_VERSION = 1;
const PARALLEL = 4;

/**
 * Payloads may name `/bin/x` and `/lib64/x`: links make these the merged directories, then go again. Not every toolchain has cpio; both ways
 * give the same tree.
 */
const EXTRACT_SCRIPT = `
set -euo pipefail
cd /kiln/layer
mkdir -p usr/bin usr/sbin usr/lib
for name in bin sbin lib; do ln -s usr/$name $name; done
ln -s usr/lib lib64
ln -s lib usr/lib64
if command -v cpio > /dev/null; then
  rpm2cpio /kiln/package.rpm | cpio --extract --make-directories --preserve-modification-time --no-absolute-filenames --quiet --no-preserve-owner
else
  rpm2archive --nocompression - < /kiln/package.rpm | tar --extract --keep-directory-symlink --no-same-owner --preserve-permissions
fi
for name in bin sbin lib lib64 usr/lib64; do if [ -L $name ]; then rm $name; fi; done
rmdir --ignore-fail-on-non-empty usr/bin usr/sbin usr/lib
if [ -d usr ]; then rmdir --ignore-fail-on-non-empty usr; fi
find . -type d ! -perm -700 -exec chmod u+rwx {} +
find . -type f ! -perm -400 -exec chmod u+r {} +
find . -type f -perm /6000 -exec chmod ug-s {} +
`;

/**
 * Composes the root of these RPMs. Layers are cached by RPM, the database by the whole list.
 * @throws BuildError `ROOT_NOT_CLOSED` with rpm's words when a dependency is missing or files conflict, `RPM_UNREADABLE`.
 */
export async function composeRpmRoot(
  host: Host,
  store: Store,
  root: { readonly toolchain: Toolchain; readonly rpms: readonly RpmMember[] },
): Promise<RpmRoot> {
  const { toolchain, rpms } = root;
  const layers = await inParallel(rpms, PARALLEL, (rpm) => rpmLayer(host, store, { toolchain, rpm }));
  return {
    layers: [...layers, ...(toolchain.upperLayers ?? []), toolchain.layer],
    rpmdb: await rpmDatabase(host, store, root),
  };
}

async function rpmLayer(
  host: Host,
  store: Store,
  { toolchain, rpm }: { readonly toolchain: Toolchain; readonly rpm: RpmMember },
): Promise<string> {
  const key = digestOf({ rpm: rpm.blob.sha256, recipeVersion: RPM_LAYER_RECIPE_VERSION });
  const make = async (directory: string) => {
    await store.requireIntact(rpm.blob, rpm.fileName);
    await giveToBuildUser(await buildUser(host), directory);
    const result = await runSandboxed(host, {
      layers: [toolchain.layer],
      mounts: [
        { source: store.blobPath(rpm.blob.sha256), target: '/kiln/package.rpm', writable: false },
        { source: directory, target: '/kiln/layer', writable: true },
      ],
      identity: 'builder',
      argv: ['bash', '-c', EXTRACT_SCRIPT],
      environment: TOOL_ENVIRONMENT,
    });
    if (result.status === 0) return;
    await refuseFullDisk(result.stderr, directory);
    throw new BuildError(
      'RPM_UNREADABLE',
      `the payload of ${rpm.fileName} can't be unpacked: ${result.stderr.trim()}`,
      {
        command: result.command,
      },
    );
  };
  return store.layer(`rpm-${key}`, make, { checked: true });
}

async function rpmDatabase(
  host: Host,
  store: Store,
  { toolchain, rpms }: { readonly toolchain: Toolchain; readonly rpms: readonly RpmMember[] },
): Promise<string> {
  const members: Sha256[] = rpms.map(({ blob }) => blob.sha256);
  const key = digestOf({
    toolchain: toolchain.identity,
    members: [...members].sort(),
    recipeVersion: RPMDB_RECIPE_VERSION,
  });
  const make = async (directory: string) => {
    for (const { fileName, blob } of rpms) await store.requireIntact(blob, fileName);
    await giveToBuildUser(await buildUser(host), directory);
    const named = rpms.map(({ fileName, blob }) => ({
      source: store.blobPath(blob.sha256),
      target: `/kiln/rpms/${fileName}`,
    }));
    const own = toolchain.rpms.map(({ fileName, path }) => ({ source: path, target: `/kiln/toolchain/${fileName}` }));
    const files = [...own, ...named];
    const mounts: SandboxMount[] = files.map((file) => ({ ...file, writable: false }));
    const result = await runSandboxed(host, {
      layers: [toolchain.layer],
      mounts: [...mounts, { source: directory, target: '/kiln/rpmdb', writable: true }],
      identity: 'builder',
      argv: ['rpm', ...INSTALL_OPTIONS, ...files.map(({ target }) => target).sort()],
      environment: TOOL_ENVIRONMENT,
    });
    if (result.status !== 0) {
      await refuseFullDisk(result.stderr, directory);
      throw notClosed(result.stderr, result.command);
    }
    // Only the database itself: the rest is the state of processes.
    for (const name of await readdir(directory))
      if (name !== 'rpmdb.sqlite') await rm(join(directory, name), { force: true });
  };
  return store.layer(`rpmdb-${key}`, make, { checked: true });
}

/** Dependencies and file conflicts are checked; scripts and files are not touched, nothing is signed yet. */
const INSTALL_OPTIONS = [
  ...[
    '--dbpath',
    '/kiln/rpmdb',
    '--define',
    '_db_backend sqlite',
    '--install',
    '--justdb',
    '--noscripts',
    '--notriggers',
  ],
  ...['--nosignature', '--ignoresize', '--noplugins'],
];

/** Less is no space for a file. */
const FULL_BYTES = 1024 ** 2;

/** SQLite says `disk I/O error` when it can't extend a file that it has mapped. @throws Error `ENOSPC` */
async function refuseFullDisk(said: string, directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const mayBe = /disk I\/O error|unable to open database/.test(said) && bavail * bsize < FULL_BYTES;
  if (mayBe || /No space left|disk is full/.test(said)) throw Object.assign(new Error(said), { code: 'ENOSPC' });
}

function notClosed(said: string, command: string): BuildError {
  const all = said.split('\n').map((line) => line.trim());
  const lines = all
    .slice(
      Math.max(
        0,
        all.findIndex((line) => line.startsWith('error:')),
      ),
    )
    .filter((line) => line !== '');
  return new BuildError('ROOT_NOT_CLOSED', `rpm refuses the packages of the build root: ${lines.join('; ')}`, {
    hint: 'a package in the root lacks a dependency or conflicts with another: correct its Requires or its files',
    command,
  });
}
