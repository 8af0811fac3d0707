/** A small distribution for tests: a library, one that uses it, a program that uses both, and data that uses none. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sha256 } from '@kiln/build-identity';

/** The repository that the tests belong to. */
export const REPOSITORY = join(import.meta.dirname, '..', '..');

const HEAD = (name: string, buildRequires: readonly string[]) =>
  [
    `Name:           ${name}`,
    'Version:        1.0',
    'Release:        1%{?dist}',
    `Summary:        The test package ${name}`,
    'License:        MIT',
    `Source0:        ${name}.c`,
    ...buildRequires.map((one) => `BuildRequires:  ${one}`),
  ].join('\n');

/** Command that makes the file of `%license`. */
export const LICENSE_FILE = "echo 'Use it as you like.' > LICENSE";

const TAIL = `
%changelog
* Mon Jun 01 2026 Kiln Maintainers <maintainers@kiln.example> - 1.0-1
- First version
`;

/** A shared library `lib<name>` with a header; it may call other libraries of the tree. */
function librarySpec(name: string, uses: readonly string[]): string {
  return `${HEAD(name, compiled(uses))}

%description
A library of the test tree.

%package        devel
Summary:        Development files of ${name}
Requires:       %{name}%{?_isa} = %{version}-%{release}

%description    devel
Header and link of ${name}.

%prep
%setup -q -c -T
cp %{SOURCE0} .
${LICENSE_FILE}
printf 'int %s(void);\\n' ${name} > ${name}.h

%build
gcc %{build_cflags} -fPIC -shared -I. -Wl,-soname,lib${name}.so.1 %{build_ldflags} -o lib${name}.so.1 ${name}.c ${uses.map((one) => `-l${one}`).join(' ')}

%install
install -D -m 755 lib${name}.so.1 %{buildroot}%{_libdir}/lib${name}.so.1
ln -s lib${name}.so.1 %{buildroot}%{_libdir}/lib${name}.so
install -D -m 644 ${name}.h %{buildroot}%{_includedir}/${name}.h

%files
%license LICENSE
%{_libdir}/lib${name}.so.1

%files devel
%{_libdir}/lib${name}.so
%{_includedir}/${name}.h
${TAIL}`;
}

function programSpec(name: string, uses: readonly string[]): string {
  return `${HEAD(name, compiled(uses))}

%description
A program of the test tree.

%prep
%setup -q -c -T
cp %{SOURCE0} .
${LICENSE_FILE}

%build
gcc %{build_cflags} %{build_ldflags} -o ${name} ${name}.c ${uses.map((one) => `-l${one}`).join(' ')}

%install
install -D -m 755 ${name} %{buildroot}%{_bindir}/${name}

%files
%license LICENSE
%{_bindir}/${name}
${TAIL}`;
}

/** A file that needs nothing and nobody. */
function dataSpec(name: string): string {
  return `${HEAD(name, [])}
BuildArch:      noarch

%description
Data of the test tree.

%prep
%setup -q -c -T
${LICENSE_FILE}

%build

%install
install -D -m 644 %{SOURCE0} %{buildroot}%{_datadir}/${name}/${name}.c

%files
%license LICENSE
%{_datadir}/${name}/
${TAIL}`;
}

const compiled = (uses: readonly string[]) => ['gcc', 'glibc-devel', ...uses.map((one) => `${one}-devel`)];

interface SmallPackage {
  readonly spec: string;
  readonly code: string;
}

const PACKAGES: Readonly<Record<string, SmallPackage>> = {
  one: { spec: librarySpec('one', []), code: 'int one(void) { return 1; }\n' },
  two: { spec: librarySpec('two', ['one']), code: '#include <one.h>\nint two(void) { return one() + 1; }\n' },
  three: {
    spec: programSpec('three', ['one', 'two']),
    code: '#include <stdio.h>\n#include <one.h>\n#include <two.h>\nint main(void) { printf("%d\\n", one() + two()); return 0; }\n',
  },
  alone: { spec: dataSpec('alone'), code: 'int alone;\n' },
};

