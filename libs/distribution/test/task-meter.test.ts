import { expect, test } from 'vitest';
import type { KilnEvent, ResourceUsage } from '@kiln/host';
import { TaskMeter } from '../src/task-meter.ts';

const usage = (cpuSeconds: number, peakMemoryBytes: number): ResourceUsage => ({
  cpuSeconds,
  peakMemoryBytes,
  readBytes: 1,
  writtenBytes: 2,
});

test('programs count for the task that they ran for, also when tasks run at the same time', async () => {
  let now = 0;
  const seen: KilnEvent[] = [];
  const meter = new TaskMeter(() => now);
  const emit = meter.watch((event) => seen.push(event));
  const work = async (used: ResourceUsage[]) => {
    for (const one of used) {
      await Promise.resolve();
      emit({ type: 'usage', usage: one });
    }
    now = 5000;
  };
  await Promise.all([
    meter.measure('rpm:a', () => work([usage(1, 100), usage(2, 50)])),
    meter.measure('rpm:b', () => work([usage(40, 7)])),
    meter.measure('image:c', () => work([])),
  ]);
  emit({ type: 'usage', usage: usage(9, 9) });
  expect(meter.measurement('rpm:a')).toEqual({
    seconds: 5,
    usage: { cpuSeconds: 3, peakMemoryBytes: 100, readBytes: 2, writtenBytes: 4 },
  });
  expect(meter.measurement('rpm:b')).toEqual({ seconds: 5, usage: usage(40, 7) });
  expect(meter.measurement('image:c')).toEqual({ seconds: 5 });
  expect(meter.measurement('rpm:d')).toBeUndefined();
  expect(seen).toHaveLength(4);
});

test('a task that fails is measured', async () => {
  const meter = new TaskMeter(() => 0);
  await expect(meter.measure('rpm:a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(meter.measurement('rpm:a')).toEqual({ seconds: 0 });
});
