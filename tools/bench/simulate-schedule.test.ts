import { expect, test } from 'vitest';
import { scheduleBound } from './schedule-bound.ts';
import { azureLinuxGraph, lowerBound, randomGraph, type Machine, type SleepingTask } from './schedule-graphs.ts';
import { secondsOf, simulateSchedule, type Span } from './simulate-schedule.ts';

const SEEDS = Array.from({ length: 12 }, (_, at) => at + 1);
const MACHINES = [2, 4, 8].map((workers) => ({ workers, memoryBytes: 4 * workers }));
const graphs = (seed: number) => [
  randomGraph({ tasks: 60, seconds: 2.5, seed }),
  azureLinuxGraph({ tasks: 60, seconds: 2.5, seed }),
];

/** Largest use of the machine, at any task's start. */
function fullest(tasks: readonly SleepingTask[], spans: readonly Span[], machine: Machine) {
  const need = new Map(tasks.map((task) => [task.name, Math.min(task.memoryBytes, machine.memoryBytes)]));
  const uses = spans.map(({ start }) => {
    const beside = spans.filter((other) => other.start <= start && other.end > start);
    return { workers: beside.length, memoryBytes: beside.reduce((sum, { name }) => sum + need.get(name)!, 0) };
  });
  return {
    workers: Math.max(...uses.map(({ workers }) => workers)),
    memoryBytes: Math.max(...uses.map(({ memoryBytes }) => memoryBytes)),
  };
}

/** The shortest schedule: every order of the tasks, each task as early as it fits. For a handful of tasks. */
function optimum(tasks: readonly SleepingTask[], { workers, memoryBytes }: Machine): number {
  const need = (task: SleepingTask) => Math.min(task.memoryBytes, memoryBytes);
  let best = Infinity;
  const place = (placed: readonly (Span & { readonly need: number })[]) => {
    const ends = new Map(placed.map(({ name, end }) => [name, end]));
    if (placed.length === tasks.length) best = Math.min(best, secondsOf(placed));
    for (const task of tasks) {
      if (ends.has(task.name) || !task.before.every((one) => ends.has(one))) continue;
      const ready = Math.max(0, ...task.before.map((one) => ends.get(one)!));
      const fits = (start: number) =>
        [start, ...placed.map((one) => one.start).filter((one) => one > start && one < start + task.seconds)].every(
          (at) => {
            const beside = placed.filter((one) => one.start <= at && one.end > at);
            const used = beside.reduce((sum, one) => sum + one.need, 0);
            return beside.length < workers && used + need(task) <= memoryBytes;
          },
        );
      const start = [ready, ...ends.values()].sort((a, b) => a - b).find((at) => at >= ready && fits(at))!;
      place([...placed, { name: task.name, start, end: start + task.seconds, need: need(task) }]);
    }
  };
  place([]);
  return best;
}

test.each(SEEDS)('graph %i: everything runs once, after what it needs, within the machine', (seed) => {
  for (const tasks of graphs(seed)) {
    for (const machine of MACHINES) {
      // What is expected is wrong by up to a factor of ten.
      const spans = simulateSchedule(
        tasks,
        machine,
        ({ seconds, name }) => seconds * 10 ** ((name.charCodeAt(3) % 3) - 1),
      );
      expect(spans.map(({ name }) => name).sort()).toEqual(tasks.map(({ name }) => name).sort());
      const at = new Map(spans.map((span) => [span.name, span]));
      for (const { name, before } of tasks)
        for (const one of before) expect(at.get(one)!.end).toBeLessThanOrEqual(at.get(name)!.start);
      const used = fullest(tasks, spans, machine);
      expect(used.workers).toBeLessThanOrEqual(machine.workers);
      expect(used.memoryBytes).toBeLessThanOrEqual(machine.memoryBytes);
    }
  }
});

test('a schedule with scarce memory is near its bound', () => {
  const over = SEEDS.flatMap((seed) =>
    graphs(seed).flatMap((tasks) =>
      MACHINES.map((machine) => secondsOf(simulateSchedule(tasks, machine)) / scheduleBound(tasks, machine) - 1),
    ),
  );
  const mean = over.reduce((sum, one) => sum + one, 0) / over.length;
  expect(Math.min(...over)).toBeGreaterThan(-1e-9);
  expect(mean).toBeLessThan(0.035);
  expect(Math.max(...over)).toBeLessThan(0.2);
});

test('no schedule of a few tasks beats the bound, and the rule is near the best one', () => {
  const machine = { workers: 2, memoryBytes: 8 };
  const ratios = SEEDS.flatMap((seed) => {
    const tasks = randomGraph({ tasks: 6, seconds: 2, seed });
    const best = optimum(tasks, machine);
    expect(lowerBound(tasks, machine)).toBeLessThanOrEqual(scheduleBound(tasks, machine) + 1e-9);
    expect(scheduleBound(tasks, machine)).toBeLessThanOrEqual(best + 1e-9);
    return secondsOf(simulateSchedule(tasks, machine)) / best;
  });
  expect(Math.min(...ratios)).toBeGreaterThan(1 - 1e-9);
  expect(ratios.reduce((sum, one) => sum + one, 0) / ratios.length).toBeLessThan(1.1);
});

test('a big task starts although small ones never stop coming', () => {
  const small = Array.from({ length: 200 }, (_, at): SleepingTask => {
    const before = at < 4 ? [] : [`s${String(at - 4).padStart(3, '0')}`];
    return { name: `s${String(at).padStart(3, '0')}`, before, seconds: 10 + (at % 4), memoryBytes: 2 };
  });
  const big = { name: 'big', before: [], seconds: 5, memoryBytes: 8 };
  const machine = { workers: 4, memoryBytes: 8 };
  const spans = simulateSchedule([...small, big], machine);
  // Its chain is the shortest of all; a minute after it came nobody passes it any more.
  expect(spans.find(({ name }) => name === 'big')!.start).toBeLessThan(60 + 2 * 13);
});
