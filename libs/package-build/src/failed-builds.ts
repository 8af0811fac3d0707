/** Top directories of builds that failed, kept for those who want to look: below the store's `failed/`, the newest few. */
import { mkdir, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { removeWorkDirectory } from '@kiln/sandbox';
import type { Host } from '@kiln/host';
import type { Store } from '@kiln/store';
import type { PackageBuild } from './build-package.ts';
import type { BuildPlace } from './build-place.ts';

/** Of more, the oldest are removed. */
const MOST_KEPT = 3;

/** What is kept apart: the package and, unless it is that of its RPMs, the target. */
export type KeptBuild = Pick<PackageBuild, 'id' | 'target'>;

/** Where the top directory of a package's last failed build is, whether there is one or not. */
export function failedBuildPath(store: Store, { id, target }: KeptBuild): string {
  const suffix = target === 'check' ? ' check' : '';
  return join(store.directory, 'failed', `${id.replaceAll('/', '~')}${suffix}`);
}

/** Keeps the top directory of a build that just failed; the one before goes. */
export async function keepFailedBuild(host: Host, store: Store, { build, work }: BuildPlace): Promise<void> {
  const kept = failedBuildPath(store, build);
  await removeWorkDirectory(host, kept);
  await mkdir(join(store.directory, 'failed'), { recursive: true });
  await rename(join(work, 'top'), kept);
  await store.use(kept);
  await removeOldest(host, store);
}

/** After a build that ended well. */
export async function forgetFailedBuild(host: Host, store: Store, build: KeptBuild): Promise<void> {
  const kept = failedBuildPath(store, build);
  if ((await stat(kept).catch(() => undefined)) !== undefined) await removeWorkDirectory(host, kept);
}

async function removeOldest(host: Host, store: Store): Promise<void> {
  const directory = join(store.directory, 'failed');
  const kept = await Promise.all(
    (await readdir(directory)).map(async (name) => {
      const path = join(directory, name);
      return { path, changed: (await stat(path).catch(() => undefined))?.ctimeMs ?? 0 };
    }),
  );
  kept.sort((a, b) => b.changed - a.changed);
  for (const { path } of kept.slice(MOST_KEPT)) await removeWorkDirectory(host, path);
}
