/** The run-time closure: everything that must be installed so that a list of requirements holds. */
import { formatDependency, type Dependency } from '@kiln/rpm-package';
import type { Choice } from './choice.ts';
import { ClosureAttempt } from './closure-attempt.ts';
import type { Conflict } from './conflicts.ts';
import { compareProviders, compareText, type Provider } from './provider.ts';
import type { ProviderIndex } from './provider-index.ts';

/** A requirement that nothing satisfies. `requiredBy` is a package name, or undefined for a root requirement. */
export interface Unresolved {
  readonly dependency: Dependency;
  readonly requiredBy?: string;
  /** Versions on offer when only the version doesn't fit. */
  readonly offers: readonly Dependency[];
}

export interface Closure {
  /** Chosen packages sorted by origin, then name. */
  readonly members: readonly Provider[];
  readonly unresolved: readonly Unresolved[];
  /** Members that exclude each other; not empty only when no other choice of providers avoids it. */
  readonly conflicts: readonly Conflict[];
  /** Sorted by dependency. */
  readonly choices: readonly Choice[];
}

export interface ClosureOptions {
  /** Origin that wins over all others (the toolchain in a build root); its packages' own requirements and conflicts don't count. */
  readonly preferredOrigin?: string;
  /** The distribution's word where several packages provide a capability: name of the package, by name of the capability. */
  readonly declared?: ReadonlyMap<string, string>;
}

/** Runs of a search after which its first result is taken as it is. */
const MAX_ATTEMPTS = 64;

/**
 * Follows requirements from `roots` to a fixed point. What has one provider is installed first; then the open requirements are
 * decided one by one in the order of their texts (see `rankProviders`), so that the order of the input has no influence. A decision
 * whose consequences conflict or can't be satisfied is taken back while there is an alternative; what no decision avoids is reported.
 * `rpmlib(…)` requirements concern rpm itself and are passed over.
 */
export function resolveClosure(
  index: ProviderIndex,
  roots: readonly Dependency[],
  options: ClosureOptions = {},
): Closure {
  const attempt = (taken: readonly number[]): ClosureAttempt => new ClosureAttempt(index, options, taken).run(roots);
  const first = attempt([]);
  const found = search(first, attempt, 'lacks count') ?? search(first, attempt, 'lacks are kept') ?? first;
  return toClosure(index, found);
}

/**
 * Depth first over the decisions; undefined when there is no way without issues, or it takes too long to find. With `lacks are kept`,
 * a decision whose alternatives all lack something but conflict with nothing is no issue.
 */
function search(
  first: ClosureAttempt,
  attempt: (taken: readonly number[]) => ClosureAttempt,
  mode: 'lacks count' | 'lacks are kept',
): ClosureAttempt | undefined {
  const tolerated = new Set<string>();
  const conflicting = new Set<string>();
  let current = first;
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts += 1) {
    const { levels } = current;
    const path = (end: number): string => pathOf(levels.slice(1, end));
    const bad = levels.findIndex(({ issues }, at) => at > 0 && issues.length > 0 && !tolerated.has(path(at)));
    if (bad < 0) return current;
    if (mode === 'lacks count' || levels[bad]!.issues.includes('conflict')) conflicting.add(path(bad));
    let at = bad;
    while (at > 0 && levels[at]!.taken + 1 >= levels[at]!.alternatives && conflicting.has(path(at))) {
      at -= 1;
      if (at > 0) conflicting.add(path(at));
    }
    if (at === 0) return undefined;
    const isExhausted = levels[at]!.taken + 1 >= levels[at]!.alternatives;
    if (isExhausted) tolerated.add(path(at));
    const before = levels.slice(1, at).map(({ taken }) => taken);
    current = attempt([...before, isExhausted ? 0 : levels[at]!.taken + 1]);
  }
  return undefined;
}

function pathOf(levels: readonly { readonly taken: number }[]): string {
  return levels.map(({ taken }) => taken).join(' ');
}

function toClosure(index: ProviderIndex, { members, lacks, conflicts, choices }: ClosureAttempt): Closure {
  const unresolved = lacks.map(({ requirement: { dependency }, requirers, isRoot }): Unresolved => {
    const names = requirers.map(({ name }) => name).sort();
    return {
      dependency,
      offers: index.offers(dependency.name),
      ...(isRoot || names.length === 0 ? {} : { requiredBy: names[0]! }),
    };
  });
  return {
    members: [...members].sort((a, b) => compareText(a.origin, b.origin) || compareProviders(a, b)),
    unresolved: unresolved.sort((a, b) => compareText(formatDependency(a.dependency), formatDependency(b.dependency))),
    conflicts,
    choices: [...choices].sort((a, b) => compareText(a.dependency, b.dependency)),
  };
}
