/**
 * What commands in macros get to know of perl and python: versions and directories. The toolchain that records answers has others than
 * the distribution, and they get into names of packages and requirements.
 */
import { basename } from 'node:path';

export interface ProgramVersions {
  readonly perl: string;
  readonly python: string;
}

/** Standard output of a command; undefined of one that is not about these programs. */
export function programAnswer(command: string, versions: ProgramVersions): string | undefined {
  return perlAnswer(command, versions.perl) ?? pythonAnswer(command, versions.python);
}

/** The directories are those that perl.spec configures. */
const PERL_SETTINGS: Readonly<Record<string, string>> = {
  installarchlib: '/usr/lib/perl5',
  installprivlib: '/usr/share/perl5',
  installvendorarch: '/usr/lib/perl5/vendor_perl',
  installvendorlib: '/usr/share/perl5/vendor_perl',
};

/** `eval "$(perl -V:<setting>)"; echo <text>`, with `$<setting>` in the text. */
function perlAnswer(command: string, version: string): string | undefined {
  if (/^perl -MConfig -e 'print \$Config\{version\}'$/.test(command)) return version;
  const asked = /^eval "?(?:`|\$\()(\S*perl) -V:(\w+)(?:`|\))"?; echo (.*)$/.exec(command);
  if (asked === null || basename(asked[1]!) !== 'perl') return undefined;
  const [, , setting, text] = asked;
  const value = setting === 'version' ? version : PERL_SETTINGS[setting!];
  return value === undefined ? undefined : `${text!.replace(/^"(.*)"$/, '$1').replaceAll(`$${setting}`, value)}\n`;
}

/** Python's code in the command, by what it asks; the first that fits counts. */
const PYTHON_QUESTIONS: readonly (readonly [RegExp, (version: readonly string[]) => string])[] = [
  [/\{0\.major\}\.\{0\.minor\}\.\{0\.micro\}/, (version) => version.join('.')],
  [/\{0\.major\}\.\{0\.minor\}/, ([major, minor]) => `${major}.${minor}`],
  [/\{0\.major\}\{0\.minor\}/, ([major, minor]) => `${major}${minor}`],
  [
    /print *\(?(site\.getsitepackages|sysconfig\.get_path\('(plat|pure)lib'|get_python_lib)/,
    ([major, minor]) => `${siteOf(major, minor)}\n`,
  ],
  [/sys\.stdout\.write\((distutils\.sysconfig\.)?get_python_lib/, ([major, minor]) => siteOf(major, minor)],
];

function siteOf(major = '3', minor = '0'): string {
  return `/usr/lib/python${major}.${minor}/site-packages`;
}

function pythonAnswer(command: string, version: string): string | undefined {
  if (!/^(\w+=\S* )?(\S*\/)?python3 /.test(command)) return undefined;
  const [, answer] = PYTHON_QUESTIONS.find(([question]) => question.test(command)) ?? [];
  return answer?.(version.split('.'));
}
