/** Garbage collection of the store as commands do it: what the plan of the workspace needs counts as used. */
import type { Sha256 } from '@kiln/build-identity';
import type { Host } from '@kiln/host';
import { removeWorkDirectory } from '@kiln/sandbox';
import { collectGarbage, storeLimit, storeSize, type GarbageReport, type Store } from '@kiln/store';
import { bootstrapRootKey, stepLayerKey, toolchainBlobs, toolchainLayerKeys } from '@kiln/toolchain';
import { bootstrapPlan, bootstrapSteps, stepsFile } from './bootstrap-target.ts';
import type { Distribution } from './distribution.ts';
import { isBroken, type PackageProject } from './package-project.ts';
import { pinnedSources } from './pinned-sources.ts';
import type { Session } from './session.ts';
import type { TargetName } from './targets.ts';
import { plannedToolRoot } from './tool-roots.ts';
import { TOOLCHAIN_ORIGIN } from './universe.ts';

/** So much of the limit is left after a run was over it, so that not every run has something to remove. */
const KEPT_SHARE = 0.9;

/** Removes what nobody used for the longest time, until the store has at most `limit` bytes. */
export function collectStoreGarbage(
  host: Host,
  store: Store,
  options: { readonly limit: number; readonly dryRun?: boolean },
): Promise<GarbageReport> {
  return collectGarbage(host, store, {
    ...options,
    removeDirectory: (directory) => removeWorkDirectory(host, directory),
  });
}

/** At the end of a run: when the store is larger than its limit. Undefined when it isn't, or has none. */
export async function trimStore(session: Session): Promise<GarbageReport | undefined> {
  const { host, store } = session;
  const limit = await storeLimit(host.environment, store.directory);
  if (limit === undefined || (await storeSize(store)) <= limit) return undefined;
  await usePlan(session);
  return collectStoreGarbage(host, store, { limit: Math.floor(limit * KEPT_SHARE) });
}

/** Marks as used what the tasks of the workspace, as it is now, have as results, their sources and the toolchain. */
export async function usePlan(session: Session): Promise<void> {
  const { distribution, store } = session;
  const { packages, images, config, toolchain } = distribution;
  for (const key of toolchainLayerKeys(toolchain)) await store.useLayer(key);
  for (const digest of toolchainBlobs(toolchain)) await store.use(store.blobPath(digest));
  for (const name of ['imageTools', 'bootTools'] as const) {
    if (config[name] === undefined) continue;
    for (const key of toolchainLayerKeys(plannedToolRoot(distribution, name))) await store.useLayer(key);
  }
  const use = (target: TargetName, id: string) => session.state(target, id).catch(() => undefined);
  await use('toolchain', TOOLCHAIN_ORIGIN);
  for (const { name } of bootstrapSteps(distribution)) await use('bootstrap-step', name);
  for (const key of bootstrapLayers(distribution)) await store.useLayer(key);
  for (const project of packages) {
    if (isBroken(project)) continue;
    if (project.bootstrap !== undefined) await use('rpm-bootstrap', project.id);
    if (project.sourcePackage?.generatesBuildRequires === true) await use('buildrequires', project.id);
    for (const target of ['rpm', 'check', 'reproduce', 'sources'] as const) await use(target, project.id);
    for (const digest of fetchedSources(distribution.root, project)) await store.use(store.blobPath(digest));
  }
  for (const { name } of images) for (const target of ['image', 'boot-test'] as const) await use(target, name);
  await use('repository', config.name);
  if (config.signing === undefined) return;
  await use('publish', config.name);
  for (const { name } of images) await use('publish-image', name);
}

/** Of steps that are not in order nothing is known to be needed. */
function bootstrapLayers(distribution: Distribution): string[] {
  if (stepsFile(distribution) === undefined) return [];
  try {
    const plan = bootstrapPlan(distribution);
    return [...plan.steps.map(stepLayerKey), bootstrapRootKey(plan)];
  } catch {
    return [];
  }
}

/** Of a package whose sources are not in order nothing is known to be needed. */
function fetchedSources(root: string, project: PackageProject): Sha256[] {
  try {
    return pinnedSources(root, project).flatMap(({ sha256, localPath }) => (localPath === undefined ? [sha256] : []));
  } catch {
    return [];
  }
}
