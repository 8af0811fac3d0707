import { expect, test } from 'vitest';
import { expectedTime } from '../src/expected-time.ts';

/** `name seconds before…` in each line. */
const tasksOf = (...lines: string[]) =>
  lines.map((line) => {
    const [name, seconds, ...before] = line.split(' ');
    return { name: name!, seconds: Number(seconds), before };
  });

test('the critical path bounds any number of workers', () => {
  const tasks = tasksOf('a 10', 'b 5', 'c 20 a', 'd 1 b c', 'e 7');
  const critical = { seconds: 31, tasks: ['a', 'c', 'd'] };
  expect(expectedTime(tasks, 100)).toEqual({ seconds: 31, workers: 100, criticalPath: critical });
  expect(expectedTime(tasks, 1)).toEqual({ seconds: 43, workers: 1, criticalPath: critical });
  expect(expectedTime(tasks, 2).seconds).toBe(31);
});

test('what is done before does not count, and nothing takes no time', () => {
  expect(expectedTime(tasksOf('c 20 gone'), 2).seconds).toBe(20);
  expect(expectedTime([], 2)).toEqual({ seconds: 0, workers: 2, criticalPath: { seconds: 0, tasks: [] } });
});
