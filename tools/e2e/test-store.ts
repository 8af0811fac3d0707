/** Stores for tests: empty of results, with the toolchain already in, so that each test doesn't download it again. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadDistribution, Session, TOOLCHAIN_ORIGIN } from '@kiln/distribution';
import { createHost } from '@kiln/host';
import { defaultStoreDirectory, Store } from '@kiln/store';
import { toolRootLayer } from '../../libs/distribution/src/tool-roots.ts';
import { REPOSITORY } from './small-tree.ts';

/** A new store below `directory` with the toolchain of the repository, which is made in the user's own store first. */
export async function sharedStore(directory: string): Promise<string> {
  const own = defaultStoreDirectory(process.env);
  const session = new Session(await loadDistribution(REPOSITORY), createHost(), new Store(createHost(), own));
  const { layer } = await session.toolchain();
  const store = join(directory, 'store');
  mkdirSync(join(store, 'layers'), { recursive: true });
  execFileSync('cp', ['--archive', '--reflink=auto', dirname(layer), join(store, 'layers')]);
  return store;
}

/** Puts the root with the programs that make disks into a store, as it is in the user's own one. */
export async function shareImageTools(store: string): Promise<void> {
  const own = defaultStoreDirectory(process.env);
  const session = new Session(await loadDistribution(REPOSITORY), createHost(), new Store(createHost(), own));
  const root = await toolRootLayer(session, 'imageTools');
  execFileSync('cp', ['--archive', '--reflink=auto', dirname(root), join(store, 'layers')]);
}

/** Removes everything from a store but the toolchain's layers. */
export function emptyStore(store: string): void {
  for (const name of readdirSync(store)) {
    if (name !== 'layers') rmSync(join(store, name), { recursive: true });
  }
  for (const name of existsSync(join(store, 'layers')) ? readdirSync(join(store, 'layers')) : []) {
    if (!name.includes(TOOLCHAIN_ORIGIN)) rmSync(join(store, 'layers', name), { recursive: true });
  }
}
