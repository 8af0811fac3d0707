import { expect, test } from 'vitest';
import { checkPackages, judge, STRICT_POLICY, type CheckCode, type Finding } from '@kiln/package-build';

const [A, B, C] = ['ELF_RUN_PATH', 'ELF_NOT_PIE', 'LICENSE_NOT_SPDX'] as const;

const finding = (code: CheckCode, path?: string): Finding => ({
  code,
  ...(path === undefined ? {} : { path }),
  message: `${code} of ${path}`,
  hint: 'mend it',
});

test('a finding is an error, unless the distribution says otherwise', () => {
  const found = [finding(A), finding(B), finding(C)];
  const judged = judge(found, { ...STRICT_POLICY, severities: { [B]: 'warning', [C]: 'off' } });
  expect(judged.map(({ code, severity }) => [code, severity])).toEqual([
    [A, 'error'],
    [B, 'warning'],
  ]);
});

test('a waiver covers a code, a file, or files; an idle one is told', () => {
  const found = [finding(A, '/usr/bin/a'), finding(A, '/usr/lib/x/1'), finding(A, '/usr/lib/x/2'), finding(B)];
  const waivers = [
    { code: A, path: '/usr/lib/x/*', reason: 'data' },
    { code: B, reason: 'known' },
    { code: C, reason: 'gone' },
  ];
  expect(judge(found, { ...STRICT_POLICY, waivers }).map(({ code, message }) => [code, message])).toEqual([
    [A, `${A} of /usr/bin/a`],
    ['WAIVER_UNUSED', `nothing needs the waiver of ${C}`],
  ]);
});

const LICENSE = { path: '/usr/share/licenses/one/COPYING', flags: 1 << 7, mode: 0o100644, color: 0 };
const PROGRAM = {
  path: '/usr/bin/one',
  flags: 0,
  mode: 0o100755,
  color: 2,
  class: 'ELF 64-bit LSB pie executable, x86-64',
};
const rpm = (name: string, files: readonly object[], more: object = {}) =>
  ({ name, license: 'MIT', files, provides: [{ name }, { name: `${name}(x86-64)` }], requires: [], ...more }) as never;
const codes = (...packages: readonly never[]) => checkPackages(packages).map(({ code }) => code);

test.each(['MIT', 'GPL-2.0-or-later WITH Classpath-exception-2.0 AND (BSD-3-Clause OR MIT)', 'LicenseRef-Own'])(
  'the licence %s is an SPDX expression',
  (license) => expect(codes(rpm('one', [LICENSE], { license }))).toEqual([]),
);

test.each(['GPLv2+', 'MIT and BSD', ''])('the licence %j is none', (license) => {
  expect(codes(rpm('one', [LICENSE], { license }))).toEqual(['LICENSE_NOT_SPDX']);
});

test('each package with files has a licence text, its own or that of a package of the same build', () => {
  const libs = rpm('one-libs', [LICENSE]);
  const one = rpm('one', [{ ...PROGRAM, color: 0 }], { requires: [{ name: 'one-libs(x86-64)' }] });
  expect(codes(one, libs)).toEqual([]);
  expect(codes(one)).toEqual(['LICENSE_FILE_MISSING']);
  expect(codes(rpm('meta', []))).toEqual([]);
});

test('compiled code comes with debug information', () => {
  expect(codes(rpm('one', [LICENSE, PROGRAM]))).toEqual(['DEBUGINFO_MISSING']);
  expect(codes(rpm('one', [LICENSE, PROGRAM]), rpm('one-debuginfo', []))).toEqual([]);
});
