/** Everything that can be chosen: packages with what specs state, builds recorded, and predictions say; the toolchain. */
import {
  isAmbiguous,
  predictProvides,
  ProviderIndex,
  type Choice,
  type Prediction,
  type Provider,
} from '@kiln/package-graph';
import { parseRequirement } from '@kiln/package-graph';
import { formatDependency, simpleDependencies, type Dependency } from '@kiln/rpm-package';
import { seedProvider, type BootstrapPolicy } from './bootstrap-policy.ts';
import type { EvaluatedPackage } from './package-project.ts';
import type { ProvidesRecord } from './provides-record.ts';

/** Origin of the capabilities that the toolchain layer offers. */
export const TOOLCHAIN_ORIGIN = 'toolchain';

export interface Universe {
  readonly toolchain: Provider;
  /** RPMs of the tree's packages as they are planned. */
  readonly providers: readonly Provider[];
  /** The toolchain and the tree. */
  readonly buildIndex: ProviderIndex;
  /** The tree alone. */
  readonly imageIndex: ProviderIndex;
  /** Provides that nobody states and no build has recorded, by `origin name` of the package. */
  readonly predictions: ReadonlyMap<string, readonly Prediction[]>;
  /** Whether each package was built and recorded. */
  readonly isWhollyRecorded: boolean;
}

export function createUniverse(packages: readonly EvaluatedPackage[], toolchain: Provider): Universe {
  const known = packages.flatMap((one) => plannedProviders(one, one.id, one.record?.packages));
  const predictions = predict(packages, new ProviderIndex([toolchain, ...known]));
  const providers = known.map((one) => withPredictions(one, predictions.get(providerKey(one)) ?? []));
  return {
    toolchain,
    providers,
    predictions,
    isWhollyRecorded: packages.every(({ record }) => record?.packages !== undefined),
    buildIndex: new ProviderIndex([toolchain, ...providers]),
    imageIndex: new ProviderIndex(providers),
  };
}

/** What must be there to build a package: BuildRequires of the spec and those that `%generate_buildrequires` added. */
export function buildRequiresOf({ sourcePackage, record }: EvaluatedPackage): readonly Dependency[] {
  return [...(sourcePackage?.buildRequires ?? []), ...(record?.buildRequires ?? [])];
}

/** Origin of the RPMs of a package's `rpm-bootstrap` target. */
export function bootstrapOrigin(id: string): string {
  return `${BOOTSTRAP_PREFIX}${id}`;
}

const BOOTSTRAP_PREFIX = 'rpm-bootstrap:';

/** The package id of a bootstrap origin; undefined of another one. */
export function idOfBootstrapOrigin(origin: string): string | undefined {
  return origin.startsWith(BOOTSTRAP_PREFIX) ? origin.slice(BOOTSTRAP_PREFIX.length) : undefined;
}

/**
 * RPMs of a package as they are planned. Those of a bootstrap build have the recorded provides, which rarely differ; what they
 * require is known when they are built.
 */
