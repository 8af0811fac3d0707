/** Results of other stores: what is there is taken, what isn't is made. */
import type { Sha256 } from '@kiln/build-identity';
import type { ActionResult } from './action-file.ts';
import type { Store } from './store.ts';

/** Where a store looks when it has no result itself. What can't be relied on is an error, never "not there". */
export interface EarlierResults {
  /** The result of an action, after everything that belongs to it was brought into the store; undefined for an unknown key. */
  action(store: Store, key: Sha256): Promise<ActionResult | undefined>;
  /** Fills an empty directory with a layer; false for an unknown key. */
  layer(store: Store, key: string, directory: string): Promise<boolean>;
}
