/** What a store consists of, as far as it can be removed: kinds of objects with their size and last use. */
import type { Stats } from 'node:fs';
import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAction } from './action-file.ts';
import { layerRecordPath, readLayerRecord } from './layer-record.ts';

export type ObjectKind = 'result' | 'blob' | 'layer' | 'failed build' | 'download';

export interface StoreObject {
  readonly kind: ObjectKind;
  readonly path: string;
  /** On disk. */
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly lastUse: number;
  readonly isDirectory: boolean;
}

type Listing = (store: string) => Promise<StoreObject[]>;

const LISTINGS: readonly Listing[] = [
  (store) => listFiles(store, 'result', 'ac'),
  (store) => listFiles(store, 'blob', 'cas'),
  listLayers,
  (store) => listDirectories(store, 'failed build', 'failed'),
  (store) => listDirectories(store, 'download', 'partial'),
];

/** Every object; the last use of a blob is known without that of the results it belongs to. */
export async function listObjects(store: string): Promise<StoreObject[]> {
  const lists = [];
  for (const list of LISTINGS) lists.push(await list(store));
  return lists.flat();
}

/** The same with blobs as young as the youngest result that they belong to. Reads every result. */
export async function listByUse(store: string): Promise<StoreObject[]> {
  const objects = await listObjects(store);
  const used = new Map<string, number>();
  for (const { kind, path, lastUse } of objects) {
    if (kind !== 'result') continue;
    const result = parseAction(await readFile(path, 'utf8').catch(() => ''));
    for (const { sha256 } of Object.values(result?.outputs ?? {})) {
      used.set(sha256, Math.max(used.get(sha256) ?? 0, lastUse));
    }
  }
  return objects.map((object) => {
    if (object.kind !== 'blob') return object;
    return { ...object, lastUse: Math.max(object.lastUse, used.get(object.path.slice(-64)) ?? 0) };
  });
}

/** Files in directories of two digits. */
async function listFiles(store: string, kind: ObjectKind, place: string): Promise<StoreObject[]> {
  const found: StoreObject[] = [];
  for (const part of await namesIn(join(store, place))) {
    for (const name of await namesIn(join(store, place, part))) {
      const path = join(store, place, part, name);
      const stats = await stat(path).catch(() => undefined);
      if (stats !== undefined) found.push({ kind, path, ...sizeAndTime(stats), isDirectory: false });
    }
  }
  return found;
}

async function listLayers(store: string): Promise<StoreObject[]> {
  const found: StoreObject[] = [];
  for (const name of await namesIn(join(store, 'layers'))) {
    const path = join(store, 'layers', name);
    const record = layerRecordPath(store, name);
    const used = (await stat(record).catch(() => undefined))?.mtimeMs;
    // Without a record it was put there by an earlier Kiln, just now, or out of the way because it was damaged.
    const lastUse = used ?? (await stat(path).catch(() => undefined))?.ctimeMs;
    if (lastUse === undefined) continue;
    const bytes = (await readLayerRecord(record))?.bytes ?? (await diskUse(path));
    found.push({ kind: 'layer', path, bytes, lastUse, isDirectory: true });
  }
  return found;
}

/** The youngest of a directory and what lies directly in it counts: a download grows inside of its directory. */
async function listDirectories(store: string, kind: ObjectKind, place: string): Promise<StoreObject[]> {
  const found: StoreObject[] = [];
  for (const name of await namesIn(join(store, place))) {
    const path = join(store, place, name);
    const inside = (await namesIn(path)).map((one) => join(path, one));
    const times = await Promise.all([path, ...inside].map(async (one) => lstat(one).catch(() => undefined)));
    const lastUse = Math.max(0, ...times.map((stats) => stats?.mtimeMs ?? 0));
    found.push({ kind, path, bytes: await diskUse(path), lastUse, isDirectory: true });
  }
  return found;
}

function sizeAndTime({ blocks, mtimeMs }: Stats): Pick<StoreObject, 'bytes' | 'lastUse'> {
  return { bytes: blocks * 512, lastUse: mtimeMs };
}

/** Bytes on disk; what can't be looked at, because a build closed it, counts nothing. */
async function diskUse(path: string): Promise<number> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return 0;
  let sum = stats.blocks * 512;
  if (stats.isDirectory()) for (const name of await namesIn(path)) sum += await diskUse(join(path, name));
  return sum;
}

async function namesIn(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(() => [])).sort();
}
