import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { durationsFile, readDurations, recordDuration } from '../src/durations.ts';

const gcc = { architecture: 'x86_64', target: 'rpm', id: 'gcc/gcc' };
const ended = (day: number) => `2026-01-${String(day).padStart(2, '0')}T00:00:00.000Z`;

let store: string;
beforeEach(() => {
  store = mkdtempSync(join(tmpdir(), 'kiln-durations-'));
});
afterEach(() => rmSync(store, { recursive: true }));

describe('remembered durations', () => {
  it('estimates nothing of a task that was never done', () => {
    expect(readDurations(store).estimate(gcc)).toBeUndefined();
  });

  it('estimates by the median time and cores and the largest memory of the last three runs', async () => {
    const runs = [
      { seconds: 1, cpuSeconds: 90, peakMemoryBytes: 900 },
      { seconds: 10, cpuSeconds: 20, peakMemoryBytes: 100 },
      { seconds: 500, cpuSeconds: 500, peakMemoryBytes: 300 },
      { seconds: 30, cpuSeconds: 90, peakMemoryBytes: 200 },
    ];
    for (const [at, run] of runs.entries()) await recordDuration(store, gcc, { ...run, ended: ended(at + 1) });
    expect(readDurations(store).estimate(gcc)).toEqual({ seconds: 30, cores: 2, peakMemoryBytes: 300 });
  });

  it('keeps architectures, targets and ids apart', async () => {
    await recordDuration(store, gcc, { seconds: 7, ended: ended(1) });
    const durations = readDurations(store);
    expect(durations.estimate(gcc)).toEqual({ seconds: 7 });
    expect(durations.estimate({ ...gcc, architecture: 'aarch64' })).toBeUndefined();
    expect(durations.estimate({ ...gcc, target: 'image' })).toBeUndefined();
  });

  it('loses nothing when many write at once', async () => {
    const ids = Array.from({ length: 20 }, (_, at) => `p${at}`);
    await Promise.all(ids.map((id, at) => recordDuration(store, { ...gcc, id }, { seconds: at, ended: ended(1) })));
    const durations = readDurations(store);
    expect(ids.map((id) => durations.estimate({ ...gcc, id })?.seconds)).toEqual(ids.map((_, at) => at));
  });

  it('is bounded: the tasks done longest ago are forgotten', async () => {
    const old = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, at) => [
        `x86_64 rpm:p${at}`,
        [{ seconds: 1, ended: ended(at === 7 ? 1 : 2) }],
      ]),
    );
    writeFileSync(durationsFile(store), JSON.stringify({ version: 1, tasks: old }));
    await recordDuration(store, gcc, { seconds: 5, ended: ended(3) });
    const { tasks } = JSON.parse(readFileSync(durationsFile(store), 'utf8')) as { tasks: Record<string, unknown> };
    expect(Object.keys(tasks)).toHaveLength(20_000);
    expect(tasks).toHaveProperty(['x86_64 rpm:gcc/gcc']);
    expect(tasks).not.toHaveProperty(['x86_64 rpm:p7']);
  });

  it.each([
    '',
    '{"version":1',
    '[]',
    'null',
    '{"version":2,"tasks":{}}',
    '{"version":1,"tasks":{"x86_64 rpm:gcc/gcc":[null]}}',
  ])('begins anew after a damaged file: %s', async (text) => {
    writeFileSync(durationsFile(store), text);
    expect(readDurations(store).estimate(gcc)).toBeUndefined();
    await recordDuration(store, gcc, { seconds: 3, ended: ended(1) });
    expect(readDurations(store).estimate(gcc)).toEqual({ seconds: 3 });
  });
});
