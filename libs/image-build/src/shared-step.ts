/** Steps that images share: their files are remembered in a store. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';
import { digestFile, type Blob, type Store } from '@kiln/store';
import type { SharedFiles, SharedStep } from './image-ports.ts';

/**
 * What the step made, by name: `make` is called when the store has nothing, or only something damaged, while others that want the same wait.
 * @param key of all that decides what the files are
 */
export async function sharedFiles(
  store: Store,
  key: Sha256,
  { what, make }: Omit<SharedStep, 'request'>,
): Promise<SharedFiles> {
  const known = await intactFiles(store, key);
  if (known !== undefined) return known;
  return store.withLock(`image-step-${key}`, what, async () => {
    const made = await intactFiles(store, key);
    if (made !== undefined) return made;
    const directory = await store.temporaryPath('step');
    try {
      await mkdir(directory);
      await make(directory);
      const outputs: Record<string, Blob> = {};
      for (const name of (await readdir(directory)).sort())
        outputs[name] = await store.moveFile(join(directory, name), await digestFile(join(directory, name)));
      await store.writeAction({ key, outputs, facts: {} });
      return withPaths(store, outputs);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
}

async function intactFiles(store: Store, key: Sha256): Promise<SharedFiles | undefined> {
  const outputs = (await store.readAction(key))?.outputs;
  if (outputs === undefined) return undefined;
  const found = await Promise.all(Object.values(outputs).map(({ sha256 }) => store.hasIntactBlob(sha256)));
  return found.every(Boolean) ? withPaths(store, outputs) : undefined;
}

function withPaths(store: Store, outputs: Readonly<Record<string, Blob>>): SharedFiles {
  const entries = Object.entries(outputs);
  return Object.fromEntries(entries.map(([name, blob]) => [name, { ...blob, path: store.blobPath(blob.sha256) }]));
}
