/** A real cycle of two packages: found, proposed how to break, built through Nx with bootstrap RPMs that nobody else gets. */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kiln, nx } from './run-kiln.ts';
import { commit, LICENSE_FILE, makeSmallTree, sign, write, type SmallTree } from './small-tree.ts';
import { sharedStore } from './test-store.ts';

let directory: string;
let tree: SmallTree;

const HEAD = (name: string, more: string) => `${more}
Name:           ${name}
Version:        1.0
Release:        1%{?dist}
Summary:        The test package ${name}
License:        MIT
Source0:        ${name}.c
BuildRequires:  gcc
BuildRequires:  glibc-devel
`;
const TAIL = `
%changelog
* Mon Jun 01 2026 Kiln Maintainers <maintainers@kiln.example> - 1.0-1
- First version
`;

/** A library whose header is written by the program `right`. */
const LEFT = `${HEAD('left', '')}BuildRequires:  right

%description
A library.

%package        devel
Summary:        Development files of left
Requires:       %{name}%{?_isa} = %{version}-%{release}

%description    devel
Header and link.

%prep
%setup -q -c -T
cp %{SOURCE0} .
${LICENSE_FILE}

%build
right > left.h
gcc %{build_cflags} -fPIC -shared -I. -Wl,-soname,libleft.so.1 %{build_ldflags} -o libleft.so.1 left.c

%install
install -D -m 755 libleft.so.1 %{buildroot}%{_libdir}/libleft.so.1
ln -s libleft.so.1 %{buildroot}%{_libdir}/libleft.so
install -D -m 644 left.h %{buildroot}%{_includedir}/left.h

%files
%license LICENSE
%{_libdir}/libleft.so.1

%files devel
%{_libdir}/libleft.so
%{_includedir}/left.h
${TAIL}`;

/** A program that uses the library unless it is told not to. */
const RIGHT = `${HEAD('right', '%bcond_without left')}%if %{with left}
BuildRequires:  left-devel
%endif

%description
A program.

%prep
%setup -q -c -T
cp %{SOURCE0} .
${LICENSE_FILE}

%build
gcc %{build_cflags} %{build_ldflags} -o right right.c %{?with_left:-DWITH_LEFT -lleft}

%install
install -D -m 755 right %{buildroot}%{_bindir}/right

%files
%license LICENSE
%{_bindir}/right
${TAIL}`;

const RIGHT_CODE = `#include <stdio.h>
#ifdef WITH_LEFT
#include <left.h>
#else
static int left(void) { return 1; }
#endif
int main(void) { return left() == 1 ? puts("int left(void);") < 0 : 2; }
`;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-e2e-'));
  chmodSync(directory, 0o755);
  tree = makeSmallTree(join(directory, 'tree'), await sharedStore(directory));
  const packages = { left: [LEFT, '#include "left.h"\nint left(void) { return 1; }\n'], right: [RIGHT, RIGHT_CODE] };
  for (const [name, [spec, code]] of Object.entries(packages)) {
    write(tree.root, `SPECS/${name}/${name}.spec`, spec!);
    write(tree.root, `SPECS/${name}/${name}.c`, code!);
    sign(tree, name);
  }
  write(tree.root, 'imageconfigs/tiny.json', IMAGE);
  commit(tree, 'Two packages that need each other');
}, 1_800_000);

const IMAGE = `{
  "Disks": [{ "Artifacts": [{ "Type": "tar.gz" }] }],
  "SystemConfigs": [{ "Name": "Tiny", "Packages": ["alone"] }]
}
`;

afterAll(() => rmSync(directory, { recursive: true, force: true }), 300_000);

/** In the order in which they can be built. */
const RPMS = ['rpm-bootstrap:right/right', 'rpm-bootstrap:left/left', 'rpm:right/right', 'rpm:left/left'];
const rpms = ({ built }: { readonly built: readonly string[] }) => built.filter((task) => task.startsWith('rpm'));
const buildBoth = () => nx(tree, 'run-many', '-t', 'rpm', '-p', 'left/left,right/right');
const traces = (): string[] =>
  readdirSync(join(tree.root, 'dist'), { recursive: true, encoding: 'utf8' }).filter((path) => /~bootstrap/.test(path));

describe.sequential('two packages that need each other', { timeout: 900_000 }, () => {
  test('are an error that shows the cycle; others are built', async () => {
    const ran = await nx(tree, 'run-many', '-t', 'rpm', '-p', 'left/left,alone/alone');
    expect(ran.status).toBe(1);
    expect(ran.output).toMatch(/error DEPENDENCY_CYCLE: .*left\/left -> right\/right -> left\/left/);
    expect(ran.built).toContain('rpm:alone/alone');
  });

  test('get a policy proposed, with which they are built: first the bootstrap, then everything again', async () => {
    const proposed = await kiln(tree, 'cycles', '--propose');
    expect(proposed.status, proposed.output).toBe(0);
    const policy = proposed.output.slice(proposed.output.indexOf('{'), proposed.output.lastIndexOf('}') + 1);
    expect(JSON.parse(policy)).toEqual({
      packages: { 'left/left': {}, 'right/right': { without: ['left'] } },
      edges: [{ package: 'right/right', requires: 'left/left', from: 'bootstrap' }],
    });
    write(tree.root, 'toolkit/bootstrap.json', policy);
    const ran = await buildBoth();
    expect(ran.status, ran.output).toBe(0);
    expect(rpms(ran)).toEqual(RPMS);
    expect((await buildBoth()).built).toEqual([]);
  });

  test('are planned in the same way when it is recorded what they need to run', async () => {
    expect((await kiln(tree, 'provides', 'right')).output).toContain('+ right requires libleft.so.1()(64bit)');
    expect((await buildBoth()).built).toEqual([]);
    await kiln(tree, 'provides');
    const ran = await buildBoth();
    expect(ran.status, ran.output).toBe(0);
    expect(ran.built).toEqual([]);
    expect((await kiln(tree, 'cycles')).output).toContain('0 cycles');
  });

  test('no bootstrap RPM is shown, recorded, or in the repository', async () => {
    expect(traces()).toEqual([]);
    expect(existsSync(join(tree.root, 'dist/rpms/x86_64/left-1.0-1.kl1.x86_64.rpm'))).toBe(true);
    const ran = await nx(tree, 'repository', 'distribution');
    expect(ran.status, ran.output).toBe(0);
    expect(traces()).toEqual([]);
    expect((await kiln(tree, 'provides')).output).not.toContain('~bootstrap');
    expect(readFileSync(join(tree.root, 'toolkit/provides/left/left.json'), 'utf8')).not.toContain('~bootstrap');
  });

  test('kiln builds the same from nothing, and an entry that is not needed is an error', async () => {
    const again = await kiln(tree, 'rpm', 'left', 'right');
    expect(again.status, again.output).toBe(0);
    expect(again.built).toEqual([]);
    expect(RPMS.every((task) => !again.failed.includes(task))).toBe(true);
    const policy = JSON.parse(readFileSync(join(tree.root, 'toolkit/bootstrap.json'), 'utf8')) as { edges: object[] };
    const edges = [...policy.edges, { package: 'two/two', requires: 'one/one', from: 'toolchain' }];
    write(tree.root, 'toolkit/bootstrap.json', JSON.stringify({ ...policy, edges }, undefined, 2));
    const unused = await kiln(tree, 'rpm', 'two');
    expect(unused.status).toBe(1);
    expect(unused.output).toContain('BOOTSTRAP_POLICY_UNUSED');
  });
});
