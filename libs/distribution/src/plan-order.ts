/** What must be built before each build root exists, without cycles but those that the policy doesn't break. */
import type { Diagnostic } from '@kiln/diagnostics';
import { findCycles, shortestCycle } from '@kiln/package-graph';
import type { BootstrapPolicy } from './bootstrap-policy.ts';
import { idOfBootstrapOrigin } from './universe.ts';

/** One build: of a package, or of its bootstrap. */
export interface RootNode {
  /** The origin of its RPMs: the package's id, or that of its bootstrap. */
  readonly name: string;
  readonly id: string;
  readonly isBootstrap: boolean;
  /** Whether what its RPMs require at run time is recorded. */
  readonly isRecorded: boolean;
  /** Names of the builds whose RPMs are planned to be in its root; its own when it needs itself. */
  readonly direct: readonly string[];
  /** Packages whose RPMs the policy keeps out. */
  readonly hidden: ReadonlySet<string>;
  /** Packages whose bootstrap RPMs the policy lets in. */
  readonly bootstrapIds: ReadonlySet<string>;
}

/** Names of builds. */
export interface Needs {
  /** Those whose RPMs may be in the root, sorted. */
  readonly all: readonly string[];
  /** Those of them before which all others come, because they need them themselves; sorted. */
  readonly nearest: readonly string[];
}

export interface PlanOrder {
  /** By name of a build. */
  readonly needs: ReadonlyMap<string, Needs>;
  readonly problems: ReadonlyMap<string, readonly Diagnostic[]>;
}

/**
 * Orders builds. Builds in a cycle need nothing and have an error; so have entries of the policy that break no cycle. The needs of the
 * others have no cycle. `last` are builds that nothing needs: they can't be in a cycle.
 */
export function planOrder(
  nodes: readonly RootNode[],
  policy: BootstrapPolicy,
  last: readonly RootNode[] = [],
): PlanOrder {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const roots = new Map(nodes.map(({ name, direct }) => [name, direct]));
  const problems = new Map<string, Diagnostic[]>();
  const report = (name: string, problem: Diagnostic): void =>
    void problems.set(name, [...(problems.get(name) ?? []), problem]);
  const inCycle = new Set<string>();
  for (const members of findCycles(roots)) {
    const problem = cycleProblem(members, shortestCycle(roots, members));
    for (const name of members) {
      inCycle.add(name);
      report(name, problem);
    }
  }
  for (const [id, problem] of unusedEntries(nodes, policy)) report(id, problem);
  const needs = new Map(
    [...nodes, ...last].map((node) => [
      node.name,
      inCycle.has(node.name) ? { all: [], nearest: [] } : needsOf(node, { byName, inCycle }),
    ]),
  );
  return { needs, problems };
}

interface Builds {
  readonly byName: ReadonlyMap<string, RootNode>;
  readonly inCycle: ReadonlySet<string>;
}

/**
 * A package without a record has run-time needs that are not known yet; they can only come from its own build root, so that what such
 * a package needs counts as a need of those that use it. A bootstrap RPM among them stands for the package itself, unless that one needs
 * this build.
 */
function needsOf(node: RootNode, builds: Builds): Needs {
  const found = new Set<string>();
  const nearest = new Set(node.direct);
  const queue = [...node.direct];
  const isAllowed = (name: string): boolean => {
    const id = idOfBootstrapOrigin(name);
    return id === undefined ? !node.hidden.has(name) : node.bootstrapIds.has(id);
  };
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (found.has(next) || next === node.name) continue;
    if (!isAllowed(next)) {
      const final = idOfBootstrapOrigin(next);
      if (final === undefined || !isAllowed(final) || reaches(final, node.name, builds)) continue;
      nearest.add(final);
      queue.push(final);
      continue;
    }
    found.add(next);
    const { isRecorded = true, direct = [] } = builds.byName.get(next) ?? {};
    if (!isRecorded && !builds.inCycle.has(next)) queue.push(...direct);
  }
  return { all: [...found].sort(), nearest: [...nearest].filter((name) => found.has(name)).sort() };
}

function reaches(from: string, target: string, { byName }: Builds): boolean {
  const seen = new Set([from]);
  for (const name of seen) for (const next of byName.get(name)?.direct ?? []) seen.add(next);
  return seen.has(target);
}

function cycleProblem(members: readonly string[], shortest: readonly string[]): Diagnostic {
  return {
    severity: 'error',
    code: 'DEPENDENCY_CYCLE',
    message: `these packages need one another to be built: ${members.join(', ')}; for example ${shortest.join(' -> ')}`,
    hint: 'remove a BuildRequires, or break the cycle in toolkit/bootstrap.json; `kiln cycles` proposes how',
  };
}

/** Entries without which the plan would have no cycle more. */
function unusedEntries(nodes: readonly RootNode[], { packages, edges }: BootstrapPolicy): [string, Diagnostic][] {
  if (packages.size + edges.length === 0) return [];
  const whole = wholeCycles(nodes, edges);
  const isUsed = (a: string, b: string): boolean => whole.get(a) !== undefined && whole.get(a) === whole.get(b);
  const unused = (id: string, what: string, location?: Diagnostic['location']): [string, Diagnostic] => [
    id,
    {
      severity: 'error',
      code: 'BOOTSTRAP_POLICY_UNUSED',
      message: `${what} breaks no cycle`,
      ...(location === undefined ? {} : { location }),
      hint: 'remove the entry from toolkit/bootstrap.json',
    },
  ];
  const needed = new Set(nodes.flatMap(({ direct }) => direct));
  return [
    ...edges
      .filter((edge) => !isUsed(edge.package, edge.requires))
      .map((edge) => unused(edge.package, `'${edge.package}' without the RPMs of '${edge.requires}'`, edge.location)),
    ...nodes
      .filter(({ name, isBootstrap }) => isBootstrap && !needed.has(name))
      .map(({ id }) => unused(id, `the bootstrap build of '${id}'`)),
  ];
}

/** The cycles as they would be without the policy: the number of its cycle by package. */
function wholeCycles(nodes: readonly RootNode[], edges: BootstrapPolicy['edges']): Map<string, number> {
  const needs = new Map<string, Set<string>>();
  const add = (id: string, name: string): void =>
    void (needs.get(id) ?? needs.set(id, new Set()).get(id)!).add(idOfBootstrapOrigin(name) ?? name);
  for (const { id, direct } of nodes) for (const name of direct) add(id, name);
  for (const edge of edges) add(edge.package, edge.requires);
  const roots = new Map([...needs].map(([id, names]) => [id, [...names]]));
  return new Map(findCycles(roots).flatMap((members, at) => members.map((id) => [id, at] as const)));
}
