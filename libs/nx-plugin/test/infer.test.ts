import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProjectConfiguration } from '@nx/devkit';
import { inferProjects } from '../src/infer.ts';

const repository = join(import.meta.dirname, '../../..');
const spec = (name: string, buildRequires = '') => `Name: ${name}
Version: 1.0
Release: 1
Summary: The package ${name}
License: MIT
${buildRequires}
%description
x
%package devel
Summary: Headers
%description devel
x
%files
%files devel
`;

const step = (name: string, ...needs: string[]) => ({
  ...{ name, needs, description: name, root: 'seed', sources: [], scripts: [`${name}.sh`] },
});
const FEW_STEPS = JSON.stringify({
  ...{ target: 'x86_64-kiln-linux-gnu', specs: 'SPECS', sourceLock: 'debian.lock', seed: { packages: 'a', lock: 'b' } },
  ...{ provides: {}, members: [], steps: [step('headers'), step('libc', 'headers'), step('shell', 'libc', 'headers')] },
});

let root: string;
let projects: Map<string, ProjectConfiguration>;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'kiln-infer-'));
  cpSync(join(repository, 'toolkit'), join(root, 'toolkit'), { recursive: true });
  rmSync(join(root, 'toolkit/packages.json'), { force: true });
  const config = JSON.parse(readFileSync(join(repository, 'toolkit/distro.json'), 'utf8')) as object;
  const bootstrap = { steps: 'toolkit/few/steps.json', lock: 'toolkit/few/lock.json' };
  write('toolkit/distro.json', JSON.stringify({ ...config, specRoots: ['SPECS', 'SPECS-EXTENDED'], bootstrap }));
  write('toolkit/few/steps.json', FEW_STEPS);
  write('SPECS/low/low.spec', spec('low'));
  write('SPECS/high/high.spec', spec('high', 'BuildRequires: low-devel'));
  write('SPECS/rust/rust.spec', spec('rust'));
  write('SPECS/rust/rust-1.75.spec', spec('rust'));
  write('SPECS/ucx/ucx.spec', spec('ucx'));
  write('SPECS-EXTENDED/ucx/ucx.spec', spec('ucx').replace('Version: 1.0', 'Version: 2.0'));
  write('SPECS/broken/broken.spec', '%if 1\nName: broken\n');
  write('SPECS/lacking/lacking.spec', spec('lacking', 'BuildRequires: nobody-has-this'));
  const image = { Disks: [{ Artifacts: [{ Type: 'oci' }] }], SystemConfigs: [{ Name: 'Tiny', Packages: ['high'] }] };
  write('imageconfigs/tiny.json', JSON.stringify(image));
  write('imageconfigs/packed.json', JSON.stringify({ ...image, Disks: [{ Artifacts: [{ Type: 'tar.gz' }] }] }));
  const inferred = (await inferProjects(['toolkit/distro.json'], root)).flatMap(([, { projects: found = {} }]) =>
    Object.values(found),
  );
  projects = new Map(inferred.map((one) => [one.name!, one as ProjectConfiguration]));
});

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

test('every step of a toolchain from source is a project, and one stands for their end', () => {
  const name = 'toolchain/shell';
  expect(projects.get(name)).toMatchObject({
    root: 'toolkit/few/steps/shell',
    implicitDependencies: ['toolchain/libc'],
  });
  expect(projects.get(name)!.targets!['bootstrap-step']!.dependsOn).toEqual([
    { target: 'bootstrap-step', projects: ['toolchain/libc'] },
  ]);
  const { targets } = projects.get('toolchain')!;
  expect(targets!['stage-a']!.dependsOn).toEqual([{ target: 'bootstrap-step', projects: [name] }]);
  expect(targets!['bootstrap']).toMatchObject({
    dependsOn: [{ target: 'stage-a' }],
    options: { command: 'kiln bootstrap --stage B' },
    cache: false,
  });
  expect(targets!['prove']).toMatchObject({ options: { command: 'kiln bootstrap --stage C' }, cache: false });
  // Nx stops at its own inputs: directories of steps don't exist.
  for (const each of ['bootstrap', 'prove']) expect(targets![each]!.inputs).toEqual(['kiln']);
});

