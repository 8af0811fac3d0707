/** Adds up what the checks and vitest reported; the last line is `N passed, N failed`. Fails when anything failed or nothing ran. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [, , results] = process.argv;

/** vitest's report: failing tests, and files that failed before a test of theirs ran. */
function fromVitest() {
  let report;
  try {
    report = JSON.parse(readFileSync(join(results, 'vitest.json'), 'utf8'));
  } catch {
    return { passed: 0, failed: 1, problems: ['vitest left no report'] };
  }
  const files = report.testResults ?? [];
  const tests = files.flatMap((file) => file.assertionResults.map((test) => ({ ...test, file: file.name })));
  const failed = tests.filter((test) => test.status === 'failed');
  const broken = files.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const passed = tests.filter((test) => test.status === 'passed').length;
  const skipped = tests.length - passed - failed.length;
  if (skipped > 0) console.log(`skipped: ${skipped} tests`);
  const none = passed + failed.length + broken.length === 0 ? ['vitest ran no test'] : [];
  return {
    passed,
    failed: failed.length + broken.length + none.length,
    problems: [...failed.map((test) => test.fullName), ...broken.map((file) => file.name), ...none],
  };
}

function fromChecks() {
  const lines = readFileSync(join(results, 'checks'), 'utf8').trim().split('\n');
  const failed = lines.filter((line) => line.startsWith('failed '));
  return { passed: lines.length - failed.length, failed: failed.length, problems: failed };
}

const parts = [fromChecks(), fromVitest()];
const passed = parts.reduce((sum, part) => sum + part.passed, 0);
const failed = parts.reduce((sum, part) => sum + part.failed, 0);
console.log();
for (const problem of parts.flatMap((part) => part.problems)) console.log(`failed: ${problem.replace(/^failed /, '')}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
