import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { askedParallel, parallelLimit, PARALLEL_VARIABLE } from '../src/parallel-limit.ts';

test.each([
  [['nx', 'rpm', 'sed'], undefined],
  [['nx', 'rpm', 'sed', '--parallel=1'], '1'],
  [['nx', 'run-many', '--parallel', '8', '-t', 'rpm'], '8'],
  [['nx', 'run-many', '--maxParallel=3'], '3'],
  [['nx', 'run-many', '--parallel=50%'], '50%'],
  [['nx', 'run-many', '--parallel=false'], '1'],
  [['nx', 'run-many', '--parallel', '-t', 'rpm'], undefined],
  [['nx', 'run', 'x:rpm', '--', '--parallel=7'], undefined],
])('%j asks for %s', (argv, asked) => {
  expect(askedParallel(argv, {})).toBe(asked);
});

test('the environment is asked when the command line says nothing', () => {
  expect(askedParallel(['nx', 'rpm'], { NX_PARALLEL: '5' })).toBe('5');
  expect(askedParallel(['nx', 'rpm', '--parallel=2'], { NX_PARALLEL: '5' })).toBe('2');
});

test.each([
  [undefined, undefined],
  ['', undefined],
  ['many', undefined],
  ['3', 3],
  ['0', 1],
  ['100%', availableParallelism()],
  ['1%', 1],
])('%s is a limit of %s', (text, limit) => {
  expect(parallelLimit(text === undefined ? {} : { [PARALLEL_VARIABLE]: text })).toBe(limit);
});
