/** Generates dependencies, conditionals and the sections after the preamble. */
import type { Random } from './random.ts';

const CONDITIONS = [
  ...[
    '1',
    '0',
    '%{with docs}',
    '!%{with check}',
    '0%{?flag}',
    '%{defined toggle}',
    '"%{_arch}" == "x86_64"',
    '1 + 1 == 2',
  ],
  ...[
    '0%{?major} > 1 && "a" < "b"',
    'v"1.0~rc" < v"1.0"',
    '%{undefined nothing}',
    '(1 || 0) && !0',
    '%[ 2 > 1 ]',
    '0%{?toggle}',
  ],
];

/** Lines in `%if … %endif`, sometimes with other branches. */
export function conditional(random: Random, then: readonly string[], more: () => readonly string[]): string[] {
  const open = random.weighted([
    [6, () => `%if ${random.pick(CONDITIONS)}`],
    [
      2,
      () =>
        `%if${random.pick(['n', ''])}arch ${random.pick(['x86_64', 'noarch', 'aarch64 x86_64', '%{ix86}', 's390x'])}`,
    ],
    [1, () => `%if${random.pick(['n', ''])}os ${random.pick(['linux', 'Linux darwin'])}`],
    [0.05, () => random.pick(['%if', '%if word', '%if 1 +', '%ifarch', '%if 0 extra'])],
  ])();
  const lines = [open, ...then];
  if (random.chance(0.2)) {
    lines.push(
      random.pick(['%elif 1', '%elif 0%{?toggle}', '%elif "%{name}" == "demo"', '%elifarch noarch', '%elifos linux']),
      ...more(),
    );
  }
  if (random.chance(0.4)) lines.push(random.oddly(['%else', '%else', '  %else'], ['%else # note', '%elif']), ...more());
  if (random.chance(0.997)) lines.push(random.oddly(['%endif', '%endif', ' %endif'], ['%endif # note', '%end']));
  return lines;
}

const KINDS = [
  'Requires',
  'Requires',
  'Provides',
  'Obsoletes',
  'Conflicts',
  'Recommends',
  'Suggests',
  'Supplements',
  'Enhances',
];
const QUALIFIERS = ['post', 'pre,postun', 'meta', 'pretrans', 'posttrans', 'verify', 'interp', 'preun', 'pre, post'];
const ODD_QUALIFIERS = ['rpmlib', 'bogus', 'missingok', ''];
const NAMES = [
  ...[
    'foo',
    'bar',
    'lib(x)(64bit)',
    '/usr/bin/tool',
    '%{name}-libs',
    'perl(A::B)',
    'foo(x86-64)',
    'a+b',
    '_x',
    '1x',
    'foo(a=b)',
  ],
];
const ODD_NAMES = ['-bad', 'foo-%{undefinedhere}', 'a@b', '(x', 'x)', '~a', 'rpmlib(Y)'];
const VERSIONS = ['1', '1.0-1', '2:1.0', '%{version}-%{release}', '1.0~rc1', '1:2-3', '1^git', '0:1', '01', '1_2+3'];
const ODD_VERSIONS = ['%{epoch}:%{version}', '1-2-3', ':1', '1:', '1~~a', '%{nothing}', 'a/b', '-1'];

/** One dependency tag. */
export function dependencies(random: Random): string {
  const kind = random.pick(KINDS);
  const qualifier = kind === 'Requires' && random.chance(0.3) ? `(${random.oddly(QUALIFIERS, ODD_QUALIFIERS)})` : '';
  const items: string[] = [];
  for (let count = 1 + random.below(3); count > 0; count -= 1) items.push(dependency(random));
  return `${kind}${qualifier}: ${items.join(random.pick([', ', ' ', ',', '  ', ' , ']))}`;
}

function dependency(random: Random): string {
  if (random.chance(0.08)) return rich(random, 2);
  const name = random.oddly(NAMES, ODD_NAMES, 0.01);
  if (random.chance(0.5)) return name;
  const space = random.chance(0.99) ? ' ' : '';
  return `${name}${space}${random.oddly(['=', '<', '<=', '>', '>='], ['==', '=>', '=<', '!='])}${space}${random.oddly(VERSIONS, ODD_VERSIONS, 0.01)}`;
}

