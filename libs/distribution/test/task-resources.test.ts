import { expect, test } from 'vitest';
import { taskResources } from '../src/task-resources.ts';

const history = { seconds: 100, cores: 3.5, peakMemoryBytes: 1_000_000_000 };

test.each([
  ['nothing known', {}, undefined, 2e9, 1],
  ['the default of the distribution', { usual: { memoryGB: 0.5 } }, undefined, 5e8, 1],
  ['history with a margin', { usual: { memoryGB: 9, cores: 9 } }, history, 1.2e9, 3.5],
  ['history without memory', {}, { seconds: 1, cores: 0.5 }, 2e9, 0.5],
  ['history that did nothing', {}, { seconds: 1, cores: 0 }, 2e9, 0.1],
  ['what is stated for the package', { own: { memoryGB: 8, cores: 1 } }, history, 8e9, 1],
  ['a part that is stated', { own: { cores: 1 } }, history, 1.2e9, 1],
])('%s', (_, policy, estimate, memoryBytes, cores) => {
  expect(taskResources({ own: undefined, usual: undefined, ...policy }, estimate)).toEqual({ memoryBytes, cores });
});
