import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { expect, test } from 'vitest';
import { drawPackages, isModule } from '../draw-packages.ts';
import { failureCause } from '../failure-cause.ts';
import { latestResults, trialFigures, type TrialResult } from '../trial-results.ts';

const ids = Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? `tool${i}/tool${i}` : `perl-M${i}/perl-M${i}`));

test('a draw has all packages, at most half modules at first, and another order for another commit', () => {
  const drawn = drawPackages(ids, { commit: 'a', count: 16 });
  expect([...drawn].sort()).toEqual([...ids].sort());
  expect(drawn.slice(0, 16).filter(isModule)).toHaveLength(8);
  expect(drawPackages([...ids].reverse(), { commit: 'a', count: 16 })).toEqual(drawn);
  expect(drawPackages(ids, { commit: 'b', count: 16 })).not.toEqual(drawn);
});

test.each([
  ['perl-URI/perl-URI', true],
  ['python-ply/python-ply', true],
  ['python3-x/python3-x', true],
  ['pyserial/pyserial', true],
  ['perl/perl', false],
  ['sed/sed', false],
])('%s is a module: %s', (id, expected) => expect(isModule(id)).toBe(expected));

test.each([
  ['RPMBUILD_FAILED', 'the %build section of a/a failed\n | x', 'compile error'],
  ['RPMBUILD_FAILED', 'a/a: File not found: /x', 'file list mismatch'],
  ['RPMBUILD_FAILED', 'a/a: Installed (but unpackaged) file(s) found: /x', 'file list mismatch'],
  ['RPMBUILD_FAILED', 'a/a: something else', 'other'],
  ['TESTS_FAILED', 'the %check section of a/a failed', '%check failure'],
  ['BUILD_TIMEOUT', 'too long', 'time-out'],
  ['SOURCE_NOT_FOUND', 'x', 'source'],
  ['CHECKS_FAILED', 'the RPMs of a/a break 1 rule', 'our own checks'],
  ['BUILD_REQUIRES_MISSING', 'perl(X) >= 9 is needed by a', 'too old in Debian'],
  ['DEPENDENCY_UNRESOLVED', "nothing provides the BuildRequires 'x >= 2'; the tree offers x = 1", 'too old in Debian'],
  ['DEPENDENCY_UNRESOLVED', "nothing provides the BuildRequires 'x'", 'missing BuildRequire'],
])('%s, %s: %s', (code, message, cause) => expect(failureCause(new BuildError(code, message))).toBe(cause));

test('one that is missing counts before those that are too old', () => {
  const unresolved = (message: string) => ({ severity: 'error' as const, code: 'DEPENDENCY_UNRESOLVED', message });
  const diagnostics = [
    unresolved("nothing provides 'x >= 2'; the tree offers x = 1"),
    unresolved("nothing provides 'y'"),
  ];
  expect(failureCause(new BuildError('PROJECT_BROKEN', '2 errors', { diagnostics }))).toBe('missing BuildRequire');
  expect(failureCause(new BuildError('PROJECT_BROKEN', 'x', { diagnostics: diagnostics.slice(0, 1) }))).toBe(
    'too old in Debian',
  );
});

test('a package counts with its check; the last result of each counts', () => {
  const directory = mkdtempSync(join(tmpdir(), 'kiln-trial-'));
  try {
    const result = (target: TrialResult['target'], id: string, rest: Partial<TrialResult> = {}): TrialResult => ({
      ...{ target, id, outcome: 'built', seconds: 1, hasCheck: false, warnings: {} },
      ...rest,
    });
    const failed = { outcome: 'failed' as const };
    const lines = [
      result('rpm', 'a', { ...failed, cause: 'time-out' }),
      result('rpm', 'a', { warnings: { ELF_RUN_PATH: 2 } }),
      result('rpm', 'b', { hasCheck: true }),
      result('check', 'b', { ...failed, hasCheck: true, cause: '%check failure' }),
      result('rpm', 'c', { hasCheck: true }),
      result('reproduce', 'a'),
      result('reproduce', 'b', { ...failed, code: 'REPRODUCE_DIFFERS' }),
    ];
    writeFileSync(join(directory, 'x.jsonl'), lines.map((one) => `${JSON.stringify(one)}\n`).join(''));
    const figures = trialFigures(['a', 'b', 'c', 'd'], latestResults(join(directory, 'x.jsonl')));
    expect(figures).toMatchObject({ drawn: 4, tried: 2, built: 1, percent: 50, causes: { '%check failure': ['b'] } });
    expect(figures.withCheck).toEqual({ tried: 1, built: 0 });
    expect(figures.reproduced).toEqual({ equal: 1, different: ['b'], failed: [] });
    expect(figures.warnings).toEqual({ ELF_RUN_PATH: 1 });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
