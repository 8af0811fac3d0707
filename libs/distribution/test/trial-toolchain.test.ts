import { parseSha256 } from '@kiln/build-identity';
import type { PackageResult } from '@kiln/package-build';
import { expect, test } from 'vitest';
import { imageTarget } from '../src/image-target.ts';
import { publishTarget } from '../src/publish-target.ts';
import { repositoryTarget } from '../src/repository-target.ts';
import type { Session } from '../src/session.ts';
import { publishableRpms } from '../src/trial-toolchain.ts';

const session = (provider: string) =>
  ({
    distribution: { config: { toolchain: { provider } }, packages: [], findImage: () => ({ dependencies: ['a/a'] }) },
  }) as unknown as Session;
const trial = session('debian-full');

test('a repository of a trial is refused, and nothing is built for it', async () => {
  await expect(repositoryTarget.key(trial, 'distribution')).rejects.toMatchObject({
    code: 'TRIAL_TOOLCHAIN',
    message: "a repository can't be made with the toolchain 'debian-full'",
  });
  expect(repositoryTarget.before(trial.distribution, 'distribution')).toEqual([]);
});

test('a publication of a trial is refused, and nothing is built for it', async () => {
  await expect(publishTarget.key(trial, 'distribution')).rejects.toMatchObject({
    code: 'TRIAL_TOOLCHAIN',
    message: "a publication can't be made with the toolchain 'debian-full'",
  });
  expect(publishTarget.before(trial.distribution, 'distribution')).toEqual([]);
});

test('an image of a trial is refused, and nothing is built for it', async () => {
  await expect(imageTarget.key(trial, 'base')).rejects.toMatchObject({
    code: 'TRIAL_TOOLCHAIN',
    message: "the image base can't be made with the toolchain 'debian-full'",
  });
  expect(imageTarget.before(trial.distribution, 'base')).toEqual([]);
  expect(imageTarget.before(session('debian').distribution, 'base')).toContainEqual(['rpm', 'a/a']);
});

test('RPMs of a trial are refused wherever they come from', () => {
  const project = { id: 'a/a', specFile: 'SPECS/a/a.spec' };
  const digest = parseSha256('a'.repeat(64));
  const rpm = {
    fileName: 'a.rpm',
    kind: 'binary' as const,
    name: 'a',
    evr: { epoch: 0, version: '1', release: '1' },
    arch: 'noarch',
  };
  const facts: PackageResult = {
    source: 'a',
    rpms: [{ ...rpm, artifact: digest, content: digest, provides: [], requires: [], paths: [], buildTime: 0 }],
  };
  const outputs = { 'a.rpm': { sha256: digest, size: 1 } };
  expect(publishableRpms(project, { facts, outputs })).toHaveLength(1);
  expect(() => publishableRpms(project, { facts: { ...facts, trial: true }, outputs })).toThrow(
    "the RPMs of a/a were built with the toolchain 'debian-full'",
  );
});
