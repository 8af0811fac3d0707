import { expect, test } from 'vitest';
import { taskResources } from '../src/task-resources.ts';

const gcc = { target: 'rpm', id: 'gcc/gcc' };
const history = { seconds: 100, cores: 3.5, peakMemoryBytes: 1_000_000_000 };

test.each([
  ['nothing known', undefined, undefined, 2e9, 1],
  ['the default of the distribution', { default: { memoryGB: 0.5 } }, undefined, 5e8, 1],
  ['history with a margin', { default: { memoryGB: 9, cores: 9 } }, history, 1.2e9, 3.5],
  ['history without memory', undefined, { seconds: 1, cores: 0.5 }, 2e9, 0.5],
  ['history that did nothing', undefined, { seconds: 1, cores: 0 }, 2e9, 0.1],
  ['what is stated for the package', { packages: { 'gcc/gcc': { memoryGB: 8, cores: 1 } } }, history, 8e9, 1],
  ['a part that is stated', { packages: { 'gcc/gcc': { cores: 1 } } }, history, 1.2e9, 1],
  ['another package', { packages: { 'sed/sed': { memoryGB: 8 } } }, history, 1.2e9, 3.5],
])('%s', (_, policy, estimate, memoryBytes, cores) => {
  expect(taskResources(policy, gcc, estimate)).toEqual({ memoryBytes, cores });
});

test('a package is not its image', () => {
  const policy = { packages: { 'gcc/gcc': { memoryGB: 8 } } };
  expect(taskResources(policy, { target: 'image', id: 'gcc/gcc' }, undefined).memoryBytes).toBe(2e9);
});
