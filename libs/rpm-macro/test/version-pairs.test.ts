import { readFileSync } from 'node:fs';
import { parseDependency, parseEvr, satisfies } from '@kiln/rpm-package';
import { expect, test } from 'vitest';
import { compareVersions } from '../src/version-order.ts';

// Recorded from rpm 4.18.2 by tools/fuzz/versions.ts --record: [version, version, order] or [provided, required, matches].
const pairs = JSON.parse(readFileSync(new URL('fixtures/version-pairs.json', import.meta.url), 'utf8')) as [
  string,
  string,
  number | boolean,
][];

test('generated versions are ordered as rpm orders them', () => {
  const versions = pairs.filter(([, , answer]) => typeof answer === 'number');
  expect(versions.length).toBeGreaterThan(300);
  expect(versions.filter(([a, b, order]) => compareVersions(parseEvr(a), parseEvr(b)) !== order)).toEqual([]);
});

test('generated dependencies are met as rpm meets them', () => {
  const dependencies = pairs.filter(([, , answer]) => typeof answer === 'boolean');
  expect(dependencies.length).toBeGreaterThan(300);
  const differing = dependencies.filter(([provided, required, met]) => {
    const [a, b] = [parseDependency(`c ${provided}`.trim()), parseDependency(`c ${required}`.trim())];
    return satisfies(a, b) !== met;
  });
  expect(differing).toEqual([]);
});
