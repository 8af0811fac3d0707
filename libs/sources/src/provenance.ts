/** Where the source files in the store once came from. */
import { digestOf, type Sha256 } from '@kiln/build-identity';
import type { Store } from '@kiln/store';

export interface SourceProvenance {
  /** Label of the place: `spec-url`, `debian-archive`, or a mirror. */
  readonly place: string;
  /** The address, or the pool path in the Debian archive; without credentials. */
  readonly address: string;
}

/** Undefined for a file that no place gave: it was put into the store as something else. */
export async function readProvenance(store: Store, sha256: Sha256): Promise<SourceProvenance | undefined> {
  return (await store.readAction(keyOf(sha256)))?.facts as SourceProvenance | undefined;
}

export async function writeProvenance(store: Store, sha256: Sha256, provenance: SourceProvenance): Promise<void> {
  await store.writeAction({ key: keyOf(sha256), outputs: {}, facts: provenance });
}

function keyOf(sha256: Sha256): Sha256 {
  return digestOf({ stage: 'source-provenance', sha256 });
}
