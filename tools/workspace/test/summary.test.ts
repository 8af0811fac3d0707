/** The gate's last line counts honestly. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = join(import.meta.dirname, '../../../.ci/summary.mjs');
let results: string;
beforeEach(() => {
  results = mkdtempSync(join(tmpdir(), 'kiln-summary-'));
});
afterEach(() => {
  rmSync(results, { recursive: true, force: true });
});

function summary(checks: string, report?: object) {
  writeFileSync(join(results, 'checks'), checks);
  if (report !== undefined) writeFileSync(join(results, 'vitest.json'), JSON.stringify(report));
  const { status, stdout } = spawnSync(process.execPath, [script, results], { encoding: 'utf8' });
  return { status, last: stdout.trimEnd().split('\n').at(-1) };
}

const file = (status: string, ...tests: string[]) => ({
  name: 'a.test.ts',
  status,
  assertionResults: tests.map((one) => ({ status: one, fullName: 'a test' })),
});

test.each([
  [
    'all passed',
    'passed lint\n',
    { testResults: [file('passed', 'passed', 'passed', 'skipped')] },
    0,
    '3 passed, 0 failed',
  ],
  ['a failed test', 'passed lint\n', { testResults: [file('failed', 'passed', 'failed')] }, 1, '2 passed, 1 failed'],
  ['a failed check', 'failed lint\n', { testResults: [file('passed', 'passed')] }, 1, '1 passed, 1 failed'],
  ['a file that does not load', 'passed lint\n', { testResults: [file('failed')] }, 1, '1 passed, 1 failed'],
  ['no test at all', 'passed lint\n', { testResults: [] }, 1, '1 passed, 1 failed'],
  ['no report', 'passed lint\n', undefined, 1, '1 passed, 1 failed'],
])('%s', (_, checks, report, status, last) => {
  expect(summary(checks, report)).toEqual({ status, last });
});
