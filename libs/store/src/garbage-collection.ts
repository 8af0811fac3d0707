/**
 * Garbage collection: what was not used for the longest time goes, until the store is as small as wanted. What a running command has used
 * stays. Each object vanishes at once, so that a collection may be killed at any moment: a result is gone before its blobs are.
 */
import { rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Host } from '@kiln/host';
import { layerRecordPath } from './layer-record.ts';
import type { Store } from './store.ts';
import { listByUse, listObjects, type ObjectKind, type StoreObject } from './store-objects.ts';
import { lease, whileAnnounced } from './store-use.ts';

export type { ObjectKind } from './store-objects.ts';

export interface GarbageOptions {
  /** Bytes that the store may have. */
  readonly limit: number;
  /** Nothing is removed. */
  readonly dryRun?: boolean;
  /** Removes a directory whatever is in it, also files of other users. */
  readonly removeDirectory: (path: string) => Promise<void>;
}

export interface GarbageReport {
  /** Directory of the store. */
  readonly store: string;
  /** Bytes; `after` is more than `limit` when running commands use more than that. */
  readonly limit: number;
  readonly before: number;
  readonly after: number;
  /** Bytes of what running commands, this one too, have used. */
  readonly inUse: number;
  readonly removed: Readonly<Record<ObjectKind, { readonly count: number; readonly bytes: number }>>;
  /** When the youngest of what was removed was last used: milliseconds since the epoch. */
  readonly unusedSince?: number;
}

/** Bytes of all that can be collected. */
export async function storeSize(store: Store): Promise<number> {
  return sizeOf(await listObjects(store.directory));
}

/** Removes what was not used for the longest time until the store has at most `limit` bytes, or nothing is left that nobody uses. */
export async function collectGarbage(host: Host, store: Store, options: GarbageOptions): Promise<GarbageReport> {
  const { limit, dryRun = false, removeDirectory } = options;
  await lease(host, store.directory);
  const graves: string[] = [];
  const report = await whileAnnounced(host, store.directory, async (unusedBefore) => {
    const objects = await listByUse(store.directory);
    const victims = chooseVictims(objects, { limit, unusedBefore });
    if (!dryRun) for (const victim of victims) graves.push(...(await takeAway(store, victim)));
    return { store: store.directory, ...reportOf(objects, { victims, limit, unusedBefore }) };
  });
  // Nobody sees these any more; what a kill leaves of them is swept by the next run.
  for (const grave of graves) await removeDirectory(grave);
  return report;
}

interface Choice {
  readonly limit: number;
  readonly unusedBefore: number;
}

/** Least recently used first; of one age results go before what they name. */
function chooseVictims(objects: readonly StoreObject[], { limit, unusedBefore }: Choice): StoreObject[] {
  const rank = ({ kind }: StoreObject) => (kind === 'result' ? 0 : 1);
  const byUse = objects
    .filter(({ lastUse }) => lastUse < unusedBefore)
    .sort((a, b) => a.lastUse - b.lastUse || rank(a) - rank(b) || (a.path < b.path ? -1 : 1));
  let size = sizeOf(objects);
  const victims: StoreObject[] = [];
  for (const object of byUse) {
    if (size <= limit) break;
    victims.push(object);
    size -= object.bytes;
  }
  return victims;
}

/** Puts an object out of sight; returns the directory that is left to remove. */
async function takeAway(store: Store, { kind, path, isDirectory }: StoreObject): Promise<string[]> {
  if (!isDirectory) {
    await rm(path, { force: true });
    return [];
  }
  const grave = await store.temporaryPath('removed');
  try {
    await rename(path, grave);
  } catch (error) {
    // A command that uses it may have removed it itself.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  if (kind === 'layer') await rm(layerRecordPath(store.directory, basename(path)), { force: true });
  return [grave];
}

function reportOf(
  objects: readonly StoreObject[],
  { victims, limit, unusedBefore }: Choice & { readonly victims: readonly StoreObject[] },
): Omit<GarbageReport, 'store'> {
  const before = sizeOf(objects);
  const removed = (kind: ObjectKind) => {
    const ones = victims.filter((victim) => victim.kind === kind);
    return { count: ones.length, bytes: sizeOf(ones) };
  };
  const last = victims.at(-1);
  return {
    limit,
    before,
    after: before - sizeOf(victims),
    inUse: sizeOf(objects.filter(({ lastUse }) => lastUse >= unusedBefore)),
    removed: {
      result: removed('result'),
      blob: removed('blob'),
      layer: removed('layer'),
      'failed build': removed('failed build'),
      download: removed('download'),
    },
    ...(last === undefined ? {} : { unusedSince: last.lastUse }),
  };
}

function sizeOf(objects: readonly StoreObject[]): number {
  return objects.reduce((sum, { bytes }) => sum + bytes, 0);
}
