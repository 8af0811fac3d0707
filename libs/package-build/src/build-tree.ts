/** The top directory of a build that ended well, kept so that `%check` of the same package runs in it. */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '@kiln/host';
import { makeWorkDirectory, removeWorkDirectory } from '@kiln/sandbox';
import type { Store } from '@kiln/store';
import type { BuildPlace } from './build-place.ts';

/** It lives in a work directory, so that a later run removes it when this process is killed. */
export interface BuildTree {
  readonly directory: string;
}

/** Moves it out of its place, which has none then. */
export async function keepBuildTree(host: Host, store: Store, { build, work }: BuildPlace): Promise<BuildTree> {
  const directory = await makeWorkDirectory(host, store, `tree-${build.source.name}`);
  await rename(join(work, 'top'), join(directory, 'top'));
  return { directory };
}

/** Moves it to a place that has none. */
export async function useBuildTree({ directory }: BuildTree, { work }: BuildPlace): Promise<void> {
  await rename(join(directory, 'top'), join(work, 'top'));
}

export function removeBuildTree(host: Host, { directory }: BuildTree): Promise<void> {
  return removeWorkDirectory(host, directory);
}
