/** The manifest of a layer: every path with its properties; and the seal that shows in a moment whether anything changed. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { sha256, type Sha256 } from '@kiln/build-identity';

export type EntryType = 'file' | 'directory' | 'link';

export interface ManifestEntry {
  /** Below the root, without a leading slash. */
  readonly path: string;
  readonly type: EntryType;
  readonly mode: number;
  readonly size: number;
  /** Seconds since the epoch. */
  readonly time: number;
  readonly sha256?: Sha256;
  readonly target?: string;
  /** The Debian package it comes from; none for what the recipe writes. */
  readonly owner?: string;
}

/** What a quick look at a tree gives. `changedAt` is the latest change time of any inode (milliseconds), which nobody can set. */
export interface TreeSeal {
  readonly digest: Sha256;
  readonly changedAt: number;
}

/** Reads all of a tree, contents included. */
export function readManifest(root: string, owners: ReadonlyMap<string, string>): ManifestEntry[] {
  return walk(root).map(({ path, stats, type }) => {
    const owner = owners.get(path);
    return {
      path,
      type,
      mode: stats.mode & 0o7777,
      size: type === 'directory' ? 0 : stats.size,
      time: Math.floor(stats.mtimeMs / 1000),
      ...(type === 'file' ? { sha256: sha256(readFileSync(join(root, path))) } : {}),
      ...(type === 'link' ? { target: readlinkSync(join(root, path)) } : {}),
      ...(owner === undefined ? {} : { owner }),
    };
  });
}

/** Looks at every inode of a tree but at no content. */
export function sealTree(root: string): TreeSeal {
  const hash = createHash('sha256');
  let changedAt = 0;
  for (const { path, stats, type } of walk(root)) {
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

/** What is different from the manifest, for people: at most `most` paths with a word each. */
export function describeChanges(root: string, manifest: readonly ManifestEntry[], most: number): string[] {
  const expected = new Map(manifest.map((entry) => [entry.path, entry]));
  const changes: string[] = [];
  for (const entry of readManifest(root, new Map())) {
    const before = expected.get(entry.path);
    expected.delete(entry.path);
    const { owner: _, ...known } = before ?? {};
    if (before === undefined) changes.push(`${entry.path} (added)`);
    else if (JSON.stringify(known) !== JSON.stringify(entry)) changes.push(`${entry.path} (changed)`);
  }
  changes.push(...[...expected.keys()].map((path) => `${path} (removed)`));
  return changes.slice(0, most);
}

interface WalkedEntry {
  readonly path: string;
  readonly stats: Stats;
  readonly type: EntryType;
}

/** All entries below a directory in the order of their paths; parents first. */
function walk(root: string): WalkedEntry[] {
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
