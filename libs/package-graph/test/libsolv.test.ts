import { expect, test } from 'vitest';
import { ProviderIndex, resolveClosure } from '@kiln/package-graph';
import { formatEvr, parseDependency } from '@kiln/rpm-package';
import recorded from './fixtures/libsolv.json' with { type: 'json' };
import { repository } from './repository-text.ts';

/** Answers of libsolv 0.7.23 to random repositories; null where it finds no solution. `kiln`: ours where both work and the choice differs. */
const cases: readonly {
  readonly packages: readonly string[];
  readonly requirements: readonly string[];
  readonly libsolv: readonly string[] | null;
  readonly kiln?: readonly string[];
}[] = recorded;

test('agrees with libsolv on what can be solved, and chooses as recorded', () => {
  for (const { packages, requirements, libsolv, kiln } of cases) {
    const index = new ProviderIndex(repository(packages.join('\n')));
    const { members, unresolved, conflicts } = resolveClosure(index, requirements.map(parseDependency));
    const isSolved = unresolved.length + conflicts.length === 0;
    const chosen = members.map(({ name, evr }) => `${name}-${formatEvr(evr)}`).sort();
    expect(isSolved ? chosen : null, `${requirements.join('; ')}\n${packages.join('\n')}`).toEqual(kiln ?? libsolv);
  }
});
