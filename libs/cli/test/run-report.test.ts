import { expect, test } from 'vitest';
import { BuildError } from '@kiln/diagnostics';
import { RunTally, tellFailures } from '../src/run-report.ts';
import type { TaskFailure } from '../src/schedule.ts';

const error = (message: string) => new BuildError('RPMBUILD_FAILED', message);
const failure = (name: string, one: BuildError, blocks: string[] = []): TaskFailure => ({ name, error: one, blocks });
const tell = (failed: readonly TaskFailure[], isInterrupted = false) => {
  const told: string[] = [];
  const thrown = tellFailures(failed, { fail: (text) => told.push(text), isInterrupted });
  return { told, thrown };
};

test('a run without failures tells nothing', () => {
  expect(tell([])).toEqual({ told: [], thrown: undefined });
});

test('a single failure is the failure of the command', () => {
  const only = error('no');
  expect(tell([failure('rpm:a', only)])).toEqual({ told: [], thrown: only });
});

test('the failure of a build tells how to look around where it failed', () => {
  const options = { hint: 'read the log', log: 'dist/logs/rpm/a.log' };
  const { thrown } = tell([failure('rpm:a', new BuildError('RPMBUILD_FAILED', 'no', options))]);
  expect((thrown as BuildError).format()).toBe(
    [
      'error RPMBUILD_FAILED: no',
      '  hint: read the log; `npx kiln shell a` opens a shell where it failed',
      '  log: dist/logs/rpm/a.log',
    ].join('\n'),
  );
  const check = tell([failure('check:a', new BuildError('TESTS_FAILED', 'no', options))]).thrown as BuildError;
  expect(check.hint).toBe('read the log; `npx kiln shell --check a` opens a shell where it failed');
  const lint = new BuildError('LINT_FAILED', 'no', options);
  expect(tell([failure('check:a', lint)]).thrown).toBe(lint);
  const image = new BuildError('IMAGE_FAILED', 'no', options);
  expect(tell([failure('image:a', image)]).thrown).toBe(image);
});

test('failures are told with what they hold up, counted', () => {
  const blocks = ['h', 'g', 'f', 'e', 'd', 'c', 'b'].map((id) => `rpm:${id}`);
  const { told, thrown } = tell([
    failure('rpm:a', error('no'), blocks),
    failure('rpm:z', error('neither'), ['image:i']),
  ]);
  expect(told).toEqual([
    'error RPMBUILD_FAILED: no\n  blocks: 7 tasks: rpm b, rpm c, rpm d, rpm e, rpm f and 2 more',
    'error RPMBUILD_FAILED: neither\n  blocks: 1 task: image i',
  ]);
  expect(thrown).toMatchObject({ code: 'TASKS_FAILED', message: '2 tasks failed and 8 could not begin' });
});

test('after an interrupt only the first is told', () => {
  const first = error('interrupted');
  expect(tell([failure('rpm:a', first), failure('rpm:b', error('too'), ['rpm:c'])], true)).toEqual({
    told: [],
    thrown: first,
  });
});

test('the summary counts what was achieved', () => {
  let now = 0;
  const tally = new RunTally(() => now);
  expect(tally.summary()).toBe('0 built, 0 unchanged in 00:00');
  for (const outcome of ['built', 'cached', 'built', 'failed', 'blocked'] as const) tally.count('x', { outcome });
  now = 750_000;
  expect(tally.summary()).toBe('2 built, 1 unchanged, 1 failed, 1 blocked in 12:30');
  expect(tally.summary(3)).toBe('2 built, 1 unchanged, 1 failed, 1 blocked, 3 not begun in 12:30');
});
