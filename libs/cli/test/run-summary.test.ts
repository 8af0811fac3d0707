import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EVENT_LOG, RUN_LOG, type LoggedEvent, type LoggedRun } from '@kiln/distribution';
import { eventsOfRun } from '../src/run-events.ts';
import { summaryOf } from '../src/run-summary.ts';

const event = (subject: string, more: Partial<LoggedEvent>): LoggedEvent => ({
  type: 'action',
  action: 'rpm',
  subject,
  key: 'k',
  outcome: 'built',
  seconds: 60,
  time: '2026-01-01T00:10:00.000Z',
  run: 'r1',
  ...more,
});
const run = (name: string, ended: string): LoggedRun => ({
  run: name,
  command: 'nx run-many -t rpm',
  started: '2026-01-01T00:00:00.000Z',
  ended,
  counts: { built: 2, unchanged: 40, failed: 1, blocked: 2 },
});
const usage = { cpuSeconds: 90, peakMemoryBytes: 2e9, readBytes: 1e6, writtenBytes: 3e6 };

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kiln-summary-'));
});
afterEach(() => rmSync(root, { recursive: true }));
const log = (file: string, line: object) => {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  appendFileSync(join(root, file), `${JSON.stringify(line)}\n`);
};

test('counts, failures with what they block, and the slowest', () => {
  const events = [
    event('quick', { seconds: 5 }),
    event('slow', { seconds: 3700, waitedSeconds: 12, usage }),
    event('bad', { outcome: 'failed', seconds: 9, error: 'E: a | b', log: 'dist/logs/rpm/bad.log' }),
    event('one', { outcome: 'blocked', blockedBy: 'rpm:bad', seconds: 0 }),
    event('two', { outcome: 'blocked', blockedBy: 'rpm:bad', seconds: 0 }),
  ];
  expect(summaryOf({ events, run: run('r1', '2026-01-01T01:02:03.000Z') })).toBe(`## \`nx run-many -t rpm\`

**2** built, **40** unchanged, **1** failed, **2** blocked in 1:02:03

### Failed

| task | after | blocks | why | log |
| --- | --- | --- | --- | --- |
| rpm bad | 00:09 | 2 | E: a \\| b | \`dist/logs/rpm/bad.log\` |

### Could not begin

\`rpm one\`, \`rpm two\`

### Slowest

| task | time | waited | CPU | peak memory | read | written |
| --- | --- | --- | --- | --- | --- | --- |
| rpm slow | 1:01:40 | 00:12 | 01:30 | 2.0 GB | 1 MB | 3 MB |
| rpm quick | 00:05 | 00:00 |  |  |  |  |
`);
});

test('a run that goes on is told from its events', () => {
  log(EVENT_LOG, event('old', { run: 'r0' }));
  log(RUN_LOG, run('r0', '2026-01-01T00:10:00.100Z'));
  log(EVENT_LOG, event('new', { run: 'r1', time: '2026-01-01T00:20:00.000Z' }));
  const found = eventsOfRun(root, undefined);
  expect(found.events.map(({ subject }) => subject)).toEqual(['new']);
  expect(summaryOf(found)).toMatch(/^## A run that has not ended\n\n\*\*1\*\* built, \*\*0\*\* unchanged/);
});

test('the last run may have no events: a cache answered everything', () => {
  log(EVENT_LOG, event('old', { run: 'r0' }));
  log(RUN_LOG, run('r0', '2026-01-01T00:10:00.100Z'));
  log(RUN_LOG, run('r1', '2026-01-01T00:11:00.000Z'));
  expect(eventsOfRun(root, undefined)).toMatchObject({ events: [], run: { run: 'r1' } });
  expect(eventsOfRun(root, 'r0').events).toHaveLength(1);
});

test('a run that is not there', () => {
  expect(() => eventsOfRun(root, undefined)).toThrow('tells of no run');
  expect(() => eventsOfRun(root, 'r9')).toThrow("no run 'r9'");
});
