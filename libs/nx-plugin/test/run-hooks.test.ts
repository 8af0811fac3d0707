import type { ProjectConfiguration, TaskGraph, TaskResults } from '@nx/devkit';
import { expect, test } from 'vitest';
import { beforeTasks, countTasks } from '../src/run-hooks.ts';
import { EXECUTOR, tasksOfRun } from '../src/task-counts.ts';

const result = (project: string, target: string, status: string) =>
  ({ task: { target: { project, target } }, status }) as unknown as TaskResults[string];

test('a run has a name and the limit that was asked for', () => {
  const environment: NodeJS.ProcessEnv = {};
  beforeTasks({ argv: ['nx', 'rpm', '--parallel=2'] }, environment);
  expect(environment['KILN_RUN']).toMatch(/^\d{4}-\d\d-\d\dT[\d-]+-\d+$/);
  expect(environment['KILN_PARALLEL']).toBe('2');
  environment['KILN_RUN'] = 'the one before';
  beforeTasks({ argv: ['nx', 'rpm'] }, environment);
  expect(environment['KILN_RUN']).not.toBe('the one before');
  expect(environment['KILN_PARALLEL']).toBe('');
  expect(environment['KILN_BAIL']).toBe('');
  beforeTasks({ argv: ['nx', 'run-many', '-t', 'rpm', '--nxBail'] }, environment);
  expect(environment['KILN_BAIL']).toBe('1');
  beforeTasks({ argv: ['nx', 'run-many', '-t', 'rpm', '--nxBail=false', '--', '--nx-bail'] }, environment);
  expect(environment['KILN_BAIL']).toBe('');
});

test('tasks that began are counted by their events, those that Nx answered by their status', () => {
  const results = {
    a: result('a', 'rpm', 'success'),
    b: result('b', 'rpm', 'local-cache'),
    c: result('c', 'rpm', 'local-cache-kept-existing'),
    d: result('d', 'rpm', 'failure'),
    e: result('e', 'image', 'skipped'),
    f: result('lib-cli', 'build', 'local-cache'),
  };
  const events = (['built', 'cached', 'failed', 'blocked'] as const).map((outcome) => ({ outcome }));
  expect(countTasks(results, events)).toEqual({ built: 1, unchanged: 3, failed: 1, blocked: 1 });
});

test('tasks that Nx answered are known by the names that the workspace gives to targets', () => {
  const results = { a: result('a', 'make-rpm', 'local-cache'), b: result('lib', 'rpm', 'local-cache') };
  expect(countTasks(results, [], { rpm: 'make-rpm' }).unchanged).toBe(1);
});

test('the tasks of a run are those of our executor', () => {
  const executors = { a: EXECUTOR, b: EXECUTOR, lib: 'nx:run-commands' };
  const projects = Object.fromEntries(
    Object.entries(executors).map(([name, executor]): [string, Pick<ProjectConfiguration, 'targets'>] => [
      name,
      { targets: { rpm: { executor } } },
    ]),
  );
  const tasks = Object.fromEntries(
    [...Object.keys(executors), 'gone'].map((project) => [`${project}:rpm`, { target: { project, target: 'rpm' } }]),
  ) as unknown as TaskGraph['tasks'];
  expect(tasksOfRun({ tasks }, projects)).toBe(2);
});
