import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createHost, runProcess, shellQuote } from '@kiln/host';

test('output, status and input', async () => {
  const result = await runProcess({ argv: ['sh', '-c', 'cat; echo err >&2; exit 3'], input: 'hello' });
  expect(result).toMatchObject({ status: 3, stdout: 'hello', stderr: 'err\n', timedOut: false });
});

test('lines arrive whole and the log has everything', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kiln-process-'));
  const lines: string[] = [];
  const log = join(directory, 'log');
  await runProcess({
    argv: ['sh', '-c', 'printf "a\\nb"; sleep 0.1; printf "c\\nd"'],
    log,
    onLine: (line) => lines.push(line),
  });
  expect(lines).toEqual(['a', 'bc', 'd']);
  expect(readFileSync(log, 'utf8')).toBe('a\nbc\nd');
  rmSync(directory, { recursive: true });
});

test('a program that is not there is named', async () => {
  await expect(runProcess({ argv: ['no-such-program-of-kiln'] })).rejects.toMatchObject({ code: 'PROGRAM_NOT_FOUND' });
});

test('the status of a program that a signal ended is that of a shell', async () => {
  for (const [signal, status] of Object.entries({ TERM: 143, XFSZ: 153 }))
    expect((await runProcess({ argv: ['sh', '-c', `ulimit -c 0; kill -${signal} $$`] })).status).toBe(status);
});

test('the time limit ends the whole process group', async () => {
  const result = await runProcess({ argv: ['sh', '-c', 'sleep 60 & sleep 60'], timeoutSeconds: 0.3 });
  expect(result.timedOut).toBe(true);
  expect(result.status).toBe(137);
});

test('too much output ends the whole process group', async () => {
  const result = await runProcess({ argv: ['sh', '-c', 'yes & yes'], outputLimitBytes: 1_000_000, log: '/dev/null' });
  expect(result.outputExceeded).toBe(true);
  expect(result.status).toBe(137);
});

test('a line without an end arrives in pieces', async () => {
  const lines: string[] = [];
  await runProcess({ argv: ['head', '-c', '1000000', '/dev/zero'], onLine: (line) => lines.push(line) });
  expect(lines.join('')).toBe('\0'.repeat(1_000_000));
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(200_000);
});

test('a log that can not be written ends the program with an error', async () => {
  await expect(runProcess({ argv: ['yes'], log: '/no/such/directory/log' })).rejects.toMatchObject({
    code: 'LOG_UNWRITABLE',
  });
});

test('an abort ends the process and is an error', async () => {
  const controller = new AbortController();
  const host = createHost({ signal: controller.signal });
  setTimeout(() => controller.abort(), 200);
  await expect(host.run({ argv: ['sleep', '60'] })).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

test('the environment is exactly the given one', async () => {
  const { stdout } = await runProcess({ argv: ['/usr/bin/env'], environment: { A: '1' } });
  expect(stdout).toBe('A=1\n');
});

test('quoting for a shell', () => {
  expect(shellQuote(['a b', "it's", 'plain', '--x=1'])).toBe(`'a b' 'it'\\''s' plain --x=1`);
});
