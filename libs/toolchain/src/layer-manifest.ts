/** The manifest of a layer: every path with its properties. */
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { sha256, type Sha256 } from '@kiln/build-identity';
import { walkTree, type EntryType } from '@kiln/store';

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

/** Reads all of a tree, contents included. */
export function readManifest(root: string, owners: ReadonlyMap<string, string>): ManifestEntry[] {
  return walkTree(root).map(({ path, stats, type }) => {
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
