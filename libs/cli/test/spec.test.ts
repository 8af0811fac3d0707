import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runMain } from './run-main.ts';

const repository = join(import.meta.dirname, '../../..');
let directory: string;
let file: string;

const SPEC = `%bcond_with extra
Name:           one
Version:        1.0
Release:        1%{?dist}
Summary:        S
License:        MIT
BuildRequires:  gcc >= 10
Requires:       two

%description
D.

%package        devel
Summary:        S
Requires:       %{name}%{?_isa} = %{version}-%{release}

%description    devel
D.

%if %{with extra}
%package        extra
Summary:        S
%description    extra
D.
%files          extra
%endif

%post -p /sbin/ldconfig
%preun devel
echo gone

%files

%changelog
* Mon Jan 01 2024 A B <a@b.example> - 1.0-1
- First
`;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-spec-'));
  file = join(directory, 'one.spec');
  writeFileSync(file, SPEC);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const spec = (...argv: string[]) => runMain('--directory', directory, 'spec', ...argv);
const lines = async (...argv: string[]) => {
  const { status, out, err } = await spec(...argv);
  expect(status, err).toBe(0);
  return out.trimEnd().split('\n');
};

test('query prints what rpmspec would', async () => {
  expect(await lines('query', 'one.spec')).toEqual(['one-1.0-1.x86_64', 'one-devel-1.0-1.x86_64']);
  expect(await lines('query', '--builtrpms', 'one.spec')).toEqual(['one-1.0-1.x86_64']);
  expect(await lines('query', '--srpm', 'one.spec')).toEqual(['one-1.0-1.src']);
  expect(await lines('query', '--buildrequires', 'one.spec')).toEqual(['gcc >= 10']);
  expect(await lines('query', '--requires', 'one.spec')).toEqual([
    '/sbin/ldconfig',
    'two',
    '/bin/sh',
    'one(x86-64) = 1.0-1',
  ]);
  expect(await lines('query', '--srpm', '--requires', '--provides', 'one.spec')).toEqual(['one = 1.0-1', 'gcc >= 10']);
});

test('query prints changelog and scriptlets', async () => {
  expect(await lines('query', '--changelog', 'one.spec')).toEqual([
    '* Mon Jan 01 2024 A B <a@b.example> - 1.0-1',
    '- First',
  ]);
  expect(await lines('query', '--scripts', 'one.spec')).toEqual([
    'postinstall program: /sbin/ldconfig',
    'preuninstall scriptlet (using /bin/sh):',
    'echo gone',
  ]);
});

test('defines, conditional builds and targets count', async () => {
  const named = await lines(
    'query',
    '--builtrpms',
    '-D',
    'dist .t1',
    '-D',
    '_with_extra 1',
    '--target',
    'aarch64',
    'one.spec',
  );
  expect(named).toEqual(['one-1.0-1.t1.aarch64', 'one-extra-1.0-1.t1.aarch64']);
});

test('JSON has everything', async () => {
  const { out } = await spec('query', '--json', 'one.spec');
  expect(JSON.parse(out)).toMatchObject({
    name: 'one',
    buildRequires: [{ name: 'gcc', operator: '>=' }],
    packages: [{ description: 'D.', scriptlets: [{ when: 'post', interpreter: ['/sbin/ldconfig'] }] }, {}],
    changelog: [{ text: '- First' }],
  });
});

test('eval expands, also with the macros of a spec', async () => {
  expect(await lines('eval', '%[ 6 * 7 ] %{lua: print(rpm.vercmp("1", "2"))}')).toEqual(['42 -1']);
  expect(await lines('eval', '%{name}-%{version}', '--spec', 'one.spec')).toEqual(['one-1.0']);
});

test('expand prints the text as it is read', async () => {
  expect(await lines('expand', 'one.spec')).toContain('Requires:       one(x86-64) = 1.0-1');
});

test('lint shows every problem with its place and fails', async () => {
  writeFileSync(join(directory, 'bad.spec'), 'Name: bad\nVerson: 1\n%if 1\n');
  const { status, err } = await spec('lint', 'bad.spec');
  expect(status).toBe(1);
  expect(err).toMatch(/bad\.spec:2:1: error SPEC_UNKNOWN_TAG: .*Verson/);
  expect(err).toContain('   | ^');
  expect((await spec('query', 'nowhere.spec')).err).toContain('SPEC_MISSING');
  expect((await spec('query', '-D', 'nobody', 'one.spec')).status).not.toBe(0);
});

test('inside a workspace its macros and defines count; explain tells where from', async () => {
  const query = await runMain('--directory', repository, 'spec', 'query', '--srpm', 'SPECS/sed/sed.spec');
  expect(query.out).toBe('sed-4.9-1.kl1.src\n');
  const standard = await runMain(
    '--directory',
    repository,
    'spec',
    'query',
    '--srpm',
    '--standard',
    'SPECS/sed/sed.spec',
  );
  expect(standard.out).toBe('sed-4.9-1.src\n');
  const facts = await runMain('--directory', repository, 'explain', 'sed');
  expect(facts.out).toMatch(/^License +GPL-3\.0-or-later +SPECS\/sed\/sed\.spec:\d+/m);
  const macro = await runMain('--directory', repository, 'explain', 'sed', '--macro', '_libdir');
  expect(macro.out).toMatch(/%_libdir is '\/usr\/lib'\n {2}is defined at toolkit\/macros\/macros:\d+/);
});
