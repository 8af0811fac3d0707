/** The packed libraries work outside this repository, without its sources and tsx, also where `development` is a condition. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installPacked, linkForeign, packLibraries, REPOSITORY, write } from './foreign-workspace.ts';

const SPEC = `Name: hello
Version: 1.0
Release: 1%{?dist}
Summary: Says hello
License: MIT
BuildRequires: gcc
%description
Says hello.
%package devel
Summary: Headers
%description devel
Headers.
%files
%files devel
`;

let directory: string;
let tarballs: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-packed-'));
  tarballs = join(directory, 'tarballs');
  packLibraries(tarballs);
}, 300_000);

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

function run(workspace: string, argv: readonly string[]): string {
  const environment = { PATH: process.env['PATH'], HOME: directory, CI: 'true', NO_COLOR: '1', NX_DAEMON: 'false' };
  return execFileSync(process.execPath, argv, { cwd: workspace, env: environment, encoding: 'utf8' });
}

test('each library is packed with its compiled code and without its sources', () => {
  const libraries = readdirSync(join(REPOSITORY, 'libs')).filter((one) =>
    existsSync(join(REPOSITORY, 'libs', one, 'src', 'index.ts')),
  );
  const packed = readdirSync(tarballs);
  expect(packed).toHaveLength(libraries.length);
  for (const tarball of packed) {
    const files = execFileSync('tar', ['-tzf', join(tarballs, tarball)], { encoding: 'utf8' }).split('\n');
    expect(files).toContain('package/dist/index.js');
    expect(files).toContain('package/dist/index.d.ts');
    expect(files).toContain('package/LICENSE');
    expect(files.filter((file) => /^package\/(src\/.*\.ts|test\/)/.test(file))).toEqual([]);
  }
});

test('three lines evaluate a spec', () => {
  const workspace = join(directory, 'evaluate');
  installPacked(workspace, '@kiln/rpm-spec', tarballs);
  write(workspace, 'hello.spec', SPEC);
  write(
    workspace,
    'hello.mjs',
    `import { readFileSync } from 'node:fs';
import { evaluateSpec } from '@kiln/rpm-spec';
const { sourcePackage } = evaluateSpec({ file: 'hello.spec', text: readFileSync('hello.spec', 'utf8') });
console.log(JSON.stringify([sourcePackage.name, sourcePackage.packages.map((one) => one.name)]));
`,
  );
  const expected = ['hello', ['hello', 'hello-devel']];
  expect(JSON.parse(run(workspace, ['hello.mjs']))).toEqual(expected);
  expect(JSON.parse(run(workspace, ['--conditions=development', 'hello.mjs']))).toEqual(expected);
});

test('the types of a packed library are complete', () => {
  const workspace = join(directory, 'types');
  installPacked(workspace, '@kiln/rpm-spec', tarballs);
  mkdirSync(join(workspace, 'node_modules/@types'), { recursive: true });
  symlinkSync(join(REPOSITORY, 'node_modules/@types/node'), join(workspace, 'node_modules/@types/node'));
  write(
    workspace,
    'hello.mts',
    `import { evaluateSpec } from '@kiln/rpm-spec';
const { sourcePackage } = evaluateSpec({ file: 'hello.spec', text: '' });
export const name: string | undefined = sourcePackage?.name;
// @ts-expect-error a name is no number
export const wrong: number | undefined = sourcePackage?.name;
`,
  );
  const tsc = join(REPOSITORY, 'node_modules/typescript/bin/tsc');
  run(workspace, [
    tsc,
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--types',
    'node',
    'hello.mts',
  ]);
});

test('the packed plugin infers the projects of a foreign Nx workspace', { timeout: 120_000 }, () => {
  const workspace = join(directory, 'nx');
  installPacked(workspace, '@kiln/nx', tarballs);
  for (const one of ['nx', '@nx/devkit']) linkForeign(workspace, one);
  write(workspace, 'package.json', '{ "name": "foreign", "private": true }');
  write(
    workspace,
    'nx.json',
    '{ "analytics": false, "neverConnectToCloud": true, "cacheDirectory": ".nx/cache", "plugins": ["@kiln/nx"] }',
  );
  write(workspace, 'SPECS/hello/hello.spec', SPEC);
  write(workspace, 'SPECS/broken/broken.spec', '%if 1\nName: broken\n');
  cpSync(join(REPOSITORY, 'toolkit'), join(workspace, 'toolkit'), { recursive: true });
  // It speaks of packages that this workspace doesn't have.
  rmSync(join(workspace, 'toolkit/packages.json'), { force: true });
  const config = JSON.parse(readFileSync(join(REPOSITORY, 'toolkit/distro.json'), 'utf8')) as object;
  write(workspace, 'toolkit/distro.json', JSON.stringify({ ...config, specRoots: ['SPECS'] }));

  const nx = join(workspace, 'node_modules/nx/dist/bin/nx.js');
  const projects = run(workspace, [nx, 'show', 'projects']).trim().split('\n');
  expect(projects).toEqual(expect.arrayContaining(['distribution', 'hello/hello', 'broken/broken']));
  const hello = JSON.parse(run(workspace, [nx, 'show', 'project', 'hello', '--json'])) as {
    targets: object;
    tags: string[];
  };
  expect(Object.keys(hello.targets)).toEqual(['sources', 'rpm', 'check', 'reproduce']);
  expect(hello.tags).toContain('stage:package');
  const broken = JSON.parse(run(workspace, [nx, 'show', 'project', 'broken', '--json'])) as { tags: string[] };
  expect(broken.tags).toContain('broken');

  const kiln = join(workspace, 'node_modules/@kiln/cli/bin/kiln.cjs');
  expect(run(workspace, [kiln, 'list'])).toMatch(/^package {2}hello\/hello/m);
});
