import { expect, test } from 'vitest';
import { digestOf } from '@kiln/build-identity';
import { comparePlans, type PlanKey } from '@kiln/distribution';

const plan = (tasks: Record<string, Record<string, string>>): Map<string, PlanKey> =>
  new Map(Object.entries(tasks).map(([task, parts]) => [task, { key: digestOf(parts), parts }]));

test('only tasks whose key differs are named, with the parts that differ', () => {
  const before = plan({ 'rpm:one': { spec: '1', common: 'c' }, 'rpm:two': { 'rpm:one': 'x' }, 'rpm:old': {} });
  const after = plan({ 'rpm:one': { spec: '2', common: 'c' }, 'rpm:two': { 'rpm:one': 'x' }, 'rpm:new': {} });
  expect(comparePlans(before, after)).toEqual([
    { task: 'rpm:new', kind: 'added', reasons: [] },
    { task: 'rpm:old', kind: 'removed', reasons: [] },
    { task: 'rpm:one', kind: 'changed', reasons: ['spec'] },
  ]);
});

test('a part that came or went is a reason', () => {
  const before = plan({ 'rpm:one': { spec: '1' } });
  const after = plan({ 'rpm:one': { spec: '1', 'fix.patch': 'p' } });
  expect(comparePlans(before, after)[0]!.reasons).toEqual(['fix.patch']);
});
