/** Why a package is in a closure: the shortest chain of requirements that leads to it. */
import { formatDependency, simpleDependencies, type Dependency } from '@kiln/rpm-package';
import type { Provider } from './provider.ts';
import type { ProviderIndex } from './provider-index.ts';
import { parseRequirement } from './requirement.ts';

/** One requirement and the package that satisfies it. `requiredBy` is missing at the first step. */
export interface WhyStep {
  readonly requiredBy?: Provider;
  readonly requirement: Dependency;
  readonly satisfiedBy: Provider;
}

export interface WhyQuestion {
  readonly roots: readonly Dependency[];
  readonly members: readonly Provider[];
  readonly isTarget: (provider: Provider) => boolean;
  /** Packages of this origin have no requirements of their own. */
  readonly preferredOrigin?: string;
}

/** The shortest chain from the roots to a target among the members; undefined when no requirement leads there. */
export function explainMember(index: ProviderIndex, question: WhyQuestion): readonly WhyStep[] | undefined {
  const members = new Set(question.members);
  const reached = new Map<Provider, WhyStep>();
  const queue: Provider[] = [];
  const follow = (requirements: readonly Dependency[], requiredBy?: Provider): void => {
    for (const requirement of requirements) {
      for (const satisfiedBy of providersAmong(index, requirement, members)) {
        if (reached.has(satisfiedBy)) continue;
        reached.set(satisfiedBy, { requirement, satisfiedBy, ...(requiredBy === undefined ? {} : { requiredBy }) });
        queue.push(satisfiedBy);
      }
    }
  };
  const sorted = (list: readonly Dependency[]): Dependency[] =>
    [...list].sort((a, b) => (formatDependency(a) < formatDependency(b) ? -1 : 1));
  follow(sorted(question.roots));
  for (let at = 0; at < queue.length; at += 1) {
    const provider = queue[at]!;
    if (question.isTarget(provider)) return chainTo(provider, reached);
    if (provider.origin !== question.preferredOrigin) follow(sorted(provider.requires), provider);
  }
  return undefined;
}

function chainTo(target: Provider, reached: ReadonlyMap<Provider, WhyStep>): WhyStep[] {
  const chain: WhyStep[] = [];
  for (let step = reached.get(target); step !== undefined;) {
    chain.unshift(step);
    step = step.requiredBy === undefined ? undefined : reached.get(step.requiredBy);
  }
  return chain;
}

function providersAmong(index: ProviderIndex, requirement: Dependency, members: ReadonlySet<Provider>): Provider[] {
  return simpleDependencies(parseRequirement(requirement))
    .flatMap((one) => index.whatProvides(one))
    .filter((one) => members.has(one));
}
