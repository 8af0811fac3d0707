/** Which of several packages is taken, and why. */
import { compareEvr, simpleDependencies, type Dependency, type RichDependency } from '@kiln/rpm-package';
import { compareText, type Provider } from './provider.ts';
import type { ProviderIndex } from './provider-index.ts';

export type ChoiceReason =
  | 'preferred origin'
  | 'already chosen'
  | 'declared'
  | 'same name'
  | 'same source'
  | 'own source'
  | 'written first'
  | 'newest'
  | 'first by name'
  | 'others fail';

/** Why a provider was taken when there were several. `others` are package names. */
export interface Choice {
  readonly dependency: string;
  readonly chosen: string;
  readonly others: readonly string[];
  readonly reason: ChoiceReason;
}

/** True when no rule decided: the packages have different names and only their order made the choice. */
export function isAmbiguous({ reason }: Choice): boolean {
  return reason === 'first by name';
}

export interface RankContext {
  readonly dependency: Dependency;
  readonly formula: RichDependency;
  /** Packages that require it. */
  readonly requirers: ReadonlySet<Provider>;
  /** Declared by the distribution: name of the package to take, by name of the capability. */
  readonly declared: ReadonlyMap<string, string>;
  readonly index: ProviderIndex;
}

export interface RankedProvider {
  readonly provider: Provider;
  readonly reason: ChoiceReason;
}

/**
 * Candidates from the best to the last: the declared one, the package of that name, one from the source package of a
 * requirer, one whose source package has its name (not a sub-package of another), the first alternative of an `or`; then by name, the newest first.
 */
export function rankProviders(candidates: readonly Provider[], context: RankContext): RankedProvider[] {
  const origins = new Set([...context.requirers].map(({ origin }) => origin));
  const { dependency, declared } = context;
  const first = firstAlternative(context);
  const rules: [ChoiceReason, (one: Provider) => boolean][] = [
    ['declared', (one) => one.name === declared.get(dependency.name)],
    ['same name', (one) => one.name === dependency.name],
    ['same source', (one) => origins.has(one.origin)],
    ['own source', (one) => one.name === dependency.name && one.sourceName === one.name],
    ['written first', (one) => first.has(one)],
  ];
  const isDividing = ([, rule]: (typeof rules)[number]): boolean => new Set(candidates.map(rule)).size > 1;
  const dividing = rules.filter(isDividing);
  const last: ChoiceReason = new Set(candidates.map(({ name }) => name)).size === 1 ? 'newest' : 'first by name';
  const compare = (a: Provider, b: Provider): number => {
    const deciding = dividing.find(([, rule]) => rule(a) !== rule(b));
    return deciding === undefined ? byNameThenNewest(a, b) : deciding[1](a) ? -1 : 1;
  };
  return [...candidates].sort(compare).map((provider) => ({
    provider,
    reason: dividing.find(([, rule]) => rule(provider))?.[0] ?? last,
  }));
}

/** Name, then the highest EVR first, then architecture and origin. */
export function byNameThenNewest(a: Provider, b: Provider): number {
  return (
    compareText(a.name, b.name) ||
    compareEvr(b.evr, a.evr) ||
    compareText(a.arch, b.arch) ||
    compareText(a.origin, b.origin)
  );
}

function firstAlternative({ formula, index }: RankContext): ReadonlySet<Provider> {
  if (formula.kind !== 'or') return new Set();
  return new Set(simpleDependencies(formula.operands[0]!).flatMap((one) => index.whatProvides(one)));
}
