/** Archives of installed roots in a store. */
import { rm } from 'node:fs/promises';
import type { Sha256 } from '@kiln/build-identity';
import { digestFile, type Store } from '@kiln/store';

/** Name of an archive among the outputs of its action. */
const ARCHIVE = 'root.tar';

/** The path of an archive in the store; `make` writes it when there is none, or only a damaged one, while others that want it wait. */
export async function storedArchive(store: Store, key: Sha256, make: (path: string) => Promise<void>): Promise<string> {
  const find = async () => {
    const blob = (await store.readAction(key))?.outputs[ARCHIVE];
    return blob !== undefined && (await store.hasIntactBlob(blob.sha256)) ? store.blobPath(blob.sha256) : undefined;
  };
  const known = await find();
  if (known !== undefined) return known;
  return store.withLock(`image-root-${key}`, 'installation of the same packages', async () => {
    const made = await find();
    if (made !== undefined) return made;
    const path = await store.temporaryPath('root');
    try {
      await make(path);
      const blob = await store.moveFile(path, await digestFile(path));
      await store.writeAction({ key, outputs: { [ARCHIVE]: blob }, facts: {} });
      return store.blobPath(blob.sha256);
    } finally {
      await rm(path, { force: true });
    }
  });
}
