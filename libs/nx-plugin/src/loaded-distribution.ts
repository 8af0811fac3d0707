/** The distribution as inference read it, for the hasher in the same process: read once, and the same for both. */
import { loadDistribution, type Distribution } from '@kiln/distribution';

let loaded: Promise<Distribution> | undefined;
let loadedRoot: string | undefined;

/** Reads the tree. @throws BuildError as `loadDistribution`. */
export function readDistribution(root: string): Promise<Distribution> {
  loaded = loadDistribution(root);
  loadedRoot = root;
  return loaded;
}

/** The tree as it was last read in this process. */
export function knownDistribution(root: string): Promise<Distribution> {
  return loaded !== undefined && loadedRoot === root ? loaded : readDistribution(root);
}
