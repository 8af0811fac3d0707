/** From evaluated packages to the plan: which RPMs each build root and each image needs. Pure. */
import { nearestAmong, type Diagnostic } from '@kiln/diagnostics';
import { resolveClosure, type Closure, type Prediction, type Provider, type Unresolved } from '@kiln/package-graph';
import { formatDependency, isRich, simpleDependencies, type Dependency } from '@kiln/rpm-package';
import { parseRequirement } from '@kiln/package-graph';
import { isSeedOrigin, NO_POLICY, type BootstrapPolicy, type SeedRpm } from './bootstrap-policy.ts';
import type { ToolchainMember } from './toolchain-members.ts';
import type { BuildTask, EvaluatedPackage, PackageProject, RootPlan } from './package-project.ts';
import { planOrder, type Needs, type RootNode } from './plan-order.ts';
import { rootDiagnostics } from './root-diagnostics.ts';
import {
  bootstrapOrigin,
  buildRequiresOf,
  idOfBootstrapOrigin,
  checkName,
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
  /** The packages as their checks evaluate them; by id. */
  readonly checks?: ReadonlyMap<string, EvaluatedPackage>;
  /** The packages whose RPMs the toolchain has; by id. */
  readonly members?: ReadonlyMap<string, ToolchainMember>;
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
  readonly isCheck: boolean;
}

/** Adds to each package its planned root; what can't be resolved, conflicts, and cycles become diagnostics of the packages concerned. */
export function planPackages(
  packages: readonly EvaluatedPackage[],
  universe: Universe,
  options: PlanOptions = {},
): PackageProject[] {
  const roots = resolveRoots(packages, universe, options);
  const all = [...roots.values()];
  const last = all.filter(({ isCheck }) => isCheck);
  const order = planOrder(
    all.filter(({ isCheck }) => !isCheck),
    options.policy ?? NO_POLICY,
    last,
  );
  for (const [name, problems] of order.problems) roots.get(name)?.diagnostics.push(...problems);
  const finish = (root: PlannedRoot): PackageProject => ({
    ...root.one,
    ...rootPlan(root, universe, order.needs.get(root.name)!),
    predicted: root.isBootstrap || root.isCheck ? [] : predictedOf(root.one, universe),
    diagnostics: [...root.one.diagnostics, ...root.diagnostics],
  });
  return packages.map((one) => {
    const bootstrap = roots.get(bootstrapOrigin(one.id));
    const project = finish(roots.get(one.id)!);
    const root = roots.get(checkName(one.id));
    const variant = options.checks?.get(one.id);
    const member = options.members?.get(one.id);
    const check = root === undefined ? variant && inRootOf(project, variant) : finish(root);
    return {
      ...project,
      ...(member === undefined ? {} : memberParts(project, member)),
      ...(bootstrap === undefined ? {} : { bootstrap: finish(bootstrap) }),
      ...(check === undefined ? {} : { check }),
    };
  });
}

/** What can't be found for its build is a matter of its check: nothing is built. */
function memberParts({ diagnostics }: PackageProject, member: ToolchainMember): Partial<PackageProject> {
  return { member, diagnostics: member.problem === undefined ? diagnostics : [...diagnostics, member.problem] };
}

/** A check that asks for the same as the build has the same root. */
function inRootOf(project: PackageProject, variant: EvaluatedPackage): PackageProject {
  const { dependencies, bootstrapDependencies, after, seeds, rootPackages, choices, predictions } = project;
  const root: RootPlan = { dependencies, bootstrapDependencies, after, seeds, rootPackages, choices, predictions };
  return { ...variant, ...root, predicted: [] };
}

function resolveRoots(
  packages: readonly EvaluatedPackage[],
  universe: Universe,
  {
    policy = NO_POLICY,
    variants = new Map(),
    checks = new Map(),
    declared = new Map(),
    members = new Map(),
  }: PlanOptions,
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
  const resolve = (one: EvaluatedPackage, kind: 'rpm' | 'rpm-bootstrap' | 'check'): [string, PlannedRoot] => {
    const [isBootstrap, isCheck] = [kind === 'rpm-bootstrap', kind === 'check'];
    const scope = { id: one.id, isBootstrap };
    const name = isCheck ? checkName(one.id) : isBootstrap ? bootstrapOrigin(one.id) : one.id;
    // A check comes after all packages that are in its root: the policy has nothing to break there.
    const rules = isCheck ? NO_POLICY : policy;
    const index = rootIndex(universe, scope, { policy: rules, bootstraps });
    const requirements = kind === 'rpm' && members.has(one.id) ? [] : buildRequiresOf(one);
    const closure = resolveClosure(index, requirements, { preferredOrigin: TOOLCHAIN_ORIGIN, declared });
    const { hidden, bootstrapIds, seeds } = rootRules(scope, rules);
    const diagnostics = rootDiagnostics(one.sourcePackage, withoutOpen(closure, open), nearest);
    const isKnown = kind === 'rpm' && isRecorded(one, universe);
    const root = {
      name,
      id: one.id,
      isBootstrap,
      isCheck,
      isRecorded: isKnown,
      direct: originsOf(closure),
      hidden,
      bootstrapIds,
      seeds,
    };
    return [name, { ...root, one, requirements, closure, diagnostics }];
  };
  return new Map([
    ...packages.map((one) => resolve(one, 'rpm')),
    ...[...variants.values()].map((one) => resolve(one, 'rpm-bootstrap')),
    ...packages.flatMap((one) => {
      const check = checks.get(one.id);
      const isShared = !members.has(one.id) && check !== undefined && asksTheSame(one, check);
      return check === undefined || isShared ? [] : [resolve(check, 'check')];
    }),
  ]);
}

function asksTheSame(one: EvaluatedPackage, other: EvaluatedPackage): boolean {
  if (one.sourcePackage === other.sourcePackage) return true;
  const [a, b] = [one, other].map((each) => buildRequiresOf(each).map(formatDependency));
  return a!.join('\n') === b!.join('\n');
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
  { all, nearest }: Needs,
): RootPlan {
  const members = closure.members.filter(({ origin }) => origin !== TOOLCHAIN_ORIGIN);
  return {
    dependencies: all.filter((name) => idOfBootstrapOrigin(name) === undefined),
    bootstrapDependencies: all.flatMap((name) => idOfBootstrapOrigin(name) ?? []),
    after: nearest.map((name): BuildTask => {
      const bootstrap = idOfBootstrapOrigin(name);
      return bootstrap === undefined ? ['rpm', name] : ['rpm-bootstrap', bootstrap];
    }),
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
