import { expect, test } from 'vitest';
import {
  findConflicts,
  holds,
  parseRequirement,
  ProviderIndex,
  resolveClosure,
  type Provider,
} from '@kiln/package-graph';
import { parseDependency, type Dependency } from '@kiln/rpm-package';
import { randomNumbers, randomRepository } from './random-repository.ts';
import { repository } from './repository-text.ts';

const seeds = Array.from({ length: 600 }, (_, index) => index + 1);

function works(installed: ReadonlySet<Provider>, roots: readonly Dependency[], index: ProviderIndex): boolean {
  const among = (one: Dependency): readonly Provider[] =>
    index.whatProvides(one).filter((found) => installed.has(found));
  const requirements = [...roots, ...[...installed].flatMap(({ requires }) => requires)];
  return (
    requirements.every((one) => holds(parseRequirement(one), among)) && findConflicts(installed, index).length === 0
  );
}

function anySubsetWorks(providers: readonly Provider[], roots: readonly Dependency[], index: ProviderIndex): boolean {
  for (let mask = 0; mask < 2 ** providers.length; mask += 1) {
    if (works(new Set(providers.filter((_, at) => (mask >> at) & 1)), roots, index)) return true;
  }
  return false;
}

test('a closure without complaints works; there is one whenever any set of packages works', () => {
  let solved = 0;
  for (const seed of seeds) {
    const { packages, requirements } = randomRepository(seed);
    const providers = repository(packages.join('\n'));
    const index = new ProviderIndex(providers);
    const roots = requirements.map(parseDependency);
    const { members, unresolved, conflicts } = resolveClosure(index, roots);
    const clean = unresolved.length + conflicts.length === 0;
    expect(new Set(members).size, `seed ${seed}: nothing twice`).toBe(members.length);
    if (clean) expect(works(new Set(members), roots, index), `seed ${seed}`).toBe(true);
    else expect(anySubsetWorks(providers, roots, index), `seed ${seed}`).toBe(false);
    if (clean) solved += 1;
  }
  expect(solved).toBeGreaterThan(100);
});

test('the same closure in any order of the input', () => {
  for (const seed of seeds) {
    const { packages, requirements } = randomRepository(seed);
    const plan = (order: (list: readonly string[]) => string[]) => {
      const index = new ProviderIndex(repository(order(packages).join('\n')));
      const { members, ...rest } = resolveClosure(index, order(requirements).map(parseDependency));
      const offers = rest.unresolved.map((one) => ({ ...one, offers: one.offers.length }));
      return JSON.stringify([members.map(({ name, evr }) => [name, evr]), rest.choices, rest.conflicts, offers]);
    };
    const random = randomNumbers(seed);
    const shuffled = (list: readonly string[]): string[] =>
      list
        .map((text) => ({ text, at: random() }))
        .sort((a, b) => a.at - b.at)
        .map(({ text }) => text);
    const expected = plan((list) => [...list]);
    expect(
      plan((list) => [...list].reverse()),
      `seed ${seed}`,
    ).toBe(expected);
    expect(plan(shuffled), `seed ${seed}`).toBe(expected);
  }
});
