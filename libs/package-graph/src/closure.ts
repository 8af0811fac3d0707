/** The run-time closure: everything that must be installed so that a list of requirements holds. */
import { compareEvr, formatDependency, isRich, type Dependency } from '@kiln/rpm-package';
import type { Provider, ProviderIndex } from './provider-index.ts';

/** A requirement that nothing satisfies. `requiredBy` is a package name, or undefined for a root requirement. */
export interface Unresolved {
  readonly dependency: Dependency;
  readonly requiredBy?: string;
  /** Versions on offer when only the version doesn't fit. */
  readonly offers: readonly Dependency[];
}

/** Why a provider was taken when there were several. */
export interface Choice {
  readonly dependency: string;
  readonly chosen: string;
  readonly others: readonly string[];
  readonly reason: 'already chosen' | 'preferred origin' | 'same name' | 'same source' | 'newest' | 'first by name';
}

export interface Closure {
  /** Chosen packages sorted by origin, then name. */
  readonly members: readonly Provider[];
  readonly unresolved: readonly Unresolved[];
  readonly choices: readonly Choice[];
}

export interface ClosureOptions {
  /** Origin that wins over all others (the toolchain in a build root); its packages' own requirements are not followed. */
  readonly preferredOrigin?: string;
}

/**
 * Follows requirements from `roots` to a fixed point. Deterministic: breadth first in the order given; among several providers one
 * that is already chosen, then the preferred origin, then the package of that name, then the requiring package's own source, then the newest.
 * `rpmlib(…)` requirements concern rpm itself and are passed over.
 */
export function resolveClosure(
  index: ProviderIndex,
  roots: readonly Dependency[],
  options: ClosureOptions = {},
): Closure {
  const chosen = new Set<Provider>();
  const unresolved: Unresolved[] = [];
  const choices: Choice[] = [];
  const seen = new Set<string>();
  const queue: { dependency: Dependency; by?: Provider }[] = roots.map((dependency) => ({ dependency }));
  for (let at = 0; at < queue.length; at += 1) {
    const { dependency, by } = queue[at]!;
    const text = formatDependency(dependency);
    if (seen.has(text) || dependency.name.startsWith('rpmlib(')) continue;
    seen.add(text);
    const candidates = isRich(dependency) ? [] : index.whatProvides(dependency);
    const [provider, reason] = choose(candidates, { dependency, by, chosen, preferred: options.preferredOrigin });
    if (provider === undefined) {
      unresolved.push({
        dependency,
        offers: index.offers(dependency.name),
        ...(by === undefined ? {} : { requiredBy: by.name }),
      });
      continue;
    }
    if (candidates.length > 1 && reason !== undefined) {
      const others = candidates.filter((one) => one !== provider).map(({ name }) => name);
      choices.push({ dependency: text, chosen: provider.name, others, reason });
    }
    if (chosen.has(provider)) continue;
    chosen.add(provider);
    if (provider.origin === options.preferredOrigin) continue;
    for (const requirement of provider.requires) queue.push({ dependency: requirement, by: provider });
  }
  const members = [...chosen].sort((a, b) => compareText(a.origin, b.origin) || compareText(a.name, b.name));
  return { members, unresolved, choices };
}

interface ChoiceContext {
  readonly dependency: Dependency;
  readonly by: Provider | undefined;
  readonly chosen: ReadonlySet<Provider>;
  readonly preferred: string | undefined;
}

function choose(
  candidates: readonly Provider[],
  context: ChoiceContext,
): [Provider | undefined, Choice['reason'] | undefined] {
  const rules: [Choice['reason'], (one: Provider) => boolean][] = [
    ['preferred origin', (one) => one.origin === context.preferred],
    ['already chosen', (one) => context.chosen.has(one)],
    ['same name', (one) => one.name === context.dependency.name],
    ['same source', (one) => one.origin === context.by?.origin],
  ];
  for (const [reason, rule] of rules) {
    const fitting = candidates.filter(rule);
    if (fitting.length > 0) return [newest(fitting), reason];
  }
  if (candidates.length === 0) return [undefined, undefined];
  const names = new Set(candidates.map(({ name }) => name));
  return [newest(candidates), names.size === 1 ? 'newest' : 'first by name'];
}

function newest(candidates: readonly Provider[]): Provider {
  return [...candidates].sort(
    (a, b) => compareText(a.name, b.name) || compareEvr(b.evr, a.evr) || compareText(a.origin, b.origin),
  )[0]!;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
