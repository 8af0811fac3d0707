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
