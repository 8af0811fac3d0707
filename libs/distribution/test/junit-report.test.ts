import { expect, test } from 'vitest';
import { junitReport } from '../src/junit-report.ts';

test('a check that passed, one that was skipped, one that failed', () => {
  expect(junitReport('sed/sed', { '%check': { outcome: 'passed', attempts: 1 } }))
    .toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="sed/sed" tests="1" failures="0" errors="0" skipped="0">
  <testcase classname="sed/sed" name="%check">
  </testcase>
</testsuite>
`);
  expect(junitReport('sed/sed', { '%check': { outcome: 'skipped', reason: 'needs "root"' } })).toContain(
    '<skipped message="needs &quot;root&quot;"/>',
  );
  const failed = junitReport('sed/sed', {
    rpmlint: { outcome: 'passed' },
    '%check': { outcome: 'failed', message: 'a < b\nsecond & last', log: 'dist/x.log' },
  });
  expect(failed).toContain('tests="2" failures="1"');
  expect(failed).toContain('<failure message="a &lt; b">second &amp; last\nlog: dist/x.log</failure>');
});

test('what XML cannot hold is replaced', () => {
  const report = junitReport('a', { b: { outcome: 'failed', message: 'x\u{0}\u{1b}[31mred\u{ffff}\u{d800}' } });
  expect(report).toContain('"x\u{fffd}\u{fffd}[31mred\u{fffd}\u{fffd}"');
});
