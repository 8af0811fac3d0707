/**
 * A workspace in which every package counts as built: for measuring a run that finds all of it in the store. Toolchain and RPMs are fakes
 * in one layer each: the toolchain's lock says that it provides what the checkout's own toolchain has and what nobody provides, and
 * results hold RPMs of a few bytes.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@kiln/build-identity';
import {
  isBroken,
  loadDistribution,
  Session,
  TOOLCHAIN_ORIGIN,
  type Distribution,
  type PackageProject,
  type TaskState,
} from '@kiln/distribution';
import { createHost } from '@kiln/host';
import { ProviderIndex, resolveClosure } from '@kiln/package-graph';
import { formatDependency, formatEvr, rpmFileName, type BinaryPackage } from '@kiln/rpm-package';
import { Store } from '@kiln/store';
import { toolchainLockFile } from '@kiln/toolchain';
import { readToolchainManifest } from '../conformance/graph-sources.ts';

export interface FakeResultsOptions {
  readonly workspace: string;
  /** The checkout, for the list of its toolchain's RPMs. */
  readonly tree: string;
  /** Store to fill. */
  readonly store: string;
}

export interface FakeResults {
  readonly packages: number;
  /** Ids. */
  readonly without: readonly string[];
}

/**
 * Fills the store; specs that can't be planned are removed from the workspace.
 * @returns packages with and without a result: sources of some have no digest, as they come from a signing service.
 */
export async function fakeResults({ workspace, tree, store }: FakeResultsOptions): Promise<FakeResults> {
  const distribution = await plannableDistribution(workspace, readToolchainManifest(tree, 'x86_64'));
  const session = new Session(distribution, createHost(), new Store(createHost(), store));
  const seen = new Set<string>();
  const without: string[] = [];
  const fake = async (project: PackageProject): Promise<void> => {
    if (seen.has(project.id)) return;
    seen.add(project.id);
    for (const id of project.dependencies) await fake(distribution.findPackage(id));
    const { key } = await session.state('rpm', project.id).catch((): TaskState => ({}));
    if (key === undefined) without.push(project.id);
    else await session.store.writeAction({ key, ...(await fakeResult(session.store, project)) });
  };
  const toolchain = await session.state('toolchain', TOOLCHAIN_ORIGIN);
  await session.store.writeAction({ key: toolchain.key!, outputs: {}, facts: {} });
  for (const project of distribution.packages) await fake(project);
  return { packages: seen.size - without.length, without };
}

async function fakeResult(store: Store, { sourcePackage }: PackageProject) {
  const { name: source, packages } = sourcePackage!;
  const rpms = packages.filter(({ built }) => built).map((one) => fakeRpm(one));
  const blobs = await Promise.all(rpms.map(async ({ fileName }) => [fileName, await store.putText(fileName)] as const));
  return { outputs: Object.fromEntries(blobs), facts: { source, rpms } };
}

function fakeRpm({ name, evr, arch, provides, requires }: BinaryPackage) {
  const fileName = rpmFileName({ name, evr, arch });
  const digest = sha256(fileName);
  const same = { kind: 'binary', artifact: digest, content: digest, paths: [], buildTime: 0 } as const;
  return { fileName, name, evr, arch, provides, requires, ...same };
}

/** Gives the toolchain what is missing; then removes the specs that are still broken, and begins again until none is. */
async function plannableDistribution(workspace: string, manifest: ReadonlySet<string>): Promise<Distribution> {
  const offered = new Set<string>();
  for (;;) {
    const distribution = await loadDistribution(workspace);
    const providers = distribution.packages.flatMap(({ id, sourcePackage }) =>
      (sourcePackage?.packages ?? []).filter(({ built }) => built).map((one) => ({ ...one, origin: id })),
    );
    const prebuilt = providers.filter((one) => manifest.has(rpmFileName(one))).flatMap(({ provides }) => provides);
    const index = new ProviderIndex([distribution.toolchain.provider, ...providers]);
    const missing = distribution.packages.flatMap(({ sourcePackage }) =>
      resolveClosure(index, sourcePackage?.buildRequires ?? [], { preferredOrigin: TOOLCHAIN_ORIGIN }).unresolved.map(
        ({ dependency }) => dependency,
      ),
    );
    const before = offered.size;
    for (const { name, evr } of [...prebuilt, ...missing])
      offered.add(evr === undefined ? formatDependency({ name }) : `${name} = ${formatEvr(evr)}`);
    const broken = distribution.packages.filter(isBroken);
    if (broken.length === 0) return distribution;
    if (offered.size > before) offer(workspace, distribution, offered);
    else for (const { directory } of broken) rmSync(join(workspace, directory), { recursive: true, force: true });
  }
}

function offer(workspace: string, { config }: Distribution, capabilities: ReadonlySet<string>): void {
  const file = join(workspace, toolchainLockFile(config.toolchain));
  const lock = JSON.parse(readFileSync(file, 'utf8')) as { libraryCapabilities: string[] };
  const all = new Set([...lock.libraryCapabilities, ...capabilities]);
  writeFileSync(file, JSON.stringify({ ...lock, libraryCapabilities: [...all].sort() }));
}
