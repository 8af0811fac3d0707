import { formatDiagnostic, SourceText } from '@kiln/diagnostics';
import { formatDependency, formatNevra } from '@kiln/rpm-package';
import { describe, expect, it } from 'vitest';
import { evaluateSpec } from '@kiln/rpm-spec';

const HELLO = `%bcond_with tests
Name: hello
Version: 1.0
Release: 2%{?dist}
Summary: Says hello
License: MIT
Source0: https://example.org/%{name}-%{version}.tar.gz
Patch5: fix.patch
Patch: more.patch
BuildRequires: make >= 4, gcc gcc
%if %{with tests}
BuildRequires: perl
%endif

%description
Says hello.

%package doc
Summary: Its manual
BuildArch: noarch
Requires: %{name} = %{version}-%{release}
%description doc
The manual.

%prep
%autosetup -p1
%post -p /sbin/ldconfig
%files
`;

function evaluate(text: string, defines: Record<string, string> = {}): ReturnType<typeof evaluateSpec> {
  return evaluateSpec({ file: 'hello.spec', text, defines });
}

describe('evaluateSpec', () => {
  it('evaluates packages, sources and dependencies', () => {
    const { sourcePackage, diagnostics } = evaluate(HELLO, { dist: '.kl1' });
    expect(diagnostics).toEqual([]);
    expect(sourcePackage?.packages.map(formatNevra)).toEqual(['hello-1.0-2.kl1.x86_64', 'hello-doc-1.0-2.kl1.noarch']);
    expect(sourcePackage?.packages.map(({ built }) => built)).toEqual([true, false]);
    expect(sourcePackage?.buildRequires.map(formatDependency)).toEqual(['gcc', 'make >= 4']);
    expect(sourcePackage?.sources.map(({ kind, number, fileName }) => `${kind}${number} ${fileName}`)).toEqual([
      'source0 hello-1.0.tar.gz',
      'patch5 fix.patch',
      'patch6 more.patch',
    ]);
    expect(sourcePackage?.packages[0]?.provides.map(formatDependency)).toEqual([
      'hello = 1.0-2.kl1',
      'hello(x86-64) = 1.0-2.kl1',
    ]);
    expect(sourcePackage?.packages[0]?.requires).toMatchObject([
      { name: '/sbin/ldconfig', sense: (1 << 8) | (1 << 10) },
    ]);
    expect(sourcePackage?.packages[1]?.requires.map(formatDependency)).toEqual(['hello = 1.0-2.kl1']);
  });

  it('follows conditional builds', () => {
    const { sourcePackage } = evaluate(HELLO, { _with_tests: '--with-tests' });
    expect(sourcePackage?.buildRequires.map(({ name }) => name)).toContain('perl');
  });

  it('names the place of every value', () => {
    const { sourcePackage } = evaluate(HELLO);
    expect(sourcePackage?.buildRequires[1]?.location).toMatchObject({ file: 'hello.spec', line: 10, column: 16 });
    expect(sourcePackage?.packages[1]?.location).toMatchObject({ line: 18 });
    expect(sourcePackage?.packages[1]?.origins).toMatchObject({ version: { line: 3 }, summary: { line: 19 } });
  });

  it('tells the macros behind a value that the spec does not say itself', () => {
    const define = '%define needs() Requires: first\\\nRequires: second\n';
    const { sourcePackage } = evaluate(define + HELLO.replace('%if', '%needs\n%if'));
    expect(sourcePackage?.packages[0]?.requires.find(({ name }) => name === 'second')?.location).toMatchObject({
      line: 13,
      trace: [{ file: 'hello.spec', line: 1 }],
    });
  });

  it('explains where a macro got its value', () => {
    const options = { file: 'hello.spec', text: `%global dist .b%{nil}\n${HELLO}`, defines: { dist: '.a' } };
    const { explainedMacros } = evaluateSpec({ ...options, explainMacros: ['dist', 'nope', 'with'] });
    expect(explainedMacros).toMatchObject([
      {
        name: 'dist',
        value: '.b',
        definitions: [
          { body: '.b', location: { file: 'hello.spec', line: 1 } },
          { body: '.a', location: { file: '<define>' } },
        ],
      },
      { name: 'nope', definitions: [] },
      { name: 'with', definitions: [{ options: '' }] },
    ]);
  });

  it('says what the result depends on', () => {
    const { readMacros, missingMacros } = evaluate(HELLO);
    expect(readMacros.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['autosetup', 'bcond_with', '__scm', 'with']),
    );
    expect(missingMacros).toEqual(expect.arrayContaining(['dist', '_with_tests', 'with_tests']));
  });
});

