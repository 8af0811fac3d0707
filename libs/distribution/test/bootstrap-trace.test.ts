import { expect, test } from 'vitest';
import { parseDependency, parseEvr } from '@kiln/rpm-package';
import { finalRpms } from '../src/bootstrap-trace.ts';

const project = { id: 'left/left', specFile: 'SPECS/left/left.spec' };

const resultOf = (release: string, requires: readonly string[]): Parameters<typeof finalRpms>[1] => {
  const rpm = {
    kind: 'binary',
    name: 'left',
    evr: parseEvr(`1.0-${release}`),
    arch: 'x86_64',
    fileName: 'left.rpm',
    provides: [parseDependency(`left = 1.0-${release}`)],
    requires: requires.map(parseDependency),
    paths: [],
  };
  const blob = { sha256: 'a'.repeat(64), size: 1 };
  return { facts: { source: 'left', rpms: [rpm] }, outputs: { 'left.rpm': blob } } as never;
};

test('RPMs of a final build are given as they are', () => {
  expect(finalRpms(project, resultOf('1.kl1', ['right = 1.0-1.kl1'])).map(({ name }) => name)).toEqual(['left']);
});

test.each([
  ['is of a bootstrap build', resultOf('1.kl1~bootstrap', []), "'1.kl1~bootstrap'"],
  ['needs one', resultOf('1.kl1', ['right = 1.0-1.kl1~bootstrap']), "'right = 1.0-1.kl1~bootstrap'"],
])('an RPM that %s is refused', (_, result, found) => {
  expect(() => finalRpms(project, result)).toThrow(`the RPM left of left/left has ${found}, of a bootstrap build`);
});
