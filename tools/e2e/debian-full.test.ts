/** The toolchain `debian-full`: Debian's packages answer BuildRequires, and nobody gets what is built so. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readRpmHeader } from '@kiln/rpm-repository';
import { kiln, nx } from './run-kiln.ts';
import { commit, edit, LICENSE_FILE, makeSmallTree, sign, write, type SmallTree } from './small-tree.ts';

const MINUTES = 60_000;
const SPEC = 'SPECS/water/water.spec';
const REQUIREMENTS = { stated: 'toolkit/toolchain/debian-full.json', lock: 'toolkit/toolchain/debian-full.lock.json' };
let directory: string;
let tree: SmallTree;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-e2e-'));
  chmodSync(directory, 0o755);
  tree = makeSmallTree(join(directory, 'tree'), join(directory, 'store'));
  write(tree.root, SPEC, WATER);
  write(
    tree.root,
    'SPECS/water/water.c',
    '#include <zlib.h>\nint main(void) { return zlibVersion()[0] != ZLIB_VERSION[0]; }\n',
  );
  sign(tree, 'water');
  edit(tree, 'toolkit/distro.json', (text) => {
    const config = JSON.parse(text) as { toolchain: object };
    return JSON.stringify({
      ...config,
      toolchain: { ...config.toolchain, provider: 'debian-full', requirements: REQUIREMENTS },
    });
  });
  const stated = { 'house-macros': { packages: [], reason: 'they are among the macro files' } };
  write(tree.root, REQUIREMENTS.stated, JSON.stringify({ exclude: ['debconf', 'dpkg'], stated }));
  commit(tree, 'Water');
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('a foreign spec is built with what Debian has', { timeout: 30 * MINUTES }, async () => {
  const before = await kiln(tree, 'rpm', 'water');
  expect(before.status).toBe(1);
  expect(before.output).toContain("nothing provides the BuildRequires 'zlib-devel >= 1.2'");
  const locked = await kiln(tree, 'lock-toolchain', '--requirements');
  expect(locked.status, locked.output).toBe(0);
  const { answers } = JSON.parse(readFileSync(join(tree.root, REQUIREMENTS.lock), 'utf8')) as {
    answers: Record<string, object>;
  };
  expect(answers['zlib-devel']).toMatchObject({ packages: ['zlib1g-dev'], rule: 'name' });
  expect(answers['pkgconfig(zlib)']).toMatchObject({ packages: ['zlib1g-dev'], rule: 'pkgconfig' });
  expect(answers['perl(JSON)']).toMatchObject({ packages: ['libjson-perl'], rule: 'perl' });

  const built = await kiln(tree, 'rpm', 'water');
  expect(built.status, built.output).toBe(0);
  const { package: header } = await readRpmHeader(join(tree.root, 'dist/rpms/x86_64/water-1.0-1.kl1.x86_64.rpm'));
  expect(header.requires.map(({ name }) => name)).toContain('libz.so.1()(64bit)');
  const again = await kiln(tree, 'rpm', 'water');
  expect(again.built).toEqual([]);
  const reproduced = await kiln(tree, 'reproduce', 'water');
  expect(reproduced.status, reproduced.output).toBe(0);
});

test('images and repositories refuse it before anything is built', { timeout: 5 * MINUTES }, async () => {
  const repository = await kiln(tree, 'repository');
  expect(repository.status).toBe(1);
  expect(repository.output).toContain("TRIAL_TOOLCHAIN: a repository can't be made with the toolchain 'debian-full'");
  const image = await nx(tree, 'image', 'image/tiny');
  expect(image.status).toBe(1);
  expect(image.output).toContain("the image tiny can't be made with the toolchain 'debian-full'");
  expect([...repository.built, ...image.built]).toEqual([]);
});

test(
  'what is older in Debian is an error that says so; rpmbuild knows the versions of modules',
  { timeout: 10 * MINUTES },
  async () => {
    edit(tree, SPEC, (text) => text.replace('zlib-devel >= 1.2', 'zlib-devel >= 99'));
    const old = await kiln(tree, 'rpm', 'water');
    expect(old.status).toBe(1);
    expect(old.output).toMatch(
      /nothing provides the BuildRequires 'zlib-devel >= 99'; the tree offers zlib-devel = 1\.2/,
    );
    edit(tree, SPEC, (text) =>
      text.replace('zlib-devel >= 99', 'zlib-devel').replace('perl(JSON)', 'perl(JSON) >= 99'),
    );
    const module = await kiln(tree, 'rpm', 'water');
    expect(module.status).toBe(1);
    expect(module.output).toMatch(/BUILD_REQUIRES_MISSING: .*perl\(JSON\) >= 99 is needed by water/);
  },
);

const WATER = `Name:           water
Version:        1.0
Release:        1%{?dist}
Summary:        Uses what the tree doesn't have
License:        MIT
Source0:        water.c
BuildRequires:  gcc
BuildRequires:  zlib-devel >= 1.2
BuildRequires:  pkgconfig(zlib)
BuildRequires:  perl(JSON)
BuildRequires:  house-macros

%description
A program of the test tree.

%prep
%setup -q -c -T
cp %{SOURCE0} .
${LICENSE_FILE}
perl -MJSON -e 'print encode_json([1])'

%build
gcc %{build_cflags} %{build_ldflags} -o water water.c $(pkg-config --libs zlib)
./water

%install
install -D -m 755 water %{buildroot}%{_bindir}/water

%files
%license LICENSE
%{_bindir}/water

%changelog
* Mon Jun 01 2026 Kiln Maintainers <maintainers@kiln.example> - 1.0-1
- First version
`;
