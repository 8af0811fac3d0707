/** From evaluated packages to the plan: which RPMs each build root and each image needs. Pure. */
import { nearestAmong, type Diagnostic } from '@kiln/diagnostics';
import { resolveClosure, type Closure, type Prediction, type Provider, type Unresolved } from '@kiln/package-graph';
import { formatDependency, isRich, simpleDependencies, type Dependency } from '@kiln/rpm-package';
import { parseRequirement } from '@kiln/package-graph';
import { isSeedOrigin, NO_POLICY, type BootstrapPolicy, type SeedRpm } from './bootstrap-policy.ts';
import type { EvaluatedPackage, PackageProject, RootPlan } from './package-project.ts';
import { planOrder, type RootNode } from './plan-order.ts';
import { rootDiagnostics } from './root-diagnostics.ts';
import {
  bootstrapOrigin,
  buildRequiresOf,
  isRecorded,
  openRequirements,
  plannedProviders,
  providerKey,
  rootIndex,
  rootRules,
  TOOLCHAIN_ORIGIN,
  type Universe,
} from './universe.ts';

export interface PlanOptions {
  readonly policy?: BootstrapPolicy;
  /** The packages that the policy names, as their bootstrap builds evaluate them; by id. */
  readonly variants?: ReadonlyMap<string, EvaluatedPackage>;
  /** The distribution's word where several packages provide a capability. */
  readonly declared?: ReadonlyMap<string, string>;
}

/** A build root with what was found for it. */
interface PlannedRoot extends RootNode {
  readonly one: EvaluatedPackage;
  readonly requirements: readonly Dependency[];
  readonly closure: Closure;
  readonly diagnostics: Diagnostic[];
  readonly seeds: readonly SeedRpm[];
}

/** Adds to each package its planned root; what can't be resolved, conflicts, and cycles become diagnostics of the packages concerned. */
export function planPackages(
  packages: readonly EvaluatedPackage[],
  universe: Universe,
  options: PlanOptions = {},
): PackageProject[] {
  const roots = resolveRoots(packages, universe, options);
  const order = planOrder([...roots.values()], options.policy ?? NO_POLICY);
  for (const [name, problems] of order.problems) roots.get(name)?.diagnostics.push(...problems);
  const finish = (root: PlannedRoot): PackageProject => ({
    ...root.one,
    ...rootPlan(root, universe, order.needs.get(root.name) ?? []),
    predicted: root.isBootstrap ? [] : predictedOf(root.one, universe),
    diagnostics: [...root.one.diagnostics, ...root.diagnostics],
  });
  return packages.map((one) => {
    const bootstrap = roots.get(bootstrapOrigin(one.id));
    const project = finish(roots.get(one.id)!);
    return bootstrap === undefined ? project : { ...project, bootstrap: finish(bootstrap) };
  });
}

function resolveRoots(
  packages: readonly EvaluatedPackage[],
  universe: Universe,
  { policy = NO_POLICY, variants = new Map(), declared = new Map() }: PlanOptions,
): Map<string, PlannedRoot> {
  const nearest = nearestAmong(universe.buildIndex.names());
  const records = new Map(packages.map(({ id, record }) => [id, record?.packages]));
  const bootstraps = new Map(
    [...variants].map(([id, one]): [string, Provider[]] => {
      const provides = [...(records.get(id) ?? [])].map(
        ([name, { provides: list }]) => [name, { provides: list, requires: [] }] as const,
      );
      return [id, plannedProviders(one, bootstrapOrigin(id), new Map(provides))];
    }),
  );
  const open = new Map(packages.map((one) => [one.id, openRequirements(one, universe)]));
  const resolve = (one: EvaluatedPackage, isBootstrap: boolean): [string, PlannedRoot] => {
    const scope = { id: one.id, isBootstrap };
    const name = isBootstrap ? bootstrapOrigin(one.id) : one.id;
    const index = rootIndex(universe, scope, { policy, bootstraps });
    const requirements = buildRequiresOf(one);
    const closure = resolveClosure(index, requirements, { preferredOrigin: TOOLCHAIN_ORIGIN, declared });
    const { hidden, bootstrapIds, seeds } = rootRules(scope, policy);
    const diagnostics = rootDiagnostics(one.sourcePackage, withoutOpen(closure, open), nearest);
    const isKnown = !isBootstrap && isRecorded(one, universe);
    const root = {
      name,
      id: one.id,
      isBootstrap,
      isRecorded: isKnown,
      direct: originsOf(closure),
      hidden,
      bootstrapIds,
      seeds,
    };
    return [name, { ...root, one, requirements, closure, diagnostics }];
  };
  return new Map([
    ...packages.map((one) => resolve(one, false)),
    ...[...variants.values()].map((one) => resolve(one, true)),
  ]);
}