function rich(random: Random, depth: number): string {
  const side = (): string =>
    depth > 0 && random.chance(0.3)
      ? rich(random, depth - 1)
      : `${random.pick(NAMES)}${random.chance(0.3) ? ' >= 1' : ''}`;
  const operator = random.oddly(['and', 'or', 'if', 'with', 'without', 'unless'], ['xor', 'AND', '']);
  const more = random.chance(0.2)
    ? ` ${random.oddly([operator === 'if' || operator === 'unless' ? 'else' : operator], ['and', 'else', 'or'])} ${side()}`
    : '';
  return `(${side()} ${operator} ${side()}${more}${random.chance(0.99) ? ')' : ''}`;
}

const SCRIPT = [
  ...[
    'echo %{name} "%{?version}"',
    'make %{?_smp_mflags}',
    '%{nil}',
    '# comment %{name}',
    '',
    '  indented',
    'cat <<EOF',
    'EOF',
  ],
  ...[
    '%dnl gone',
    '%define local x',
    'echo %local $1 %1 %*',
    '%{?toggle:echo on}',
    'line with trailing   ',
    '%%literal',
  ],
  ...[
    'echo ${x%%.*}',
    '%{lua: print("made by lua")}',
    '%notasection',
    'echo %{SOURCE0} %{S:1} %{PATCH0}',
    '%{shrink: a   b }',
  ],
  ...['%{?twoline}', 'echo %%{x', 'echo %%(y', '%{?call:%call -a b c}', 'a \\'],
];

/** Lines of a script. */
export function scriptLines(random: Random): string[] {
  const lines: string[] = [];
  for (let count = random.below(5); count > 0; count -= 1) {
    const line = random.pick(SCRIPT);
    lines.push(...(random.chance(0.15) ? conditional(random, [line], () => [random.pick(SCRIPT)]) : [line]));
  }
  return lines;
}

const PREP = [
  ...[
    '%setup -q',
    '%setup -q -n dir-%{version}',
    '%setup -T -c',
    'echo prep',
    '%{nil}',
    '  %setup -q',
    '%setup -q -c -n %{name}',
  ],
  ...['%setup', '%setup -D -T', '# %setup', '%setup -q -T'],
];
const ODD_PREP = [
  ...[
    '%setup -n',
    '%setup -z',
    '%setup -q -a 1',
    '%setup -b 0 -D',
    '%patch',
    '%patch0 -p1',
    '%patch1 -p1 -b .old',
    '%patch -P 0',
  ],
  ...[
    '%patch -P1 -p2',
    '%patch 0',
    '%patch7 -R',
    '%patch -p1',
    '%patch9',
    '%patch0 -F 2 -E',
    '%patch0 -d sub -o out',
    '%patch0 -Z',
  ],
  ...[
    '%patch0 -p1 -z .x',
    '%patch -P 3 -P 0 -p1',
    '%setup -q -a 0 -b 2',
    '%patch 0 1',
    '%patch0 -m "x y"',
    '%setup -a',
    '%setup x',
  ],
];
const SUBPACKAGES = ['devel', 'libs', '-n other', '-n lib%{name}', 'docs', 'x-y', '-n a.b+c'];
const ODD_SUBPACKAGES = ['-n demo', '', 'two words', '-x', '-n', '-n a -n b'];
const SCRIPTLETS = ['pre', 'post', 'preun', 'postun', 'pretrans', 'posttrans', 'verifyscript'];

/** Everything after the first description, in the usual order or another. */
export function sections(random: Random): string[] {
  const named = subpackageNames(random);
  const blocks: string[][] = named.map((name) => subpackage(random, name));
  if (random.chance(0.8))
    blocks.push(['%prep', ...several(random, random.chance(0.2) ? [...PREP, ...ODD_PREP] : PREP, 3)]);
  for (const section of ['build', 'install', 'check', 'clean', 'generate_buildrequires']) {
    if (random.chance(section === 'clean' || section === 'generate_buildrequires' ? 0.08 : 0.6)) {
      blocks.push([`%${section}${random.chance(0.005) ? ' -x arg' : ''}`, ...scriptLines(random)]);
    }
  }
  if (random.chance(0.4)) blocks.push(scriptlet(random, random.pick(['', ...named])));
  if (random.chance(0.1)) blocks.push(trigger(random, random.pick(['', ...named])));
  for (const name of ['', ...named]) if (random.chance(0.7)) blocks.push(files(random, name));
  if (random.chance(0.5)) blocks.push(['%changelog', ...changelog(random)]);
  if (random.chance(0.02)) blocks.push(random.pick(blocks.length > 0 ? blocks : [['%build']]));
  if (random.chance(0.1)) blocks.sort(() => random.next() - 0.5);
  return random.chance(0.2)
    ? blocks.flatMap((block) => (random.chance(0.2) ? conditional(random, block, () => ['']) : ['', ...block]))
    : blocks.flatMap((block) => ['', ...block]);
}

