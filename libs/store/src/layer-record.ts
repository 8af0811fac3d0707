/** What the store keeps of each layer beside it: how large it is, and by what a change shows. The record's time is that of the last use. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';
import { writeFileAtomic } from '@kiln/host';
import { isSealed, sealTree, treeDigest, walkTree, type TreeSeal } from './tree-seal.ts';

export interface LayerRecord {
  /** On disk. */
  readonly bytes: number;
  readonly check?: {
    readonly seal: TreeSeal;
    /** Of everything that a copy has too. */
    readonly content: Sha256;
  };
}

export function layerRecordPath(store: string, key: string): string {
  return join(store, 'seals', `${key}.json`);
}

/** Records a layer as it is now. @param file `layerRecordPath` */
export async function recordLayer(layer: string, file: string, { checked }: { checked: boolean }): Promise<void> {
  const bytes = walkTree(layer).reduce((sum, { stats }) => sum + stats.blocks * 512, 0);
  const record: LayerRecord = checked
    ? { bytes, check: { seal: sealTree(layer), content: treeDigest(layer) } }
    : { bytes };
  await writeFileAtomic(file, JSON.stringify(record));
}

/** Undefined when there is none that can be read. */
export async function readLayerRecord(file: string): Promise<LayerRecord | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as LayerRecord;
  } catch {
    return undefined;
  }
}

/** Whether a layer is as it was recorded; one that was only touched or copied is recorded anew. Looks at contents only then. */
export async function isLayerIntact(layer: string, file: string): Promise<boolean> {
  const check = (await readLayerRecord(file))?.check;
  if (check === undefined) return false;
  if (isSealed(layer, check.seal)) return true;
  if (treeDigest(layer) !== check.content) return false;
  await recordLayer(layer, file, { checked: true });
  return true;
}