/** A workspace with the tree, its own git history, and the repository's tools. */
export interface SmallTree {
  readonly root: string;
  readonly store: string;
}

/** Makes the workspace in `directory`; `store` may be shared with others. */
export function makeSmallTree(directory: string, store: string): SmallTree {
  mkdirSync(directory, { recursive: true });
  for (const [name, parts] of Object.entries(PACKAGES)) addPackage({ root: directory, store }, name, parts);
  for (const path of ['toolkit/toolchain', 'toolkit/macros', 'toolkit/sources']) {
    cpSync(join(REPOSITORY, path), join(directory, path), { recursive: true });
  }
  const own = JSON.parse(readFileSync(join(REPOSITORY, 'toolkit/distro.json'), 'utf8')) as {
    lint?: object;
    checks?: { repository?: object };
  };
  // Tests that want rpmlint say so: its root takes a while. A small repository lacks the C library.
  const { lint: _, ...config } = { ...own, checks: { ...own.checks, repository: undefined } };
  write(directory, 'toolkit/distro.json', `${JSON.stringify({ ...config, specRoots: ['SPECS'] }, undefined, 2)}\n`);
  write(directory, 'imageconfigs/tiny.json', TINY_IMAGE);
  write(
    directory,
    'nx.json',
    readFileSync(join(REPOSITORY, 'nx.json'), 'utf8').replace('./libs/nx-plugin/plugin.cjs', '@kiln/nx'),
  );
  write(directory, 'package.json', '{ "name": "small-tree", "version": "1.0.0", "private": true }\n');
  write(directory, '.gitignore', 'node_modules\ndist\n.nx\n');
  symlinkSync(join(REPOSITORY, 'node_modules'), join(directory, 'node_modules'));
  git(directory, 'init', '--quiet', '--initial-branch=main');
  commit({ root: directory, store }, 'The small tree');
  return { root: directory, store };
}

const TINY_IMAGE = `{
  "Disks": [{ "Artifacts": [{ "Type": "oci" }, { "Type": "tar.gz" }] }],
  "SystemConfigs": [{ "Name": "Tiny", "Packages": ["alone"] }]
}
`;

function addPackage(tree: SmallTree, name: string, { spec, code }: SmallPackage): void {
  write(tree.root, `SPECS/${name}/${name}.spec`, spec);
  write(tree.root, `SPECS/${name}/${name}.c`, code);
  sign(tree, name);
}

/** Adds a library `lib<name>` that calls other libraries of the tree. */
export function addLibrary(tree: SmallTree, name: string, uses: readonly string[]): void {
  const includes = uses.map((one) => `#include <${one}.h>\n`).join('');
  const sum = ['1', ...uses.map((one) => `${one}()`)].join(' + ');
  const code = `${includes}int ${name}(void) { return ${sum}; }\n`;
  addPackage(tree, name, { spec: librarySpec(name, uses), code });
}

export function write(root: string, file: string, text: string): void {
  const path = join(root, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Changes a file by a function of its text; the change must be one. */
export function edit({ root }: SmallTree, file: string, change: (text: string) => string): void {
  const before = readFileSync(join(root, file), 'utf8');
  const after = change(before);
  if (after === before) throw new Error(`the edit of ${file} changes nothing`);
  writeFileSync(join(root, file), after);
}

/** Writes the signature of a package's source as it is now. */
export function sign({ root }: SmallTree, name: string): void {
  const digest = sha256(readFileSync(join(root, `SPECS/${name}/${name}.c`)));
  write(
    root,
    `SPECS/${name}/${name}.signatures.json`,
    `${JSON.stringify({ Signatures: { [`${name}.c`]: digest } }, undefined, 2)}\n`,
  );
}

export function commit({ root }: SmallTree, message: string): void {
  git(root, 'add', '--all');
  git(root, '-c', 'user.name=Test', '-c', 'user.email=test@kiln.example', 'commit', '--quiet', '--message', message);
}

/** Puts all files back to the last commit. */
export function restore({ root }: SmallTree): void {
  git(root, 'reset', '--quiet', '--hard');
}

function git(cwd: string, ...args: string[]): void {
  execFileSync('git', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}
