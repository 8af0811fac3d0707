import { expect, test } from 'vitest';
import { explainFailure } from '@kiln/package-build';

const context = {
  subject: 'sed/sed',
  specFile: 'SPECS/sed/sed.spec',
  specText: 'Name: sed\n\n%build\nmake\n\n%files\n/usr/bin/sed\n',
  status: 1,
  timedOut: false,
  log: 'dist/logs/rpm/sed/sed.log',
  limitSeconds: 10,
};

test.each([
  [
    'a failing %build',
    'gcc: no such file\nmake: *** Error 2\nerror: Bad exit status from /var/tmp/rpm-tmp.x (%build)\n',
    'RPMBUILD_FAILED',
    3,
  ],
  [
    'a missing file',
    'Processing files\nerror: File not found: /usr/src/kiln/BUILDROOT/x/usr/bin/y\n',
    'RPMBUILD_FAILED',
    6,
  ],
  [
    'a full disk',
    'write error: No space left on device\nerror: Bad exit status from /var/tmp/x (%build)\n',
    'DISK_FULL',
    1,
  ],
  [
    'missing BuildRequires',
    'error: Failed build dependencies:\n\tfoo-devel is needed by sed-4.9-1.x86_64\n',
    'BUILD_REQUIRES_MISSING',
    1,
  ],
  ['anything else', 'Killed\n', 'RPMBUILD_FAILED', 1],
])('%s', (_, tail, code, line) => {
  const error = explainFailure({ ...context, tail });
  expect(error.code).toBe(code);
  expect(error.location).toEqual({ file: 'SPECS/sed/sed.spec', line });
  expect(error.log).toBe(context.log);
});

test('the last words before the summary are quoted', () => {
  const { message } = explainFailure({
    ...context,
    tail: 'one\ntwo\nerror: Bad exit status from x (%build)\n\nRPM build errors:\n',
  });
  expect(message).toBe('the %build section of sed/sed failed\n    | one\n    | two');
});

test('a timeout is named as one', () => {
  expect(explainFailure({ ...context, timedOut: true, tail: '' }).code).toBe('BUILD_TIMEOUT');
});
