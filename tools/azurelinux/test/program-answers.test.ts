import { expect, it } from 'vitest';
import { programAnswer } from '../macro-environment/program-answers.ts';

const VERSIONS = { perl: '5.38.2', python: '3.12.9' };
const SITE = '/usr/lib/python3.12/site-packages';

it.each([
  ['eval "`/usr/bin/perl -V:version`"; echo $version', '5.38.2\n'],
  ['eval "$(perl -V:version)"; echo $version', '5.38.2\n'],
  ['eval `perl -V:version`; echo "perl(:MODULE_COMPAT_$version)"', 'perl(:MODULE_COMPAT_5.38.2)\n'],
  ['eval "`perl -V:installvendorarch`"; echo $installvendorarch', '/usr/lib/perl5/vendor_perl\n'],
  ["perl -MConfig -e 'print $Config{version}'", '5.38.2'],
  [`/usr/bin/python3 -Esc "sys.stdout.write('{0.major}.{0.minor}'.format(sys.version_info))"`, '3.12'],
  [`RPM_BUILD_ROOT= /usr/bin/python3 -Esc "sys.stdout.write('{0.major}{0.minor}'.format(x))"`, '312'],
  [`python3 -c "print('{0.major}.{0.minor}.{0.micro}'.format(sys.version_info))"`, '3.12.9'],
  [`python3 -Ic "import sysconfig; print(sysconfig.get_path('purelib', vars={}))"`, `${SITE}\n`],
  ['python3 -c "import site; print(site.getsitepackages()[-1])"', `${SITE}\n`],
  ['python3 -c "sys.stdout.write(get_python_lib(1))"', SITE],
])('answers %s', (command, answer) => {
  expect(programAnswer(command, VERSIONS)).toBe(answer);
});

it.each([
  'uname -r',
  'echo perl -V:version',
  'eval "`perl -V:unknown`"; echo $unknown',
  'eval "`/usr/bin/notperl -V:version`"; echo $version',
  'python2 -c "print(get_python_lib())"',
  'python3 -c "import sys; print (sys.prefix)"',
])('leaves %s to the toolchain', (command) => {
  expect(programAnswer(command, VERSIONS)).toBeUndefined();
});
