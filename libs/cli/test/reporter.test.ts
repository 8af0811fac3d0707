import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import pc from 'picocolors';
import { createReporter } from '../src/reporter.ts';
import type { Terminal } from '../src/terminal.ts';

let text = '';
const stream = new Writable({
  write(chunk: Buffer, _encoding, done) {
    text += chunk.toString();
    done();
  },
}) as unknown as NodeJS.WriteStream;
const terminal: Terminal = { out: stream, err: stream, live: false, colors: pc.createColors(false) };
const task = { action: 'rpm', subject: 'ncurses/ncurses', log: 'dist/logs/rpm/ncurses/ncurses.log' };

beforeEach(() => {
  text = '';
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

test('plain lines: each step once, signs of life, the end with what it used', () => {
  const reporter = createReporter({ terminal, now: () => Date.now(), estimate: () => 130, total: 8, ended: 2 });
  reporter.begin(task);
  reporter.emit({ type: 'progress', ...task, message: '%build' });
  reporter.emit({ type: 'progress', ...task, message: '%build' });
  vi.advanceTimersByTime(72_000);
  const usage = { cpuSeconds: 140, peakMemoryBytes: 512e6, readBytes: 0, writtenBytes: 0 };
  reporter.finish(task, 'built', { seconds: 71, usage });
  reporter.end();
  expect(text.split('\n')).toEqual([
    'rpm ncurses/ncurses %build 00:00 of about 02:10 log: dist/logs/rpm/ncurses/ncurses.log',
    'rpm ncurses/ncurses %build 00:30 of about 02:10 log: dist/logs/rpm/ncurses/ncurses.log',
    'rpm ncurses/ncurses %build 01:00 of about 02:10 log: dist/logs/rpm/ncurses/ncurses.log',
    '[3/8] rpm ncurses/ncurses built in 01:11 (CPU 02:20, memory 512 MB)',
    '',
  ]);
});

test('the count is of tasks that ended, in whatever order they began', () => {
  const reporter = createReporter({ terminal, now: () => Date.now(), total: 5 });
  const tasks = ['a', 'b', 'c', 'd', 'e'].map((subject) => ({ action: 'rpm', subject }));
  for (const one of [...tasks.slice(0, 3), tasks[4]!]) reporter.begin(one);
  reporter.finish(tasks[2]!, 'cached');
  reporter.finish(tasks[0]!, 'failed');
  reporter.block(tasks[3]!);
  reporter.finish(tasks[1]!, 'built');
  reporter.finish(tasks[4]!, 'stale');
  reporter.end();
  expect(text.split('\n')).toEqual([
    '[1/5] rpm c unchanged',
    '[2/5] rpm a failed after 00:00',
    '[4/5] rpm b built in 00:00',
    '[5/5] rpm e must be planned anew',
    '',
  ]);
});

test('signs of life: each task that runs has its own, all that wait have one', () => {
  const reporter = createReporter({ terminal, now: () => Date.now() });
  for (const subject of ['a', 'b', 'c']) {
    reporter.begin({ action: 'rpm', subject });
    vi.advanceTimersByTime(1000);
  }
  reporter.start({ action: 'rpm', subject: 'a' });
  vi.advanceTimersByTime(62_000);
  reporter.end();
  expect(text.split('\n')).toEqual([
    'rpm a starting 00:27',
    'rpm b waiting 00:30, and 1 more',
    'rpm a starting 00:57',
    'rpm b waiting 01:00, and 1 more',
    '',
  ]);
});

test('a task that waits says once what for, and its time begins afterwards', () => {
  const reporter = createReporter({ terminal, now: () => Date.now(), estimate: () => 130 });
  reporter.begin(task);
  reporter.wait(task, 'waiting for memory (needs 6.0 GB, 4.0 GB free)');
  reporter.wait(task, 'waiting for memory (needs 6.0 GB, 5.0 GB free)');
  vi.advanceTimersByTime(10_000);
  reporter.start(task);
  reporter.emit({ type: 'progress', ...task, message: '%prep' });
  vi.advanceTimersByTime(5_000);
  reporter.finish(task, 'built');
  reporter.end();
  expect(text.split('\n')).toEqual([
    'rpm ncurses/ncurses waiting for memory (needs 6.0 GB, 4.0 GB free) 00:00',
    'rpm ncurses/ncurses %prep 00:00 of about 02:10 log: dist/logs/rpm/ncurses/ncurses.log',
    'rpm ncurses/ncurses built in 00:05',
    '',
  ]);
});

test('amounts, notices and failures', () => {
  const reporter = createReporter({ terminal, now: () => Date.now() });
  reporter.begin({ action: 'toolchain', subject: 'toolchain' });
  reporter.emit({
    type: 'progress',
    action: 'toolchain',
    subject: 'toolchain',
    message: 'downloading 1',
    done: 1_500_000,
    total: 3_000_000,
    unit: 'bytes',
  });
  reporter.emit({ type: 'progress', action: 'toolchain', subject: 'toolchain', message: 'downloading 2' });
  reporter.emit({ type: 'notice', severity: 'info', code: 'WAITING', message: 'another run is busy' });
  reporter.finish({ action: 'toolchain', subject: 'toolchain' }, 'failed');
  reporter.fail('error X: y');
  reporter.end();
  expect(text.split('\n')).toEqual([
    'toolchain downloading 1 1.5 MB of 3.0 MB 00:00',
    'note: another run is busy',
    'toolchain failed after 00:00',
    'error X: y',
    '',
  ]);
});
