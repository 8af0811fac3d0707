/** From evaluated packages to the plan: which packages' RPMs each build root and each image needs. Pure. */
import { nearestWord, type Diagnostic } from '@kiln/diagnostics';
import {
  createSourceGraph,
  findCycles,
  ProviderIndex,
  resolveClosure,
  type Closure,
  type Provider,
  type Unresolved,
} from '@kiln/package-graph';
import { formatDependency, type Dependency, type LocatedDependency } from '@kiln/rpm-package';
import type { EvaluatedPackage, PackageProject } from './package-project.ts';

/** Origin of the capabilities that the toolchain layer offers. */
export const TOOLCHAIN_ORIGIN = 'toolchain';

/** Everything that can be chosen, with and without the toolchain. */
export interface Universe {
  readonly buildIndex: ProviderIndex;
  readonly imageIndex: ProviderIndex;
}

/** Providers of the planned universe: sub-packages with stated and recorded dependencies, and the toolchain. */
export function createUniverse(packages: readonly EvaluatedPackage[], toolchain: Provider): Universe {
  const providers = packages.flatMap(plannedProviders);
  return { buildIndex: new ProviderIndex([toolchain, ...providers]), imageIndex: new ProviderIndex(providers) };
}

/** Adds to each package its planned dependencies; what can't be resolved, and cycles, become diagnostics of the packages concerned. */
export function planPackages(packages: readonly EvaluatedPackage[], universe: Universe): PackageProject[] {
  const nearest = nearestNames(universe.buildIndex.names());
  const recorded = new Set(packages.filter(({ record }) => record !== undefined).map(({ id }) => id));
  const direct = new Map<string, string[]>();
  const problems = new Map<string, Diagnostic[]>();
  for (const one of packages) {
    const buildRequires = one.sourcePackage?.buildRequires ?? [];
    const closure = resolveClosure(universe.buildIndex, buildRequires, { preferredOrigin: TOOLCHAIN_ORIGIN });
    direct.set(one.id, originsOf(closure));
    problems.set(
      one.id,
      closure.unresolved.map((lack) => unresolvedDiagnostic(lack, { buildRequires, nearest })),
    );
  }
  const inCycle = reportCycles(direct, problems);
  return packages.map((one) => ({
    ...one,
    diagnostics: [...one.diagnostics, ...problems.get(one.id)!],
    dependencies: inCycle.has(one.id) ? [] : withUnrecorded(one.id, { direct, recorded, inCycle }),
  }));
}

/** Ids of the source packages whose RPMs an image may need, and what nobody provides. */
export function planImage(
  requirements: readonly Dependency[],
  universe: Universe,
  packages: readonly PackageProject[],
): { dependencies: string[]; unresolved: readonly Unresolved[] } {
  const closure = resolveClosure(universe.imageIndex, requirements);
  const byId = new Map(packages.map((one) => [one.id, one]));
  const ids = new Set<string>();
  for (const id of originsOf(closure)) {
    ids.add(id);
    const project = byId.get(id);
    if (project?.record === undefined) for (const dependency of project?.dependencies ?? []) ids.add(dependency);
  }
  const missingRoots = closure.unresolved.filter(({ requiredBy }) => requiredBy === undefined);
  return { dependencies: [...ids].sort(), unresolved: missingRoots };
}

/** Source ids of a closure's members, without the toolchain; sorted. */
export function originsOf({ members }: Closure): string[] {
  return [...new Set(members.map(({ origin }) => origin))].filter((origin) => origin !== TOOLCHAIN_ORIGIN).sort();
}

function plannedProviders({ id, sourcePackage, record }: EvaluatedPackage): Provider[] {
  return (sourcePackage?.packages ?? [])
    .filter(({ built }) => built)
    .map(({ name, evr, arch, provides, requires, conflicts, obsoletes }) => ({
      origin: id,
      sourceName: sourcePackage!.name,
      name,
      evr,
      arch,
      provides: [...provides, ...(record?.get(name)?.provides ?? [])],
      requires: [...requires, ...(record?.get(name)?.requires ?? [])],
      conflicts,
      obsoletes,
    }));
}

interface DependencyMaps {
  readonly direct: ReadonlyMap<string, readonly string[]>;
  readonly recorded: ReadonlySet<string>;
  readonly inCycle: ReadonlySet<string>;
}

/**
 * A package without a record has run-time needs that are not known yet; they can only come from its own build root, so that
 * the dependencies of such a package count as dependencies of those that use it.
 */
function withUnrecorded(id: string, { direct, recorded, inCycle }: DependencyMaps): string[] {
  const found = new Set<string>();
  const queue = [...(direct.get(id) ?? [])];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    if (!recorded.has(next) && !inCycle.has(next)) queue.push(...(direct.get(next) ?? []));
  }
  found.delete(id);
  return [...found].sort();
}

function reportCycles(
  direct: ReadonlyMap<string, readonly string[]>,
  problems: Map<string, Diagnostic[]>,
): Set<string> {
  const inCycle = new Set<string>();
  for (const members of findCycles(createSourceGraph(direct))) {
    for (const id of members) {
      inCycle.add(id);
      problems.get(id)?.push({
        severity: 'error',
        code: 'DEPENDENCY_CYCLE',
        message: `these packages need one another to be built: ${members.join(', ')}`,
        hint: 'remove a BuildRequires, or let the toolchain provide one of them',
      });
    }
  }
  return inCycle;
}

interface LackContext {
  readonly buildRequires: readonly LocatedDependency[];
  readonly nearest: (name: string) => string | undefined;
}

/** "Did you mean", asked once per name and only of names of about the same length: a slip changes at most a third. */
function nearestNames(names: Iterable<string>): LackContext['nearest'] {
  const byLength = new Map<number, string[]>();
  for (const name of names) {
    const same = byLength.get(name.length);
    if (same === undefined) byLength.set(name.length, [name]);
    else same.push(name);
  }
  const known = new Map<string, string | undefined>();
  return (name) => {
    if (known.has(name)) return known.get(name);
    const most = Math.max(1, Math.floor(name.length / 3));
    const lengths = Array.from({ length: 2 * most + 1 }, (_, at) => name.length - most + at);
    const found = nearestWord(
      name,
      lengths.flatMap((length) => byLength.get(length) ?? []),
    );
    known.set(name, found);
    return found;
  };
}

function unresolvedDiagnostic(
  { dependency, requiredBy, offers }: Unresolved,
  { buildRequires, nearest }: LackContext,
): Diagnostic {
  const text = formatDependency(dependency);
  const location = buildRequires.find((one) => formatDependency(one) === text)?.location;
  const offered = offers.map(formatDependency).join(', ');
  const near = offers.length > 0 ? undefined : nearest(dependency.name);
  const found = offers.length > 0 ? `; the tree offers ${offered}` : '';
  return {
    severity: 'error',
    code: 'DEPENDENCY_UNRESOLVED',
    message:
      requiredBy === undefined
        ? `nothing provides the BuildRequires '${text}'${found}`
        : `nothing provides '${text}', which ${requiredBy} in the build root requires${found}`,
    ...(location === undefined ? {} : { location }),
    hint: near === undefined ? 'add a package that provides it, or remove the requirement' : `did you mean '${near}'?`,
  };
}
