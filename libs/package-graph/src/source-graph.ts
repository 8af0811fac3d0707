/** The graph of source packages: an edge from a package to each one that must be built before it. */
import { DirectedGraph } from 'graphology';
import { stronglyConnectedComponents } from 'graphology-components';
import { topologicalGenerations } from 'graphology-dag';

export type SourceGraph = DirectedGraph;

/** Id → ids that must be built before it. Ids that only occur as needed may be absent. */
export type Dependencies = ReadonlyMap<string, readonly string[]>;

/** Builds the graph from id → ids it depends on. Ids that are only depended on become nodes too. */
export function createSourceGraph(dependencies: Dependencies): SourceGraph {
  const graph = new DirectedGraph();
  for (const id of dependencies.keys()) graph.mergeNode(id);
  for (const [id, targets] of dependencies) for (const target of targets) graph.mergeEdge(id, target);
  return graph;
}

/**
 * Every strongly connected component with more than one package, and every self-loop; members sorted. What needs nothing that is left is
 * taken away first: usually that is everything, and making a graph of all takes longer than that.
 */
export function findCycles(dependencies: Dependencies): string[][] {
  const graph = createSourceGraph(withoutBuildable(dependencies));
  return stronglyConnectedComponents(graph)
    .filter((members) => members.length > 1 || graph.hasEdge(members[0], members[0]))
    .map((members) => [...members].sort())
    .sort((a, b) => (a[0]! < b[0]! ? -1 : 1));
}

/** The packages that are in a cycle or need one that is, with what they need of one another. */
function withoutBuildable(dependencies: Dependencies): Dependencies {
  const dependents = new Map<string, string[]>();
  const lacking = new Map<string, number>();
  for (const [id, needed] of dependencies) {
    const open = new Set(needed.filter((one) => dependencies.has(one)));
    lacking.set(id, open.size);
    for (const one of open) {
      const list = dependents.get(one);
      if (list === undefined) dependents.set(one, [id]);
      else list.push(id);
    }
  }
  const ready = [...lacking].filter(([, count]) => count === 0).map(([id]) => id);
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    lacking.delete(id);
    for (const dependent of dependents.get(id) ?? []) {
      const count = lacking.get(dependent)! - 1;
      lacking.set(dependent, count);
      if (count === 0) ready.push(dependent);
    }
  }
  return new Map(
    [...lacking.keys()].map((id) => [id, dependencies.get(id)!.filter((one) => lacking.has(one))] as const),
  );
}

/** Generations in build order: each package is in the first one that it can be built in. The graph must have no cycle. */
export function buildGenerations(graph: SourceGraph): string[][] {
  const followers = new DirectedGraph();
  for (const id of graph.nodes()) followers.addNode(id);
  graph.forEachDirectedEdge((_, __, id, dependency) => followers.addEdge(dependency, id));
  return topologicalGenerations(followers).map((generation) => [...generation].sort());
}

/** All packages that reach `id` through dependencies: those that may rebuild when it changes; sorted, without itself. */
export function dependentsOf(graph: SourceGraph, id: string): string[] {
  const found = new Set<string>();
  const queue = [id];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    for (const dependent of graph.inNeighbors(node)) {
      if (found.has(dependent)) continue;
      found.add(dependent);
      queue.push(dependent);
    }
  }
  found.delete(id);
  return [...found].sort();
}

/** The shortest cycle through members of a component, from its first package by name and back: `[a, b, a]`. */
export function shortestCycle(dependencies: Dependencies, members: readonly string[]): string[] {
  const within = new Set(members);
  let shortest: string[] = [];
  for (const start of [...members].sort()) {
    const cycle = cycleFrom(dependencies, start, within);
    if (cycle.length > 0 && (shortest.length === 0 || cycle.length < shortest.length)) shortest = cycle;
  }
  return shortest;
}

function cycleFrom(dependencies: Dependencies, start: string, within: ReadonlySet<string>): string[] {
  const paths = new Map<string, string[]>([[start, [start]]]);
  for (const [node, path] of paths) {
    for (const next of [...(dependencies.get(node) ?? [])].sort()) {
      if (next === start) return [...path, start];
      if (within.has(next) && !paths.has(next)) paths.set(next, [...path, next]);
    }
  }
  return [];
}

/** Graphviz text of a graph, restricted to some packages. */
export function formatDot(graph: SourceGraph, only?: ReadonlySet<string>): string {
  const isShown = (id: string): boolean => only?.has(id) ?? true;
  const nodes = graph.nodes().filter(isShown).sort();
  const lines = nodes.flatMap((id) => [
    `  ${JSON.stringify(id)};`,
    ...[...graph.outNeighbors(id)]
      .filter(isShown)
      .sort()
      .map((to) => `  ${JSON.stringify(id)} -> ${JSON.stringify(to)};`),
  ]);
  return ['digraph packages {', ...lines, '}'].join('\n');
}
