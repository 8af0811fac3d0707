import { join } from 'node:path';
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

test('the recomputation sees what changed before a task, and what came and went', () => {
  const tasks = (entries: Record<string, [string, string[]]>) =>
    new Map(Object.entries(entries).map(([name, [text, before]]) => [name, { inputs: { text }, before }]));
  const before = tasks({ a: ['1', []], b: ['1', ['a']], c: ['1', []], old: ['1', []] });
  const after = tasks({ a: ['2', []], b: ['1', ['a']], c: ['1', []], new: ['1', []] });
  expect(bruteForce(before, after)).toEqual(['a', 'b', 'new', 'old']);
  expect(bruteForce(before, before)).toEqual([]);
});
