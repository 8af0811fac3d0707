/**
 * Trees of builds of this run that wait for their checks, by action key: what was built for another request is never found. Without one
 * a check builds by itself.
 */
import { statfs } from 'node:fs/promises';
import { digestOf, type Sha256 } from '@kiln/build-identity';
import type { Host } from '@kiln/host';
import { checkRequest, removeBuildTree, type BuildTree } from '@kiln/package-build';
import { buildInput, type BuildInput } from './build-input.ts';
import { checkDefines } from './check-variants.ts';
import type { Distribution } from './distribution.ts';
import type { PackageProject } from './package-project.ts';
import { skipReason } from './package-settings.ts';
import type { Session } from './session.ts';

/** Of the disk that the store is on: trees are kept only while more is free. */
const FREE_SHARE = 0.05;

export class BuildTrees {
  readonly #expected = new Set<string>();
  readonly #kept = new Map<Sha256, BuildTree>();

  /** Packages whose checks belong to this run. */
  expect(ids: Iterable<string>): void {
    for (const id of ids) this.#expected.add(id);
  }

  isExpected(id: string): boolean {
    return this.#expected.has(id);
  }

  keep(key: Sha256, tree: BuildTree): void {
    this.#kept.set(key, tree);
  }

  /** The tree, once: a check changes it. */
  take(key: Sha256): BuildTree | undefined {
    const tree = this.#kept.get(key);
    this.#kept.delete(key);
    return tree;
  }

  async removeAll(host: Host): Promise<void> {
    for (const tree of this.#kept.values()) await removeBuildTree(host, tree);
    this.#kept.clear();
  }
}

/** Whether the tree of a package's build should be kept for its check. */
export async function wantsTree({ distribution, store, trees }: Session, project: PackageProject): Promise<boolean> {
  if (!trees.isExpected(project.id) || !buildsTheSame(distribution, project)) return false;
  const { bavail, blocks } = await statfs(store.directory);
  return bavail > blocks * FREE_SHARE;
}

/** The tree of the package's build, when a check with this input would build exactly the same. */
export async function treeFor(session: Session, { project, request }: BuildInput): Promise<BuildTree | undefined> {
  const own = session.distribution.findPackage(project.id);
  if (!buildsTheSame(session.distribution, own)) return undefined;
  const [{ key }, input] = [await session.state('rpm', own.id), await buildInput(session, own)];
  if (key === undefined || input === undefined) return undefined;
  const asCheck = checkRequest({ ...input.request, defines: request.defines });
  return digestOf(asCheck) === digestOf(checkRequest(request)) ? session.trees.take(key) : undefined;
}

/** Whether spec and macro files say the same for the check as for the build, but in `%check` itself. */
function buildsTheSame({ config, macroFiles }: Distribution, project: PackageProject): boolean {
  const { check, sourcePackage } = project;
  if (project.member !== undefined || check?.sourcePackage?.hasCheck !== true || skipReason(project) !== undefined)
    return false;
  if (check.sourcePackage.buildText !== sourcePackage?.buildText) return false;
  // rpmbuild wraps scripts into macros that evaluation doesn't expand.
  return !Object.keys(checkDefines(config)).some((name) => macroFiles.some(({ text }) => text.includes(name)));
}
