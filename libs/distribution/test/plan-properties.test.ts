import { expect, test } from 'vitest';
import { findCycles } from '@kiln/package-graph';
import { parseEvr } from '@kiln/rpm-package';
import { NO_POLICY, type BootstrapPolicy, type BrokenEdge } from '../src/bootstrap-policy.ts';
import type { PackageProject } from '../src/package-project.ts';
import { planPackages } from '../src/plan.ts';
import { createUniverse, TOOLCHAIN_ORIGIN } from '../src/universe.ts';
import { idOf, treeOf } from './tree-text.ts';

const toolchain = {
  origin: TOOLCHAIN_ORIGIN,
  name: 'kiln-toolchain-test',
  evr: parseEvr('1-1'),
  arch: 'x86_64',
  provides: [{ name: 'gcc' }],
  requires: [],
};
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const seeds = Array.from({ length: 400 }, (_, index) => index + 1);

/** Numbers in [0, 1) from a seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Texts of eight source packages that need each other in any way, and a policy that names some of them. */
function randomTree(seed: number): { readonly sources: string[]; readonly policy: BootstrapPolicy } {
  const random = randomNumbers(seed);
  const chance = (p: number): boolean => random() < p;
  const pick = (): string => NAMES[Math.floor(random() * NAMES.length)]!;
  const sources = NAMES.map((name) => {
    const lines = [`S: ${name}`, ...(chance(0.6) ? ['recorded'] : [])];
    for (let count = Math.floor(random() * 3); count > 0; count -= 1)
      lines.push(`B ${pick()}${chance(0.5) ? '-x' : ''}`);
    lines.push(`P: ${name}-x`);
    if (chance(0.3)) lines.push(`- ${pick()}`);
    return lines.join('\n');
  });
  const edges: BrokenEdge[] = [];
  for (let count = Math.floor(random() * 5); count > 0; count -= 1) {
    const edge = { package: idOf(pick()), requires: idOf(pick()), from: 'bootstrap', rpms: [] } as const;
    edges.push({ ...edge, location: { file: 'toolkit/bootstrap.json', line: 1 } });
  }
  const packages = new Map(edges.flatMap(({ requires }) => [requires, idOf(pick())]).map((id) => [id, BUILD]));
  return { sources, policy: chance(0.3) ? NO_POLICY : { packages, edges } };
}

const BUILD = { with: [], without: [] };

function planOf(sources: readonly string[], policy: BootstrapPolicy): PackageProject[] {
  const packages = treeOf(sources.join('\n'));
  const variants = new Map(packages.filter(({ id }) => policy.packages.has(id)).map((one) => [one.id, one]));
  const ordered = [...packages].sort((a, b) => (a.id < b.id ? -1 : 1));
  return planPackages(ordered, createUniverse(packages, toolchain), { policy, variants });
}

const allBefore = ({ dependencies, bootstrapDependencies }: PackageProject): string[] => [
  ...dependencies.map((id) => `rpm:${id}`),
  ...bootstrapDependencies.map((id) => `rpm-bootstrap:${id}`),
];

/** Every build with the builds before it, by task name. */
function tasksOf(projects: readonly PackageProject[], before = allBefore): Map<string, string[]> {
  return new Map(
    projects.flatMap((one) => [
      [`rpm:${one.id}`, before(one)] as const,
      ...(one.bootstrap === undefined ? [] : [[`rpm-bootstrap:${one.id}`, before(one.bootstrap)] as const]),
    ]),
  );
}

test('the nearest builds lead to all others', () => {
  for (const seed of seeds) {
    const { sources, policy } = randomTree(seed);
    const projects = planOf(sources, policy);
    const tasks = tasksOf(projects);
    const nearest = tasksOf(projects, ({ after }) => after.map((task) => task.join(':')));
    for (const [task, before] of tasks) {
      const own = nearest.get(task)!;
      const found = new Set(own);
      for (const one of found) for (const next of nearest.get(one)!) found.add(next);
      expect(before, `seed ${seed} ${task}`).toEqual(expect.arrayContaining(own));
      expect([...found], `seed ${seed} ${task}`).toEqual(expect.arrayContaining(before));
    }
  }
});

const inCycle = ({ diagnostics }: PackageProject): boolean =>
  diagnostics.some(({ code }) => code === 'DEPENDENCY_CYCLE');

test('the tasks of a plan have no cycle and name nothing twice, whatever the tree and the policy', () => {
  for (const seed of seeds) {
    const { sources, policy } = randomTree(seed);
    const tasks = tasksOf(planOf(sources, policy));
    expect(findCycles(tasks), `seed ${seed}`).toEqual([]);
    for (const [task, before] of tasks) {
      expect(new Set(before).size, `seed ${seed} ${task}`).toBe(before.length);
      for (const one of before) expect(tasks.has(one), `seed ${seed} ${task} ${one}`).toBe(true);
    }
  }
});

test('every planned RPM of a root is built before it; only edges of the policy are broken', () => {
  let broken = 0;
  for (const seed of seeds) {
    const { sources, policy } = randomTree(seed);
    for (const project of planOf(sources, policy)) {
      for (const [one, isBootstrap] of [
        [project, false],
        [project.bootstrap, true],
      ] as const) {
        if (one === undefined || inCycle(one)) continue;
        const origins = one.rootPackages.map((text) => /\((.*)\)$/.exec(text)![1]!);
        for (const origin of origins) {
          const id = origin.replace('rpm-bootstrap:', '');
          const isBroken = origin !== id;
          const list = isBroken ? one.bootstrapDependencies : one.dependencies;
          expect(list, `seed ${seed} ${one.id} ${origin}`).toContain(id);
          const isItself = id === one.id && policy.packages.has(id);
          const isDeclared = isItself || policy.edges.some((edge) => edge.package === one.id && edge.requires === id);
          if (isBroken) expect(isBootstrap || isDeclared, `seed ${seed} ${one.id} ${origin}`).toBe(true);
          else expect(isDeclared && !isBootstrap, `seed ${seed} ${one.id} ${origin}`).toBe(false);
          if (isBroken) broken += 1;
        }
      }
    }
  }
  expect(broken).toBeGreaterThan(50);
});

test('a package is in a cycle exactly when it reaches itself', () => {
  for (const seed of seeds) {
    const { sources } = randomTree(seed);
    const projects = planOf(sources, NO_POLICY);
    const roots = new Map(
      projects.map(({ id, rootPackages }) => [id, rootPackages.map((text) => /\((.*)\)$/.exec(text)![1]!)]),
    );
    const reaches = (id: string): boolean => {
      const seen = new Set(roots.get(id));
      for (const one of seen) for (const next of roots.get(one) ?? []) seen.add(next);
      return seen.has(id);
    };
    for (const project of projects) expect(inCycle(project), `seed ${seed} ${project.id}`).toBe(reaches(project.id));
  }
});

test('the same plan in any order of the input', () => {
  for (const seed of seeds) {
    const { sources, policy } = randomTree(seed);
    const random = randomNumbers(seed + 1);
    const shuffled = sources
      .map((text) => ({ text, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ text }) => text);
    const reversed = { packages: new Map([...policy.packages].reverse()), edges: [...policy.edges].reverse() };
    const text = (projects: PackageProject[]): string =>
      JSON.stringify(
        projects.map(({ diagnostics, ...rest }) => ({
          ...rest,
          diagnostics: diagnostics.map((one) => JSON.stringify(one)).sort(),
        })),
      );
    expect(text(planOf(shuffled, reversed)), `seed ${seed}`).toBe(text(planOf(sources, policy)));
  }
});
