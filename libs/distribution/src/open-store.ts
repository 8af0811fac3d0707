/** The store that a distribution is built with: the machine's, with the results of others that the configuration names. */
import { join } from 'node:path';
import type { Host } from '@kiln/host';
import { defaultStoreDirectory, Store } from '@kiln/store';
import type { Distribution } from './distribution.ts';
import { TakenResults } from './taken-results.ts';

type Configured = Pick<Distribution, 'root' | 'config'>;

/** Nothing is read before something is missing. */
export function openStore(host: Host, distribution: Configured): Store {
  const earlier = configuredResults(host, distribution);
  return new Store(host, defaultStoreDirectory(host.environment), earlier === undefined ? {} : { earlier });
}

/** The results of others that the configuration names; undefined when it names none. */
export function configuredResults(host: Host, { root, config: { results } }: Configured): TakenResults | undefined {
  if (results?.from === undefined) return undefined;
  const { from, signedBy } = results;
  if (signedBy === undefined) return new TakenResults(host, root, { from });
  const { key, publicKey } = signedBy;
  return new TakenResults(host, root, { from, signedBy: { key, publicKeyFile: join(root, publicKey) } });
}
