/** What only builds reveal: generated BuildRequires, wrong predictions, records that are out of date. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kiln, nx } from './run-kiln.ts';
import { commit, edit, LICENSE_FILE, makeSmallTree, restore, write, type SmallTree } from './small-tree.ts';
import { sharedStore } from './test-store.ts';

let directory: string;
let tree: SmallTree;
const MINUTES = 60_000;

/** Asks for a second package only when the first is there. */
const GENERATED = `Name:           generated
Version:        1.0
Release:        1%{?dist}
Summary:        A package that finds out what it needs
License:        MIT
BuildArch:      noarch

%description
A package that finds out what it needs.

%prep
%setup -q -c -T
${LICENSE_FILE}

%generate_buildrequires
echo one-devel
if [ -e %{_includedir}/one.h ]; then echo 'two-devel >= 1'; fi

%build
cat %{_includedir}/one.h %{_includedir}/two.h > both.h

%install
install -D -m 644 both.h %{buildroot}%{_datadir}/generated/both.h

%files
%license LICENSE
%{_datadir}/generated/

%changelog
* Mon Jun 01 2026 Kiln Maintainers <maintainers@kiln.example> - 1.0-1
- First version
`;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-e2e-'));
  chmodSync(directory, 0o755);
  tree = makeSmallTree(join(directory, 'tree'), await sharedStore(directory));
  write(tree.root, 'SPECS/generated/generated.spec', GENERATED);
  commit(tree, 'A package that finds out what it needs');
}, 30 * MINUTES);

afterAll(() => rmSync(directory, { recursive: true, force: true }), 5 * MINUTES);

const record = (name: string) => join(tree.root, `toolkit/provides/${name}/${name}.json`);

test('generated BuildRequires are found in the sandbox, recorded, and planned', { timeout: 15 * MINUTES }, async () => {
  const stale = await nx(tree, 'rpm', 'generated/generated');
  expect(stale.status).toBe(1);
  expect(stale.output).toMatch(/error PLAN_STALE: %generate_buildrequires .*one-devel/);
  expect(stale.output).toContain('kiln build generated/generated');

  const frozen = await kiln(tree, 'build', 'generated');
  expect(frozen.status).toBe(1);
  expect(existsSync(record('generated'))).toBe(false);

  const ran = await kiln(tree, 'build', 'generated', '--no-frozen');
  expect(ran.status, ran.output).toBe(0);
  expect(ran.output).toContain('+ BuildRequires one-devel');
  expect(ran.output).toContain('+ BuildRequires two-devel >= 1');
  expect(JSON.parse(readFileSync(record('generated'), 'utf8'))).toMatchObject({
    buildRequires: ['one-devel', 'two-devel >= 1'],
  });
  commit(tree, 'Recorded');

  expect((await kiln(tree, 'build', 'generated')).built).toEqual([]);
  const again = await nx(tree, 'rpm', 'generated/generated');
  expect(again.status, again.output).toBe(0);
  expect((await kiln(tree, 'why', 'generated', 'two')).output).toContain("needs 'two-devel >= 1'");
});

test(
  'a prediction that a build refutes is told, and the plan that rested on it stops',
  { timeout: 15 * MINUTES },
  async () => {
    restore(tree);
    rmSync(join(tree.root, 'toolkit/provides'), { recursive: true });
    edit(tree, 'SPECS/three/three.spec', (text) =>
      text.replace('BuildRequires:  one-devel', 'BuildRequires:  pkgconfig(one)'),
    );
    expect((await kiln(tree, 'unresolved', '--predicted')).output).toContain(
      "pkgconfig(one): one-devel (predicted from name 'one-devel')",
    );
    expect((await kiln(tree, 'why', 'three', 'one')).output).toContain("predicted from name 'one-devel'");
    expect((await kiln(tree, 'plan', 'three')).output).toContain('pkgconfig(one) by one-devel (predicted)');

    const stale = await nx(tree, 'rpm', 'three/three');
    expect(stale.status).toBe(1);
    expect(stale.output).toMatch(/error PLAN_STALE: .*'pkgconfig\(one\)'.*one-devel was expected to provide it/);

    const corrected = await kiln(tree, 'build', 'three', '--no-frozen');
    expect(corrected.status).toBe(1);
    expect(corrected.output).toMatch(/recorded toolkit\/provides\/one\/one\.json/);
    expect(corrected.output).toMatch(
      /SPECS\/three\/three\.spec:\d+(:\d+)?: error DEPENDENCY_UNRESOLVED: .*'pkgconfig\(one\)'/,
    );
  },
);

test(
  'a record that differs from what is built fails in CI and is corrected elsewhere',
  { timeout: 15 * MINUTES },
  async () => {
    restore(tree);
    expect((await kiln(tree, 'build', 'one', '--no-frozen')).status).toBe(0);
    const good = readFileSync(record('one'), 'utf8');
    edit(tree, 'toolkit/provides/one/one.json', (text) => text.replace('libone.so.1', 'libuno.so.1'));
    const frozen = await kiln(tree, 'build', 'one');
    expect(frozen.status).toBe(1);
    expect(frozen.output).toMatch(/toolkit\/provides\/one\/one\.json:1: error PROVIDES_CHANGED/);
    expect(frozen.output).toContain('- one provides libuno.so.1()(64bit)');
    expect(frozen.output).toContain('+ one provides libone.so.1()(64bit)');
    const corrected = await kiln(tree, 'build', 'one', '--no-frozen');
    expect(corrected.status, corrected.output).toBe(0);
    expect(readFileSync(record('one'), 'utf8')).toBe(good);
  },
);
