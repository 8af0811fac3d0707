import { expect, test } from 'vitest';
import { sha256 } from '@kiln/build-identity';
import type { Provider } from '@kiln/package-graph';
import { parseDependency, parseEvr } from '@kiln/rpm-package';
import { evaluateSpec } from '@kiln/rpm-spec';
import { planImage, planPackages } from '../src/plan.ts';
import { createUniverse, TOOLCHAIN_ORIGIN } from '../src/universe.ts';
import type { EvaluatedPackage } from '../src/package-project.ts';

const toolchain: Provider = {
  origin: TOOLCHAIN_ORIGIN,
  name: 'kiln-toolchain-test',
  evr: parseEvr('1-1'),
  arch: 'x86_64',
  provides: ['gcc', 'libc.so.6()(64bit)', 'glibc-devel'].map(parseDependency),
  requires: [],
};

interface SpecOptions {
  readonly buildRequires?: readonly string[];
  readonly requires?: readonly string[];
  /** Generated provides and requires of the main package. */
  readonly record?: { readonly provides: readonly string[]; readonly requires: readonly string[] };
}

function spec(name: string, { buildRequires = [], requires = [], record }: SpecOptions = {}): EvaluatedPackage {
  const specText = [
    `Name: ${name}`,
    'Version: 1',
    'Release: 1',
    'Summary: S',
    'License: MIT',
    ...buildRequires.map((one) => `BuildRequires: ${one}`),
    ...requires.map((one) => `Requires: ${one}`),
    '%description',
    'D.',
    '%package devel',
    'Summary: S',
    `Requires: ${name} = 1-1`,
    '%description devel',
    'D.',
    '%files',
    '%files devel',
    '',
  ].join('\n');
  const specFile = `SPECS/${name}/${name}.spec`;
  const { sourcePackage, diagnostics } = evaluateSpec({ file: specFile, text: specText });
  if (sourcePackage === undefined) throw new Error(JSON.stringify(diagnostics));
  return {
    id: `${name}/${name}`,
    specRoot: 'SPECS',
    directory: `SPECS/${name}`,
    specFile,
    spec: { text: specText, digest: sha256(specText) },
    sourcePackage,
    diagnostics,
    inputs: [specFile],
    ...(record === undefined
      ? {}
      : {
          record: {
            packages: new Map([
              [
                name,
                { provides: record.provides.map(parseDependency), requires: record.requires.map(parseDependency) },
              ],
            ]),
          },
        }),
  };
}

function plan(...packages: EvaluatedPackage[]) {
  const universe = createUniverse(packages, toolchain);
  const projects = planPackages(packages, universe);
  const dependencies = Object.fromEntries(
    projects.map(({ sourcePackage, dependencies: ids }) => [sourcePackage!.name, ids]),
  );
  return { universe, projects, dependencies };
}

test('dependencies are the run-time closure of the BuildRequires, with recorded capabilities', () => {
  const { dependencies } = plan(
    spec('ncurses', { record: { provides: ['libtinfo.so.6()(64bit)'], requires: ['libc.so.6()(64bit)'] } }),
    spec('readline', {
      buildRequires: ['gcc', 'ncurses-devel'],
      record: { provides: ['libreadline.so.8()(64bit)'], requires: ['libtinfo.so.6()(64bit)'] },
    }),
    spec('bash', { buildRequires: ['gcc', 'readline-devel'] }),
    spec('sed', { buildRequires: ['gcc', 'glibc-devel'] }),
  );
  expect(dependencies).toEqual({
    ncurses: [],
    readline: ['ncurses/ncurses'],
    bash: ['ncurses/ncurses', 'readline/readline'],
    sed: [],
  });
});

test('a package that was never recorded hands on what was in its own build root', () => {
  const { dependencies } = plan(
    spec('ncurses'),
    spec('readline', { buildRequires: ['ncurses-devel'] }),
    spec('bash', { buildRequires: ['readline-devel'] }),
  );
  expect(dependencies['bash']).toEqual(['ncurses/ncurses', 'readline/readline']);
});

test('a BuildRequires that nobody provides is an error of that package alone, at its line', () => {
  const { projects } = plan(spec('one', { buildRequires: ['gcc', 'onne-devel'] }), spec('two'));
  const [one, two] = projects;
  expect(two!.diagnostics).toEqual([]);
  expect(one!.diagnostics).toMatchObject([
    {
      code: 'DEPENDENCY_UNRESOLVED',
      location: { file: 'SPECS/one/one.spec', line: 7 },
      hint: "did you mean 'one-devel'?",
    },
  ]);
});

test('a version that nobody has is named with what there is', () => {
  const { projects } = plan(spec('one', { buildRequires: ['two >= 2'] }), spec('two'));
  expect(projects[0]!.diagnostics[0]!.message).toContain('two = 1-1');
});

test('packages in a cycle say so and make no cyclic plan', () => {
  const { projects, dependencies } = plan(
    spec('one', { buildRequires: ['two'] }),
    spec('two', { buildRequires: ['one'] }),
    spec('three', { buildRequires: ['one'] }),
  );
  expect(projects.map(({ diagnostics }) => diagnostics.map(({ code }) => code))).toEqual([
    ['DEPENDENCY_CYCLE'],
    ['DEPENDENCY_CYCLE'],
    [],
  ]);
  expect(dependencies).toEqual({ one: [], two: [], three: ['one/one'] });
});

test('an image needs the closure without the toolchain', () => {
  const { universe, projects } = plan(
    spec('glibc', { record: { provides: ['libc.so.6()(64bit)'], requires: [] } }),
    spec('bash', { record: { provides: [], requires: ['libc.so.6()(64bit)'] } }),
  );
  expect(planImage([{ name: 'bash' }], universe, projects).dependencies).toEqual(['bash/bash', 'glibc/glibc']);
  expect(planImage([{ name: 'gcc' }], universe, projects).unresolved).toHaveLength(1);
});