/** Without requirements that a package which was never recorded may meet: the build will tell. */
function withoutOpen(closure: Closure, open: ReadonlyMap<string, ReadonlySet<string>>): Closure {
  const originOf = new Map(closure.members.map(({ name, origin }) => [name, origin]));
  const unresolved = closure.unresolved.filter(({ dependency, requiredBy = '' }) => {
    const texts = open.get(originOf.get(requiredBy) ?? '');
    return texts?.has(formatDependency(dependency)) !== true;
  });
  return { ...closure, unresolved };
}

function rootPlan(
  { closure, requirements, seeds }: PlannedRoot,
  universe: Universe,
  needs: readonly string[],
): RootPlan {
  const members = closure.members.filter(({ origin }) => origin !== TOOLCHAIN_ORIGIN);
  return {
    dependencies: needs.filter((name) => !isBootstrapName(name)),
    bootstrapDependencies: needs.filter(isBootstrapName).map((name) => name.slice(bootstrapOrigin('').length)),
    seeds,
    rootPackages: namesOf(members),
    choices: closure.choices,
    predictions: restedOn(closure, requirements, universe),
  };
}

function predictedOf({ id, sourcePackage }: EvaluatedPackage, { predictions }: Universe): Prediction[] {
  if (predictions.size === 0) return [];
  return (sourcePackage?.packages ?? []).flatMap(
    ({ name }) => predictions.get(providerKey({ origin: id, name })) ?? [],
  );
}

function isBootstrapName(name: string): boolean {
  return name.startsWith(bootstrapOrigin(''));
}

/** The predictions that met a requirement of this root. */
function restedOn({ members }: Closure, requirements: readonly Dependency[], universe: Universe): Prediction[] {
  const possible = members.flatMap((one) => universe.predictions.get(providerKey(one)) ?? []);
  if (possible.length === 0) return [];
  const capabilities = new Set(possible.map(({ capability }) => capability));
  const needed = new Set<string>();
  const need = (one: Dependency): void => {
    if (!isRich(one)) {
      if (capabilities.has(one.name)) needed.add(one.name);
    } else for (const { name } of simpleDependencies(parseRequirement(one))) needed.add(name);
  };
  requirements.forEach(need);
  for (const { requires } of members) requires.forEach(need);
  return possible.filter(({ capability }) => needed.has(capability));
}

/** What an image is planned to hold. */
export interface ImagePlan {
  /** Ids of the source packages whose RPMs may be in it; sorted. */
  readonly dependencies: readonly string[];
  readonly rootPackages: readonly string[];
  /** What it asks for and nobody provides. */
  readonly unresolved: readonly Unresolved[];
  readonly conflicts: Closure['conflicts'];
}

export function planImage(
  requirements: readonly Dependency[],
  universe: Universe,
  packages: readonly PackageProject[],
): ImagePlan {
  const closure = resolveClosure(universe.imageIndex, requirements);
  const byId = new Map(packages.map((one) => [one.id, one]));
  const ids = new Set<string>();
  for (const id of originsOf(closure)) {
    ids.add(id);
    const project = byId.get(id);
    if (project !== undefined && !isRecorded(project, universe))
      for (const dependency of project.dependencies) ids.add(dependency);
  }
  return {
    dependencies: [...ids].sort(),
    rootPackages: namesOf(closure.members),
    unresolved: closure.unresolved.filter(({ requiredBy }) => requiredBy === undefined),
    conflicts: closure.conflicts,
  };
}

/** `name (origin)` of RPMs, sorted. */
function namesOf(members: readonly Provider[]): string[] {
  return members.map(({ name, origin }) => `${name} (${origin})`).sort();
}

/** Origins of a closure's members that are built here: not the toolchain, not seeds; sorted. */
export function originsOf({ members }: Closure): string[] {
  const origins = new Set(members.map(({ origin }) => origin));
  return [...origins].filter((origin) => origin !== TOOLCHAIN_ORIGIN && !isSeedOrigin(origin)).sort();
}
