import { expect, test } from 'vitest';
import type { LoggedEvent } from '@kiln/distribution';
import { traceOf } from '../src/trace.ts';

const event = (subject: string, end: number, seconds: number, more: Partial<LoggedEvent> = {}): LoggedEvent => ({
  type: 'action',
  action: 'rpm',
  subject,
  key: 'k',
  outcome: 'built',
  seconds,
  time: new Date(1_000_000 + end * 1000).toISOString(),
  ...more,
});

test('spans in lanes: tasks at one time are beside one another, later ones use a lane again', () => {
  const usage = { cpuSeconds: 3, peakMemoryBytes: 4, readBytes: 5, writtenBytes: 6 };
  const { traceEvents } = traceOf([
    event('a', 10, 10, { usage, log: 'a.log' }),
    event('b', 12, 4, { waitedSeconds: 5 }),
    event('c', 20, 9, { waitedSeconds: 0.01, outcome: 'failed' }),
    event('d', 20, 0, { outcome: 'blocked', blockedBy: 'rpm:c' }),
  ]);
  const spans = traceEvents.filter(({ ph }) => ph === 'X');
  expect(spans.map(({ name, cat, tid, ts, dur }) => [name, cat, tid, ts, dur])).toEqual([
    ['rpm a', 'built', 1, 0, 10_000_000],
    ['rpm b', 'waiting', 2, 3_000_000, 5_000_000],
    ['rpm b', 'built', 2, 8_000_000, 4_000_000],
    ['rpm c', 'failed', 1, 11_000_000, 9_000_000],
  ]);
  expect(spans[0]!.args).toEqual({ outcome: 'built', key: 'k', log: 'a.log', ...usage });
  expect(traceEvents.filter(({ ph }) => ph === 'M').map(({ tid }) => tid)).toEqual([1, 2]);
});

test('a run without events is an empty trace', () => {
  expect(traceOf([])).toEqual({ traceEvents: [] });
});

test('the rules of the Trace Event Format: whole microseconds, lanes with names, no span half over another of its lane', () => {
  const events = Array.from({ length: 200 }, (_, at) => {
    const waited = {
      waitedSeconds: ((at * 7919) % 3001) / 1000.7,
      outcome: at % 9 === 0 ? 'cached' : 'built',
    } as const;
    return event(`p${at}`, 10 + at * 0.333, ((at * 104_729) % 5003) / 1000.3, waited);
  });
  const { traceEvents } = JSON.parse(JSON.stringify(traceOf(events))) as ReturnType<typeof traceOf>;
  const named = traceEvents.filter(({ ph }) => ph === 'M');
  for (const { name, args } of named) expect([name, typeof args['name']]).toEqual(['thread_name', 'string']);
  const until = new Map(named.map(({ tid }) => [tid, 0]));
  for (const { ph, name, cat, pid, tid, ts, dur } of traceEvents.filter((one) => one.ph !== 'M')) {
    expect({ ph, pid }).toEqual({ ph: 'X', pid: 1 });
    expect([typeof name, typeof cat]).toEqual(['string', 'string']);
    expect([ts, dur, tid].every((number) => Number.isInteger(number) && number! >= 0)).toBe(true);
    expect(ts).toBeGreaterThanOrEqual(until.get(tid)!);
    until.set(tid, ts + dur!);
  }
});
