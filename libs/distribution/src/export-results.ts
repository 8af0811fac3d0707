/** Writes results of this store for others: their files by digest, then the list of them. */
import { chmod, mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { writeFileAtomic, type Host } from '@kiln/host';
import { withSigner, type SigningKey } from '@kiln/rpm-repository';
import { copySparse, digestFile, packLayer, type Blob, type Store } from '@kiln/store';
import { carriedPath, formatResultsList, RESULTS_FILE, type CarriedLayer, type CarriedResult } from './results-list.ts';

/** A result that this store may have. */
export interface OwnResult extends Omit<CarriedResult, 'layer'> {
  /** Key of the layer that belongs to it; without that it isn't carried. */
  readonly layerKey?: string;
}

export interface ResultsExport {
  /** Absolute path; files that are there already stay. */
  readonly directory: string;
  readonly results: readonly OwnResult[];
  /** Signs the list. */
  readonly key?: SigningKey;
  readonly onProgress?: (done: number, one: OwnResult) => void;
}

/** What was written. `bytes` are those of all files of the results. */
export interface ExportReport {
  readonly results: readonly CarriedResult[];
  readonly bytes: number;
}

/**
 * Writes what the store has of the results. Interrupted, it leaves the list as it was.
 * @throws BuildError `RESULTS_NONE` when it has none of them, `BLOB_UNUSABLE`, `LAYER_NOT_PACKED`, `SIGNING_*`, `DISK_FULL`.
 */
export async function exportResults(
  host: Host,
  store: Store,
  { directory, results, key, onProgress }: ResultsExport,
): Promise<ExportReport> {
  await mkdir(join(directory, 'blobs'), { recursive: true });
  const carried: CarriedResult[] = [];
  for (const [done, one] of results.entries()) {
    onProgress?.(done, one);
    const { layerKey, ...result } = one;
    const layer = layerKey === undefined ? undefined : await exportLayer(host, store, { directory, key: layerKey });
    if (layerKey !== undefined && layer === undefined) continue;
    for (const blob of Object.values(one.outputs)) {
      await store.requireIntact(blob, `${one.action} ${one.subject}`);
      await placeFile(host, { directory, from: store.blobPath(blob.sha256), blob });
    }
    carried.push({ ...result, ...(layer === undefined ? {} : { layer }) });
  }
  if (carried.length === 0) {
    throw new BuildError('RESULTS_NONE', 'the store has no result that could be carried to others', {
      hint: 'do some steps first: `kiln bootstrap --stage A`',
    });
  }
  const file = join(directory, RESULTS_FILE);
  // A list must never lie beside the signature of another one.
  await rm(`${file}.asc`, { force: true });
  await writeFileAtomic(file, formatResultsList({ version: 1, results: carried }));
  if (key !== undefined) await withSigner(host, key, (signer) => signer.signFile(file, Math.floor(host.now() / 1000)));
  return { results: carried, bytes: sizeOf(carried) };
}

interface ExportedLayer {
  readonly directory: string;
  readonly key: string;
}

/** Undefined when the store doesn't have it as it was made. */
async function exportLayer(
  host: Host,
  store: Store,
  { directory, key }: ExportedLayer,
): Promise<CarriedLayer | undefined> {
  const layer = await store.intactLayer(key);
  if (layer === undefined) return undefined;
  const archive = await store.temporaryPath('archive');
  try {
    await packLayer(host, layer.path, archive);
    const blob = { sha256: await digestFile(archive), size: (await stat(archive)).size };
    await placeFile(host, { directory, from: archive, blob });
    return { key, content: layer.content, ...blob };
  } finally {
    await rm(archive, { force: true });
  }
}

interface PlacedFile {
  readonly directory: string;
  readonly from: string;
  readonly blob: Blob;
}

/** Unless an earlier export left it. */
async function placeFile(host: Host, { directory, from, blob }: PlacedFile): Promise<void> {
  const to = join(directory, carriedPath(blob));
  if ((await digestFile(to).catch(() => undefined)) === blob.sha256) return;
  const temporary = `${to}.${process.pid}.tmp`;
  try {
    await copySparse(host, from, temporary);
    await chmod(temporary, 0o644);
    await rename(temporary, to);
  } finally {
    await rm(temporary, { force: true });
  }
}

function sizeOf(results: readonly CarriedResult[]): number {
  const blobs = results.flatMap(({ outputs, layer }) => [
    ...Object.values(outputs),
    ...(layer === undefined ? [] : [layer]),
  ]);
  const sizes = new Map(blobs.map(({ sha256, size }) => [sha256, size]));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
