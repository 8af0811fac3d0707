/** A workspace of a checkout of Azure Linux: its specs, the toolkit of this repository, a configuration; not yet set up. */
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DISTRO_FILE, type DistroConfig } from '@kiln/distribution';

/** This repository. */
export const REPOSITORY = join(import.meta.dirname, '../..');
/** Which source files the Debian archive has; the same path in the repository and in the workspace. */
export const SOURCES_LOCK = 'toolkit/sources/debian.lock';

/** Which RPMs the distribution puts into each build root: file names, one a line. */
export const BUILD_ROOT_MANIFEST = 'toolkit/resources/manifests/package/pkggen_core_x86_64.txt';

/**
 * Copies the spec roots of the checkout at `tree` into `root`, which may be missing, with what they are planned and built with.
 * `setUpWorkspace` does the rest.
 */
export function layOutWorkspace(root: string, { tree, roots }: { tree: string; roots: readonly string[] }): void {
  for (const one of roots) cpSync(join(tree, one), join(root, one), { recursive: true });
  const manifest = join(tree, BUILD_ROOT_MANIFEST);
  if (existsSync(manifest)) cpSync(manifest, join(root, BUILD_ROOT_MANIFEST));
  mkdirSync(join(root, 'imageconfigs'), { recursive: true });
  for (const part of ['toolkit/toolchain', 'toolkit/sources'])
    cpSync(join(REPOSITORY, part), join(root, part), { recursive: true });
  writeFileSync(join(root, DISTRO_FILE), `${JSON.stringify(configOf(roots), undefined, 2)}\n`);
}

function configOf(roots: readonly string[]): DistroConfig {
  return {
    name: 'azurelinux',
    version: '3.0',
    architecture: 'x86_64',
    specRoots: [...roots],
    imageDirectory: 'imageconfigs',
    macros: { main: 'SPECS/azurelinux-rpm-macros/macros', additional: [] },
    defines: {},
    toolchain: {
      provider: 'debian',
      packages: 'toolkit/toolchain/debian-bookworm.json',
      lock: 'toolkit/toolchain/debian-bookworm.lock.json',
    },
    sources: { debianLock: SOURCES_LOCK },
    provides: 'toolkit/provides',
  };
}
