import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ActionEvent } from '@kiln/host';
import { EVENT_LOG, lastRun, logEvent, readEventLog, withEventLog } from '../src/event-log.ts';

const action = (subject: string, outcome: ActionEvent['outcome'], seconds: number): ActionEvent => ({
  type: 'action',
  action: 'rpm',
  subject,
  key: 'k',
  outcome,
  seconds,
});

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-events-'));
});
afterEach(() => rmSync(root, { recursive: true }));

test('actions are logged with what they took, without the time they waited', () => {
  const usage = { cpuSeconds: 3, peakMemoryBytes: 4, readBytes: 5, writtenBytes: 6 };
  const seen: unknown[] = [];
  const emit = withEventLog(root, (event) => seen.push(event), {
    run: 'r1',
    measurement: (name) => (name === 'rpm:a' ? { seconds: 2, usage } : undefined),
  });
  emit(action('a', 'built', 10));
  emit(action('a', 'cached', 0.5));
  emit({ type: 'notice', severity: 'info', code: 'X', message: 'x' });
  expect(seen).toHaveLength(3);
  expect(readEventLog(root)).toMatchObject([
    { subject: 'a', outcome: 'built', seconds: 2, waitedSeconds: 8, usage, run: 'r1' },
    { subject: 'a', outcome: 'cached', seconds: 0.5, run: 'r1' },
  ]);
});

test('a line that was torn by a crash hides no other', () => {
  logEvent(root, { ...action('a', 'built', 1), run: 'r1' });
  appendFileSync(join(root, EVENT_LOG), '{"type":"act');
  expect(readEventLog(root)).toHaveLength(1);
});

test('the last run is what has the same name as the last event', () => {
  for (const [subject, run] of [
    ['a', 'r1'],
    ['b', 'r2'],
    ['c', 'r1'],
    ['d', 'r2'],
  ] as const)
    logEvent(root, { ...action(subject, 'built', 1), run });
  expect(lastRun(readEventLog(root)).map(({ subject }) => subject)).toEqual(['b', 'd']);
  expect(lastRun([])).toEqual([]);
});
