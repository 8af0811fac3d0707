/** Turns unpacked Debian packages into the toolchain layer: takes away, links, writes, and makes all properties equal everywhere. */
import {
  chmodSync,
  closeSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { BuildUser } from '@kiln/host';
import { ALTERNATIVES, DIRECTORIES, LAYER_TIME, WRITTEN_FILES, xmlCatalog, type LayerRecipe } from './layer-recipe.ts';

/** What a layer is finished with. */
export interface FinishOptions {
  readonly user: BuildUser;
  readonly recipe: LayerRecipe;
}

/** Works on the tree in `root` in place; `owners` loses what is taken away. */
export function finishLayer(root: string, owners: Map<string, string>, { user, recipe }: FinishOptions): void {
  takeAway(root, owners, recipe);
  for (const directory of DIRECTORIES) mkdirSync(join(root, directory), { recursive: true });
  for (const [link, target] of ALTERNATIVES) {
    const path = join(root, link);
    if (!isThere(join(dirname(path), target)) || (owners.has(link) && link !== 'usr/bin/sh')) continue;
    rmSync(path, { force: true });
    owners.delete(link);
    symlinkSync(target, path);
  }
  for (const [path, content] of Object.entries(WRITTEN_FILES)) writeFileSync(join(root, path), content);
  mkdirSync(join(root, 'etc/xml'), { recursive: true });
  writeFileSync(join(root, 'etc/xml/catalog'), xmlCatalog(owners.keys()));
  symlinkSync('/proc/self/mounts', join(root, 'etc/mtab'));
  equalize(root, owners, user);
}

/** The same for a layer that lies over such a one. */
export function finishUpperLayer(root: string, owners: Map<string, string>, { user, recipe }: FinishOptions): void {
  takeAway(root, owners, recipe);
  equalize(root, owners, user);
}

function takeAway(root: string, owners: Map<string, string>, { isUnwanted }: LayerRecipe): void {
  for (const [path, owner] of owners) {
    const full = join(root, path);
    const isLibrary = path.endsWith('.so') && isElfFile(full);
    if (!isUnwanted(path, owner, isLibrary)) continue;
    rmSync(full, { force: true, recursive: true });
    owners.delete(path);
  }
}

/** Removes empty directories, then sets owner, mode and time of everything that is left. */
function equalize(root: string, owners: ReadonlyMap<string, string>, user: BuildUser): void {
  const kept = new Set(DIRECTORIES);
  const visit = (directory: string): number => {
    let entries = 0;
    for (const name of readdirSync(join(root, directory))) {
      const path = directory === '' ? name : `${directory}/${name}`;
      const full = join(root, path);
      const stats = lstatSync(full);
      if (stats.isDirectory() && visit(path) === 0 && !kept.has(path) && !hasKeptBelow(path)) {
        rmdirSync(full);
        continue;
      }
      entries += 1;
      if (user.prefix.length > 0) lchownSync(full, user.uid, user.gid);
      if (stats.isSymbolicLink()) {
        lutimesSync(full, LAYER_TIME, LAYER_TIME);
        continue;
      }
      // No setuid, nothing that only some may read: the layer is the same for everybody.
      chmodSync(full, stats.isDirectory() || (stats.mode & 0o111) !== 0 ? 0o755 : 0o644);
      const time = stats.isFile() && owners.has(path) ? Math.floor(stats.mtimeMs / 1000) : LAYER_TIME;
      utimesSync(full, time, time);
    }
    return entries;
  };
  const hasKeptBelow = (path: string) => DIRECTORIES.some((one) => one.startsWith(`${path}/`));
  visit('');
  utimesSync(root, LAYER_TIME, LAYER_TIME);
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isElfFile(path: string): boolean {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  const file = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(4);
    return readSync(file, magic, 0, 4, 0) === 4 && magic.toString('latin1') === '\x7fELF';
  } finally {
    closeSync(file);
  }
}
