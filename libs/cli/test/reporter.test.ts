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

test('plain lines: each step once, signs of life, the end', () => {
  const remembered = new Map([['rpm:ncurses/ncurses', 130]]);
  const reporter = createReporter({ terminal, now: () => Date.now(), remembered, total: 8 });
  reporter.begin(task);
  reporter.emit({ type: 'progress', ...task, message: '%build' });
  reporter.emit({ type: 'progress', ...task, message: '%build' });
  vi.advanceTimersByTime(72_000);
  reporter.finish(task, 'built');
  reporter.end();
  expect(text.split('\n')).toEqual([
    '[1/8] rpm ncurses/ncurses %build 00:00 of about 02:10 log: dist/logs/rpm/ncurses/ncurses.log',
    '[1/8] rpm ncurses/ncurses %build 00:30 of about 02:10 log: dist/logs/rpm/ncurses/ncurses.log',
    '[1/8] rpm ncurses/ncurses %build 01:00 of about 02:10 log: dist/logs/rpm/ncurses/ncurses.log',
    '[1/8] rpm ncurses/ncurses built in 01:12',
    '',
  ]);
});

test('amounts, notices and failures', () => {
  const reporter = createReporter({ terminal, now: () => Date.now(), remembered: new Map() });
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