test('a tree without a distribution has no projects', () => {
  return expect(inferProjects(['SPECS/low/low.spec'], root)).resolves.toEqual([]);
});

test('every spec and image is a project with a root of its own', () => {
  expect([...projects.keys()].sort()).toEqual([
    'SPECS-EXTENDED/ucx/ucx',
    'SPECS/ucx/ucx',
    'broken/broken',
    'distribution',
    'high/high',
    'image/packed',
    'image/tiny',
    'lacking/lacking',
    'low/low',
    'rust/rust',
    'rust/rust-1.75',
    'toolchain',
    'toolchain/headers',
    'toolchain/libc',
    'toolchain/shell',
  ]);
  const roots = [...projects.values()].map((one) => one.root);
  expect(new Set(roots).size).toBe(roots.length);
  expect(projects.get('rust/rust')!.root).toBe('SPECS/rust');
  expect(projects.get('rust/rust-1.75')!.root).toBe('SPECS/rust/rust-1.75');
});

test('a package depends on what its build root needs, explicitly', () => {
  const high = projects.get('high/high')!;
  expect(high.targets!['rpm']!.dependsOn).toEqual([
    // That the toolchain comes first is said by `low/low`.
    { target: 'rpm', projects: ['low/low'] },
  ]);
  expect(high.implicitDependencies).toEqual(['low/low']);
  expect(high.tags).toEqual(['root:SPECS', 'stage:package', 'arch:x86_64']);
});

test('inputs are files of the package and of the distribution, and never npm packages or Nx itself', () => {
  const { namedInputs, targets } = projects.get('low/low')!;
  const { inputs: names, outputs, cache } = targets!['rpm']!;
  const inputs = names!.flatMap((name) => namedInputs![name as string]!);
  expect(inputs).toContain('{workspaceRoot}/SPECS/low/low.spec');
  expect(inputs).toContainEqual({ externalDependencies: [] });
  expect(JSON.stringify(inputs)).not.toMatch(/SPECS\/high|nx\.json|package-lock/);
  expect(outputs).toEqual(['{workspaceRoot}/dist/manifests/x86_64/rpm/low/low.json']);
  expect(cache).toBe(true);
});

test('images have their own name space and need the packages in them', () => {
  const { targets } = projects.get('image/tiny')!;
  expect(Object.keys(targets!)).toEqual(['image', 'boot-test']);
  expect(targets!['boot-test']!.dependsOn).toContainEqual({ target: 'image', projects: ['image/tiny'] });
  expect(JSON.stringify(targets!['image']!.dependsOn)).toContain('high/high');
});

test('an image that nothing starts has no boot test', () => {
  expect(Object.keys(projects.get('image/packed')!.targets!)).toEqual(['image']);
});

test.each(['broken/broken', 'lacking/lacking'])('%s is a project that says what is wrong', (name) => {
  const { tags, metadata, targets } = projects.get(name)!;
  expect(tags).toContain('broken');
  expect(metadata!.description).toMatch(/^broken: [A-Z_]+: /);
  expect(Object.keys(targets!)).toEqual(['sources', 'rpm', 'check', 'reproduce']);
});

test('every target says what it does, and the names of targets can be others', async () => {
  for (const { targets = {} } of projects.values()) {
    for (const [name, { metadata }] of Object.entries(targets)) expect(metadata?.description, name).toMatch(/^[A-Z]/);
  }
  const inferred = await inferProjects(['toolkit/distro.json'], root, { targetNames: { rpm: 'package' } });
  const high = inferred
    .flatMap(([, { projects: found = {} }]) => Object.values(found))
    .find(({ name }) => name === 'high/high')!;
  expect(Object.keys(high.targets!)).toContain('package');
  expect(high.targets!['package']).toMatchObject({ options: { target: 'rpm', id: 'high/high' } });
  expect(high.targets!['package']!.dependsOn).toContainEqual({ target: 'package', projects: ['low/low'] });
  await expect(inferProjects(['toolkit/distro.json'], root, { targetNames: { rpms: 'x' } })).rejects.toThrow(
    /TARGET_NAME_INVALID: 'rpms' is no target\n {2}hint: did you mean 'rpm'\?/,
  );
});
