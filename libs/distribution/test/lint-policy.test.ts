import { expect, test } from 'vitest';
import { parseFindings } from '@kiln/package-build';
import { judgeFindings } from '../src/lint-policy.ts';

const OUTPUT = `(none): W: unable to init enchant, spellchecking disabled.
============================ rpmlint session starts ============================
pam.x86_64: E: setuid-binary /usr/sbin/unix_chkpwd root 4755
pam.x86_64: E: setuid-binary /usr/sbin/other root 4755
pam.x86_64: E: no-signature
sed.x86_64: W: no-documentation
filesystem.spec:3: E: hardcoded-library-path in %{_prefix}/lib
 3 packages and 0 specfiles checked; 3 errors, 2 warnings, 3 badness; has taken 0.4 s
`;

test('lines of rpmlint are findings; what it tells beside them is not', () => {
  expect(
    parseFindings(OUTPUT).map(({ severity, subject, rule, details }) => [severity, subject, rule, details]),
  ).toEqual([
    ['error', 'pam.x86_64', 'setuid-binary', '/usr/sbin/unix_chkpwd root 4755'],
    ['error', 'pam.x86_64', 'setuid-binary', '/usr/sbin/other root 4755'],
    ['error', 'pam.x86_64', 'no-signature', ''],
    ['warning', 'sed.x86_64', 'no-documentation', ''],
    ['error', 'filesystem.spec:3', 'hardcoded-library-path', 'in %{_prefix}/lib'],
  ]);
});

const errors = (found: ReturnType<typeof judgeFindings>) =>
  found.filter(({ severity }) => severity === 'error').map(({ message }) => message);

test('a rule that is off counts nowhere, a waiver only for its path', () => {
  const waivers = [{ rule: 'setuid-binary', path: '/usr/sbin/unix_chkpwd', reason: 'it reads the password' }];
  const found = judgeFindings(parseFindings(OUTPUT), { off: { 'no-signature': 'signed later' }, waivers });
  expect(errors(found)).toEqual([
    'pam.x86_64: setuid-binary /usr/sbin/other root 4755',
    'filesystem.spec:3: hardcoded-library-path in %{_prefix}/lib',
  ]);
});

test.each([
  ['/usr/sbin/*', 0],
  ['/usr/sbin/unix*', 1],
  [undefined, 0],
  ['/usr/bin/*', 2],
])('a waiver for %s leaves %i of two', (path, left) => {
  const waivers = [{ rule: 'setuid-binary', ...(path === undefined ? {} : { path }), reason: 'it must be so' }];
  const found = judgeFindings(parseFindings(OUTPUT), { off: {}, waivers });
  expect(errors(found).filter((text) => text.includes('setuid'))).toHaveLength(left);
  expect(found.filter(({ code }) => code === 'WAIVER_UNUSED')).toHaveLength(left === 2 ? 1 : 0);
});
