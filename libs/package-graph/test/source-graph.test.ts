import { expect, test } from 'vitest';
import {
  buildGenerations,
  createSourceGraph,
  dependentsOf,
  findCycles,
  formatDot,
  shortestCycle,
} from '@kiln/package-graph';

const graph = createSourceGraph(
  new Map([
    ['bash', ['readline', 'ncurses']],
    ['readline', ['ncurses']],
    ['ncurses', []],
    ['sed', []],
  ]),
);

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
  const cyclic = createSourceGraph(
    new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['a']],
      ['d', ['d']],
      ['e', ['a']],
    ]),
  );
  expect(findCycles(cyclic)).toEqual([['a', 'b', 'c'], ['d']]);
  expect(findCycles(graph)).toEqual([]);
});

test('the shortest cycle of a component, and its picture', () => {
  const cyclic = createSourceGraph(
    new Map([
      ['a', ['b', 'c']],
      ['b', ['c']],
      ['c', ['a']],
      ['d', ['d']],
    ]),
  );
  expect(shortestCycle(cyclic, ['a', 'b', 'c'])).toEqual(['a', 'c', 'a']);
  expect(shortestCycle(cyclic, ['d'])).toEqual(['d', 'd']);
  expect(formatDot(cyclic, new Set(['c', 'a']))).toBe(
    'digraph packages {\n  "a";\n  "a" -> "c";\n  "c";\n  "c" -> "a";\n}',
  );
});
