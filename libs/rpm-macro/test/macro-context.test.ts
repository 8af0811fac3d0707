import { createMacroContext, MacroContext, optflagsOf, parseRpmrc, standardEnvironment } from '@kiln/rpm-macro';
import { describe, expect, it } from 'vitest';

const ORIGIN = { file: 'x.spec', line: 10 };

describe('diagnostics', () => {
  it('name the place of the outermost call and the definitions behind it', () => {
    const context = createMacroContext();
    context.define('inner %(secret)', 0, { file: 'macros', line: 3 });
    context.define('outer %{inner}', 0, { file: 'macros', line: 4 });
    context.expand('first line\n  say %outer', ORIGIN);
    expect(context.diagnostics).toMatchObject([
      {
        code: 'SHELL_NO_ANSWER',
        message: 'no recorded answer for the command: secret',
        location: { file: 'x.spec', line: 11, column: 7 },
        trace: [
          { file: 'macros', line: 4 },
          { file: 'macros', line: 3 },
        ],
      },
    ]);
  });

  it('quote the bracket that is not closed', () => {
    const context = createMacroContext();
    expect(context.tryExpand('a %{b', ORIGIN)).toBeUndefined();
    expect(context.diagnostics[0]).toMatchObject({ code: 'MACRO_UNTERMINATED', location: { line: 10, column: 3 } });
  });

  it('say what a macro file does wrong, with its line', () => {
    const files = [{ file: 'toolkit/macros', text: '# comment\n%good 1\n%_ bad name\n%long a\\\nb\n%1 x\n' }];
    const context = createMacroContext({ environment: standardEnvironment({ files }) });
    expect(context.diagnostics.map(({ code, location }) => `${code} ${location?.file}:${location?.line}`)).toEqual([
      'MACRO_NAME toolkit/macros:3',
      'MACRO_NAME toolkit/macros:6',
    ]);
    expect(context.expand('%good %long')).toBe('1 a\nb');
  });
});

describe('limits', () => {
  it('end a recursion', () => {
    const context = createMacroContext();
    context.define('loop %loop');
    expect(context.tryExpand('%loop')).toBeUndefined();
    expect(context.diagnostics[0]?.code).toBe('MACRO_RECURSION');
  });

  it('end an expansion that doubles itself', () => {
    const context = createMacroContext();
    context.define('m0 xxxxxxxxxxxxxxxx');
    for (let level = 1; level < 60; level += 1) context.define(`m${level} %{m${level - 1}}%{m${level - 1}}`);
    expect(context.tryExpand('%m59')).toBeUndefined();
    expect(context.diagnostics[0]?.code).toBe('MACRO_LIMIT');
  });
});

describe('the standard environment', () => {
  it.each([
    ['x86_64', '%{_libdir} %{_target_cpu} %{?_isa} %{__isa_bits}', '/usr/lib64 x86_64 (x86-64) 64'],
    ['aarch64', '%{_arch} %{_target_platform} %{?_isa}', 'aarch64 aarch64-pc-linux (aarch-64)'],
  ] as const)('knows its target %s', (targetArch, text, expected) => {
    expect(createMacroContext({ environment: standardEnvironment({ targetArch }) }).expand(text)).toBe(expected);
  });

  it('lets later files and then defines win', () => {
    const environment = standardEnvironment({
      files: [
        { file: 'a', text: '%_lib lib\n%dist .a\n' },
        { file: 'b', text: '%_libdir %{_prefix}/%{_lib}\n' },
      ],
      defines: { dist: '.b' },
    });
    expect(createMacroContext({ environment }).expand('%_libdir %dist')).toBe('/usr/lib .b');
    expect(createMacroContext({ environment, defines: { dist: '.c' } }).expand('%dist')).toBe('.c');
    expect(JSON.parse(JSON.stringify(environment))).toEqual(environment);
  });

  it('has conditional builds with both defaults and overrides', () => {
    const expand = (defines: Record<string, string>): string =>
      createMacroContext({ defines })
        .expand('%bcond_with a\n%bcond_without b\n%bcond c 1\n%{with a}%{with b}%{with c}')
        .trim();
    expect(expand({})).toBe('011');
    expect(expand({ _with_a: '1', _without_b: '1', _without_c: '1' })).toBe('100');
  });

  it('shares nothing between contexts', () => {
    const first = createMacroContext();
    first.expand('%global leaked 1\n%undefine _prefix');
    expect(createMacroContext().expand('%{?leaked}%{_prefix}')).toBe('/usr');
  });
});

describe('what an expansion depends on', () => {
  it('is recorded by name', () => {
    const context = createMacroContext({
      ports: { readFile: (path) => (path === '/m' ? '%loaded yes\n' : undefined) },
    });
    expect(context.expand('%{load:/m}%loaded %{?missing} %{_bindir}')).toBe('yes  /usr/bin');
    expect([...context.readFiles]).toEqual(['/m']);
    expect([...context.missingNames]).toEqual(['missing']);
    expect([...context.usedNames].sort()).toEqual(['_bindir', '_exec_prefix', '_prefix', 'load', 'loaded']);
  });
});

describe('rpmrc', () => {
  it('gives the last optflags of an architecture, macros unexpanded', () => {
    const entries = parseRpmrc('include: base\n# c\noptflags: x86_64 %{flags} -m64\n', (path) =>
      path === 'base' ? 'optflags: x86_64 -O2 -g\noptflags: aarch64 -O2\n' : undefined,
    );
    expect(optflagsOf(entries, 'x86_64')).toBe('%{flags} -m64');
    expect(optflagsOf(entries, 'aarch64')).toBe('-O2');
    expect(optflagsOf(entries, 'i686')).toBeUndefined();
  });
});

describe('the dialect of 4.18.0', () => {
  const expand = (rpmVersion: '4.18' | '4.18.0', text: string): string => new MacroContext({ rpmVersion }).expand(text);

  it('has no %{rpmversion}', () => {
    expect(expand('4.18', '%{rpmversion}')).toBe('4.18.2');
    expect(expand('4.18.0', '%{rpmversion}')).toBe('%{rpmversion}');
  });

  it('leaves the scope of a macro in expressions', () => {
    const text = '%define inner() %["%{1}"]\n%define outer() %inner\n%outer q';
    expect(expand('4.18', text)).toBe('%{1}');
    expect(expand('4.18.0', text)).toBe('q');
  });
});

describe('deep nesting', () => {
  it.each([
    ['parentheses', `%[${'('.repeat(50_000)}1${')'.repeat(50_000)}]`],
    ['macros in macros', `${'%{?x:'.repeat(50_000)}`],
    ['expressions in expressions', '%define f %[%f+1]\n%f'],
    ['quotes that quote quotes', '%define f %{shescape:%f }%f\n%f'],
  ])('of %s is an error', (_what, text) => {
    for (const rpmVersion of ['4.18', '4.18.0'] as const) {
      const context = new MacroContext({ rpmVersion });
      expect(context.tryExpand(text)).toBeUndefined();
      expect(context.diagnostics).not.toEqual([]);
    }
  });

  it('of signs is none', () => {
    expect(new MacroContext().expand(`%[${'!'.repeat(50_000)}1]`)).toBe('1');
  });
});