function subpackageNames(random: Random): string[] {
  const first = random.oddly(SUBPACKAGES, ODD_SUBPACKAGES);
  const second = random.oddly(SUBPACKAGES, ODD_SUBPACKAGES);
  return [...new Set([first, second])].slice(0, random.below(3));
}

function several(random: Random, from: readonly string[], most: number): string[] {
  return Array.from({ length: random.below(most + 1) }, () => random.pick(from));
}

const PACKAGE_TAGS = [
  'Version: 9',
  'Release: 8',
  'Epoch: 3',
  'BuildArch: noarch',
  'License: Other',
  'Group: G',
  'URL: x',
  'Summary(fr): y',
];

function subpackage(random: Random, name: string): string[] {
  const lines = [`%package ${name}`, ...(random.chance(0.995) ? ['Summary: Part'] : [])];
  for (let count = random.below(4); count > 0; count -= 1)
    lines.push(random.chance(0.6) ? dependencies(random) : random.pick(PACKAGE_TAGS));
  if (random.chance(0.995))
    lines.push(
      '',
      `%description ${name}${random.chance(0.005) ? ' surplus' : ''}${random.chance(0.01) ? ' -l de' : ''}`,
      `Text of %{name}.`,
    );
  return lines;
}

function scriptlet(random: Random, name: string): string[] {
  const header = `%${random.pick(SCRIPTLETS)} ${name}`;
  return random.weighted<() => string[]>([
    [3, () => [header, ...scriptLines(random)]],
    [
      2,
      () => [
        `${header} -p ${random.oddly(['/sbin/ldconfig', '/usr/bin/python3', '<lua>', '/bin/sh', '"/bin/sh -e"'], ['relative', '<perl>'])}`,
        ...several(random, ['print("x")', 'x = 1'], 1),
      ],
    ],
    [1, () => [`${header} -e`, 'echo %{name}']],
    [0.05, () => [`${header} -p`]],
    [0.05, () => [header, ...scriptLines(random), header]],
  ])();
}

function trigger(random: Random, name: string): string[] {
  const kind = random.pick([
    'triggerin',
    'triggerun',
    'triggerpostun',
    'triggerprein',
    'filetriggerin',
    'transfiletriggerin',
    'filetriggerun',
  ]);
  return [
    `%${kind} ${name} ${random.pick(['', '-p /bin/sh ', '-P 10 '])}-- ${random.pick(['foo', 'foo > 1, bar', '/usr/lib', ''])}`,
    'echo triggered',
  ];
}

function files(random: Random, name: string): string[] {
  const lines = [
    '%defattr(-,root,root)',
    '/usr/bin/x',
    '%doc README',
    '%{_bindir}/%{name}',
    '%dir /x',
    '%license COPYING',
    '%ghost /y',
    '',
  ];
  return [
    `%files ${name}${random.oddly(['', '', ' -f list', ' -f a -f b'], [' -f', ' -g'])}`,
    ...several(random, lines, 4),
  ];
}

function changelog(random: Random): string[] {
  const entry = (): string[] => [
    random.pick([
      ...[
        '* Mon Jan 01 2024 A B <a@b.example> - 1.0-1',
        '* Tue Jan 2 2024 A B',
        '* Wed Jan 03 2024 Somebody - %{version}',
        '* Fri Feb 30 2024 X',
      ],
      ...[
        '* Sun Dec 31 1995 Old',
        '* Mon Jan 01 12:30:00 UTC 2024 T <t@t.example> - 1',
        '* bad',
        'no star',
        '* Mon Foo 01 2024 X',
        '* Sat Jan 06 2024',
      ],
    ]),
    ...several(random, ['- change', '- %%macro and %{name}', '', '  more', '# comment'], 3),
    '',
  ];
  return Array.from({ length: 1 + random.below(3) }, entry).flat();
}
