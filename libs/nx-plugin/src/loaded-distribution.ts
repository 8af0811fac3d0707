/** The distribution as inference read it, for the hasher in the same process: read once, and the same for both. */
import { loadDistribution, type Distribution } from '@kiln/distribution';

let loaded: Distribution | undefined;

/** Reads the tree. @throws BuildError as `loadDistribution`. */
export function readDistribution(root: string): Distribution {
  loaded = loadDistribution(root);
  return loaded;
}

/** The tree as it was last read in this process. */
export function knownDistribution(root: string): Distribution {
  return loaded?.root === root ? loaded : readDistribution(root);
}
