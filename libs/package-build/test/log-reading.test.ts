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
  ['too many open files', 'ld: cannot open a.o: Too many open files\nerror: Bad exit status', 'OPEN_FILES_LIMIT', 1],
  ['a file that is too large', 'dd: error writing: File too large\nerror: Bad exit status', 'FILE_SIZE_LIMIT', 1],
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

test('each limit has its error: what was allowed, what was used, how to allow more', () => {
  const codes = (['memoryBytes', 'processes', 'diskBytes', 'outputBytes'] as const).map((limit) => {
    const error = explainFailure({ ...context, tail: '', breach: { limit, allowed: 2048, used: 5000 } });
    expect(error.hint).toContain(`toolkit/packages.json, for example {"sed/sed":{"limits":{"${limit}":4096}}}`);
    return [error.code, error.message.replace(/.* build of sed.sed /, '')];
  });
  expect(codes).toEqual([
    ['MEMORY_LIMIT', 'needed more memory than the 2 KiB that it may; it was at 4.9 KiB when it was ended'],
    ['PROCESS_LIMIT', 'started more processes and threads than the 2048 that it may; it was at 5000 when it was ended'],
    ['DISK_LIMIT', 'wrote more to its disk than the 2 KiB that it may; it was at 4.9 KiB when it was ended'],
    ['LOG_LIMIT', 'wrote more to its log than the 2 KiB that it may; it was at 4.9 KiB when it was ended'],
  ]);
});
