/** The graph of source packages: an edge from a package to each one that must be built before it. */
import { DirectedGraph } from 'graphology';
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
 * Every strongly connected component with more than one package, and every self-loop; members sorted. Tarjan's algorithm on the lists
 * as they are: a plan asks this of all build roots, and making a graph of them takes longer than the search.
 */
export function findCycles(dependencies: Dependencies): string[][] {
  const found: string[][] = [];
  const numbers = new Map<string, number>();
  const isOpen = new Set<string>();
  const open: string[] = [];
  const enter = (id: string): Visit => {
    const number = numbers.size;
    numbers.set(id, number);
    isOpen.add(id);
    open.push(id);
    return { id, needed: dependencies.get(id) ?? [], next: 0, number, lowest: number };
  };
  for (const root of dependencies.keys()) {
    if (numbers.has(root)) continue;
    const path = [enter(root)];
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const id = visit.needed[visit.next];
      visit.next += 1;
      if (id !== undefined) {
        if (!numbers.has(id)) path.push(enter(id));
        else if (isOpen.has(id)) visit.lowest = Math.min(visit.lowest, numbers.get(id)!);
        continue;
      }
      path.pop();
      const before = path.at(-1);
      if (before !== undefined) before.lowest = Math.min(before.lowest, visit.lowest);
      if (visit.lowest !== visit.number) continue;
      const members = open.splice(open.lastIndexOf(visit.id));
      for (const member of members) isOpen.delete(member);
      if (members.length > 1 || visit.needed.includes(visit.id)) found.push(members.sort());
    }
  }
  return found.sort((a, b) => (a[0]! < b[0]! ? -1 : 1));
}

/** A package on the way of the search. */
interface Visit {
  readonly id: string;
  readonly needed: readonly string[];
  next: number;
  readonly number: number;
  /** The lowest number of an open package that is reached from it. */
  lowest: number;
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