describe('diagnostics', () => {
  const frames = (text: string): string[] =>
    evaluate(text).diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, new SourceText('hello.spec', text)));

  it('names the line of an unclosed %if', () => {
    const text = HELLO.replace('%endif\n', '');
    expect(frames(text)).toEqual([
      'hello.spec:11:1: error SPEC_UNCLOSED_IF: unclosed %if\n' +
        ' 11 | %if %{with tests}\n' +
        '    | ^^^\n' +
        '  hint: Add the missing %endif.',
    ]);
  });

  it('reports several broken tags at once, each with a hint', () => {
    const text = 'Name: x\nVerson: 1\n  Release: 1\nRequires: >= 2\nBuildRequires: a >=\n%description\n';
    const found = evaluate(text).diagnostics.map(({ code, location, hint }) => `${location?.line} ${code} ${hint}`);
    expect(found).toEqual([
      '2 SPEC_UNKNOWN_TAG Did you mean Version?',
      '3 SPEC_UNKNOWN_TAG A tag starts in the first column.',
      '4 SPEC_DEPENDENCY Name the capability before the comparison.',
      '5 SPEC_DEPENDENCY undefined',
      '1 SPEC_MISSING_TAG Add Version: to the preamble.',
      '1 SPEC_MISSING_TAG Add Release: to the preamble.',
      '1 SPEC_MISSING_TAG Add Summary: to the preamble.',
      '1 SPEC_MISSING_TAG Add License: to the preamble.',
    ]);
  });

  it('asks for an answer instead of running a command', () => {
    const { sourcePackage, diagnostics } = evaluate(HELLO.replace('Release: 2', 'Release: 2%(uname -r)'));
    expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'SHELL_NO_ANSWER no recorded answer for the command: uname -r',
    ]);
    expect(sourcePackage?.evr.release).toBe('2');
  });
});

describe('the standard macros of %prep', () => {
  const prep = (line: string): string =>
    evaluate(HELLO.replace('%autosetup -p1', line)).expandedText.split('%prep\n')[1]!;

  it('applies all patches, in order and with the options', () => {
    expect(prep('%autosetup -p1 -n dir').match(/rpmuncompress .*|^.*patch -p.*/gm)).toEqual([
      "rpmuncompress -x './hello-1.0.tar.gz'",
      'rpmuncompress ./fix.patch | ',
      '/usr/bin/patch -p1 -s --fuzz=0 --no-backup-if-mismatch -f',
      'rpmuncompress ./more.patch | ',
      '/usr/bin/patch -p1 -s --fuzz=0 --no-backup-if-mismatch -f',
    ]);
    expect(prep('%autosetup -N')).not.toContain('fix.patch');
  });

  it('applies chosen patches', () => {
    expect(prep('%autopatch 6')).not.toContain('fix.patch');
    expect(prep('%autopatch -M 5')).not.toContain('more.patch');
    expect(prep('%autopatch -m 6')).toContain('more.patch');
  });

  it('lists sources and patches', () => {
    expect(prep('cp %{sources} %{patches} .')).toContain("cp './hello-1.0.tar.gz'  './fix.patch' './more.patch'  .");
  });
});
