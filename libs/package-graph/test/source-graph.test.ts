import { expect, test } from 'vitest';
import {
  buildGenerations,
  createSourceGraph,
  dependentsOf,
  findCycles,
  formatDot,
  shortestCycle,
} from '@kiln/package-graph';

const acyclic = new Map([
  ['bash', ['readline', 'ncurses']],
  ['readline', ['ncurses']],
  ['ncurses', []],
  ['sed', []],
]);
const graph = createSourceGraph(acyclic);

test('every package comes after those it needs', () => {
  const order = buildGenerations(graph).flat();
  expect(order.sort()).toEqual(['bash', 'ncurses', 'readline', 'sed']);
  const position = new Map(
    buildGenerations(graph).flatMap((generation, i) => generation.map((id) => [id, i] as const)),
  );
  graph.forEachDirectedEdge((_, __, id, dependency) =>
    expect(position.get(dependency)!).toBeLessThan(position.get(id)!),
  );
});

test('a package is in the first generation that it can be built in', () => {
  expect(buildGenerations(graph)).toEqual([['ncurses', 'sed'], ['readline'], ['bash']]);
});

test('dependents are transitive', () => {
  expect(dependentsOf(graph, 'ncurses')).toEqual(['bash', 'readline']);
  expect(dependentsOf(graph, 'bash')).toEqual([]);
});

test('cycles and self-loops are all found', () => {
  const cyclic = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['a', 'absent']],
    ['d', ['d']],
    ['e', ['a']],
  ]);
  expect(findCycles(cyclic)).toEqual([['a', 'b', 'c'], ['d']]);
  expect(findCycles(acyclic)).toEqual([]);
});

test('cycles that share a package are one component; a way into it and one out of it are not in it', () => {
  const eights = new Map([
    ['in', ['b']],
    ['a', ['b']],
    ['b', ['a', 'c', 'out']],
    ['c', ['b']],
    ['out', ['x']],
    ['x', ['y']],
    ['y', ['x']],
  ]);
  expect(findCycles(eights)).toEqual([
    ['a', 'b', 'c'],
    ['x', 'y'],
  ]);
  expect(findCycles(new Map([...eights].reverse()))).toEqual(findCycles(eights));
});

test('a cycle through a whole distribution does not overflow the stack', () => {
  const count = 4000;
  const chain = new Map(Array.from({ length: count }, (_, i) => [`${i}`, [`${(i + 1) % count}`]]));
  expect(findCycles(chain)[0]).toHaveLength(count);
});

test('the shortest cycle of a component, and its picture', () => {
  const cyclic = new Map([
    ['a', ['b', 'c']],
    ['b', ['c']],
    ['c', ['a']],
    ['d', ['d']],
  ]);
  expect(shortestCycle(cyclic, ['a', 'b', 'c'])).toEqual(['a', 'c', 'a']);
  expect(shortestCycle(cyclic, ['d'])).toEqual(['d', 'd']);
  expect(formatDot(createSourceGraph(cyclic), new Set(['c', 'a']))).toBe(
    'digraph packages {\n  "a";\n  "a" -> "c";\n  "c";\n  "c" -> "a";\n}',
  );
});
