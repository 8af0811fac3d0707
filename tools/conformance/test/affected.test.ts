import { join } from 'node:path';
import { digestOf } from '@kiln/build-identity';
import { planKeys, type Distribution, type PlanKey } from '@kiln/distribution';
import { expect, test } from 'vitest';
import { checkAffected } from '../affected-report.ts';
import { bruteForce } from '../brute-force.ts';

const tree = join(import.meta.dirname, '../../..');

test(
  'random changes of this tree: what may rebuild by keys is what a naive recomputation says',
  { timeout: 300_000 },
  async () => {
    const { changes, selected, differences } = await checkAffected({ tree, changes: 25, seed: 5 });
    expect(differences).toEqual([]);
    expect(changes).toBe(25);
    expect(selected).toBeGreaterThan(25);
  },
);

/** Plan keys as they would be if parts of such names had been forgotten. */
function forgetting(forgotten: RegExp): (distribution: Distribution) => Map<string, PlanKey> {
  return (distribution) => {
    const whole = planKeys(distribution);
    const made = new Map<string, PlanKey>();
    const make = (task: string): PlanKey => {
      const known = made.get(task);
      if (known !== undefined) return known;
      const kept = Object.entries(whole.get(task)!.parts).filter(([name]) => !forgotten.test(name));
      const parts = Object.fromEntries(
        kept.map(([name, value]) => [name, name !== task && whole.has(name) ? make(name).key : value]),
      );
      const key = { key: digestOf(parts), parts };
      made.set(task, key);
      return key;
    };
    for (const task of whole.keys()) make(task);
    return made;
  };
}

/** As many seeds as it takes until a change of that kind is made: which one does depends on what the tree has. */
test.each([
  ['specs', /\.spec$/],
  ['patches', /\.patch$/],
  ['macro files', /^toolkit\/macros\//],
  ['the toolchain', /^toolchain/],
  ['defines', /^defines$/],
  ['what is built before', /^rpm:/],
])('plan keys that forget %s are found', { timeout: 900_000 }, async (_, forgotten) => {
  const missing: string[] = [];
  for (let seed = 3; seed < 13 && missing.length === 0; seed += 1) {
    const found = await checkAffected({ tree, changes: 40, seed, packages: 12, keysOf: forgetting(forgotten) });
    missing.push(...found.differences.flatMap((one) => one.missing));
    expect(found.differences.flatMap(({ tooMany }) => tooMany)).toEqual([]);
  }
  expect(missing).not.toEqual([]);
});

test('the recomputation sees what changed before a task, and what came and went', () => {
  const tasks = (entries: Record<string, [string, string[]]>) =>
    new Map(Object.entries(entries).map(([name, [text, before]]) => [name, { inputs: { text }, before }]));
  const before = tasks({ a: ['1', []], b: ['1', ['a']], c: ['1', []], old: ['1', []] });
  const after = tasks({ a: ['2', []], b: ['1', ['a']], c: ['1', []], new: ['1', []] });
  expect(bruteForce(before, after)).toEqual(['a', 'b', 'new', 'old']);
  expect(bruteForce(before, before)).toEqual([]);
});