export function plannedProviders(
  { sourcePackage }: EvaluatedPackage,
  origin: string,
  record: ProvidesRecord['packages'],
): Provider[] {
  return (sourcePackage?.packages ?? [])
    .filter(({ built }) => built)
    .map(({ name, evr, arch, provides, requires, conflicts, obsoletes }) => ({
      origin,
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

/**
 * What builds recorded that a package requires and nobody provides: while some packages were never recorded, one of those may. A package
 * that has such requirements counts as not recorded.
 */
export function openRequirements(
  { record }: EvaluatedPackage,
  { buildIndex, isWhollyRecorded }: Pick<Universe, 'buildIndex' | 'isWhollyRecorded'>,
): ReadonlySet<string> {
  if (record?.packages === undefined || isWhollyRecorded) return new Set();
  const requires = [...record.packages.values()].flatMap((one) => one.requires);
  return new Set(requires.filter((one) => buildIndex.whatProvides(one).length === 0).map(formatDependency));
}

/** Whether everything that the RPMs of a package require at run time is known. */
export function isRecorded(one: EvaluatedPackage, universe: Universe): boolean {
  return one.record?.packages !== undefined && openRequirements(one, universe).size === 0;
}

/** What a package's check is called among builds; no RPM has it as its origin. */
export function checkName(id: string): string {
  return `check:${id}`;
}

/** Edges of the policy that are about a build root, and whether it is that of a bootstrap build. */
export interface RootScope {
  readonly id: string;
  readonly isBootstrap: boolean;
}

/**
 * What can be chosen for one build root: the tree without the packages that the policy keeps out, and what it lets in instead.
 * A bootstrap build sees the bootstrap RPMs of all other packages that have them.
 */
export function rootIndex(
  universe: Universe,
  scope: RootScope,
  {
    policy,
    bootstraps,
  }: { readonly policy: BootstrapPolicy; readonly bootstraps: ReadonlyMap<string, readonly Provider[]> },
): ProviderIndex {
  const { hidden, bootstrapIds, seeds } = rootRules(scope, policy);
  if (hidden.size === 0) return universe.buildIndex;
  return new ProviderIndex([
    universe.toolchain,
    ...seeds.map(seedProvider),
    ...[...bootstrapIds].flatMap((id) => bootstraps.get(id) ?? []),
    ...universe.providers.filter(({ origin }) => !hidden.has(origin)),
  ]);
}

/** What the policy says of one build root. */
export function rootRules({ id, isBootstrap }: RootScope, { packages, edges }: BootstrapPolicy) {
  const own = edges.filter((edge) => edge.package === id && !(isBootstrap && edge.from === 'bootstrap'));
  const others = isBootstrap ? [...packages.keys()] : [];
  const fromBootstrap = own.filter(({ from }) => from === 'bootstrap').map(({ requires }) => requires);
  // A final package can't be in its own root, its bootstrap can.
  const itself = !isBootstrap && packages.has(id) ? [id] : [];
  return {
    /** Packages whose RPMs stay out. */
    hidden: new Set([...own.map(({ requires }) => requires), ...others, ...itself]) as ReadonlySet<string>,
    /** Packages whose bootstrap RPMs may come in. */
    bootstrapIds: new Set([
      ...fromBootstrap,
      ...others.filter((other) => other !== id),
      ...itself,
    ]) as ReadonlySet<string>,
    seeds: own.flatMap(({ rpms }) => rpms),
  };
}

/** Same for a package and the predictions about it. */
export function providerKey({ origin, name }: Pick<Provider, 'origin' | 'name'>): string {
  return `${origin} ${name}`;
}

/** Several packages could be taken and no rule of the distribution or of rpm decides. */
export function ambiguousChoices(choices: readonly Choice[]): readonly Choice[] {
  return choices.filter(isAmbiguous);
}

/**
 * Predictions for everything that is needed and that nobody is known to provide. A recorded package has what its record says, but
 * records have no paths.
 */
function predict(packages: readonly EvaluatedPackage[], known: ProviderIndex): Universe['predictions'] {
  const needed = new Set<string>();
  const need = (dependency: Dependency): void => {
    for (const { name } of simpleDependencies(parseRequirement(dependency)))
      if (known.offers(name).length === 0) needed.add(name);
  };
  for (const one of packages) {
    buildRequiresOf(one).forEach(need);
    for (const binary of one.sourcePackage?.packages ?? []) if (binary.built) binary.requires.forEach(need);
    for (const { requires } of one.record?.packages?.values() ?? []) requires.forEach(need);
  }
  const predictable = (of: readonly EvaluatedPackage[]) =>
    of.flatMap(({ id, sourcePackage }) =>
      (sourcePackage?.packages ?? [])
        .filter(({ built }) => built)
        .map(({ name }) => ({
          name,
          origin: id,
          sourceName: sourcePackage!.name,
          files: sourcePackage!.packagedPaths?.[name] ?? [],
        })),
    );
  const isPath = (name: string): boolean => name.startsWith('/');
  const unrecorded = packages.filter(({ record }) => record?.packages === undefined);
  const made = [
    ...predictProvides(
      predictable(unrecorded),
      [...needed].filter((name) => !isPath(name)),
    ),
    ...predictProvides(predictable(packages), [...needed].filter(isPath)),
  ];
  const byPackage = new Map<string, Prediction[]>();
  for (const one of made) {
    const key = providerKey({ origin: one.origin, name: one.package });
    byPackage.set(key, [...(byPackage.get(key) ?? []), one]);
  }
  return byPackage;
}

function withPredictions(provider: Provider, predictions: readonly Prediction[]): Provider {
  if (predictions.length === 0) return provider;
  return {
    ...provider,
    provides: [...provider.provides, ...predictions.map(({ capability }) => ({ name: capability }))],
  };
}
