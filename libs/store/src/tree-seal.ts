/** The seal of a directory tree: shows in a moment whether anything was changed since the tree was made. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';

/** What a quick look at a tree gives. `changedAt` is the latest change time of any inode (milliseconds), which nobody can set. */
export interface TreeSeal {
  readonly digest: Sha256;
  readonly changedAt: number;
}

export type EntryType = 'file' | 'directory' | 'link';

export interface WalkedEntry {
  /** Below the root, without a leading slash. */
  readonly path: string;
  readonly stats: Stats;
  readonly type: EntryType;
}

/** Looks at every inode of a tree but at no content. */
export function sealTree(root: string): TreeSeal {
  const hash = createHash('sha256');
  let changedAt = 0;
  for (const { path, stats, type } of walkTree(root)) {
    const size = type === 'directory' ? 0 : stats.size;
    hash.update(`${path}\0${type} ${stats.mode} ${size} ${stats.mtimeMs}\n`);
    if (stats.ctimeMs > changedAt) changedAt = stats.ctimeMs;
  }
  return { digest: hash.digest('hex') as Sha256, changedAt };
}

/** Whether nothing was added, removed, written or renamed since the tree was sealed. */
export function isSealed(root: string, seal: TreeSeal): boolean {
  const found = sealTree(root);
  return found.digest === seal.digest && found.changedAt <= seal.changedAt;
}

/** Digest of all that a copy of the tree has too: names, types, modes, contents. */
export function treeDigest(root: string): Sha256 {
  const hash = createHash('sha256');
  for (const { path, stats, type } of walkTree(root)) {
    hash.update(`${path}\0${type} ${stats.mode} ${type === 'directory' ? 0 : stats.size}\0`);
    if (type === 'file') hash.update(readFileSync(join(root, path)));
    if (type === 'link') hash.update(readlinkSync(join(root, path)));
  }
  return hash.digest('hex') as Sha256;
}

/** All entries below a directory in the order of their paths; parents first. */
export function walkTree(root: string): WalkedEntry[] {
  const entries: WalkedEntry[] = [];
  const visit = (directory: string) => {
    for (const name of readdirSync(join(root, directory)).sort()) {
      const path = directory === '' ? name : `${directory}/${name}`;
      const stats = lstatSync(join(root, path));
      const type = stats.isDirectory() ? 'directory' : stats.isSymbolicLink() ? 'link' : 'file';
      entries.push({ path, stats, type });
      if (type === 'directory') visit(path);
    }
  };
  visit('');
  return entries;
}
