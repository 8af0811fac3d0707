import { expect, test } from 'vitest';
import { reduceEdges } from '@kiln/package-graph';

const reduce = (edges: Record<string, string[]>) => Object.fromEntries(reduceEdges(new Map(Object.entries(edges))));

test('an edge that others imply is dropped', () => {
  expect(reduce({ a: ['c', 'b', 'd'], b: ['c'], c: ['d'] })).toEqual({ a: ['b'], b: ['c'], c: ['d'], d: [] });
});

test('a diamond keeps its sides, a doubled edge is one', () => {
  expect(reduce({ a: ['b', 'c', 'd', 'b'], b: ['d'], c: ['d'] }).a).toEqual(['b', 'c']);
});

test('a cycle has no order', () => {
  expect(() => reduce({ a: ['b'], b: ['a'] })).toThrow(RangeError);
});

/** Everything that a node needs. */
function reachable(edges: ReadonlyMap<string, readonly string[]>, node: string, seen = new Set<string>()): Set<string> {
  for (const next of edges.get(node) ?? []) if (!seen.has(next)) reachable(edges, next, seen.add(next));
  return seen;
}

test.each([1, 2, 3, 4, 5])('random graphs (seed %i): the same order, and no edge too many', (seed) => {
  let state = seed * 7919;
  const random = (below: number) => (state = (state * 48271) % 2147483647) % below;
  const nodes = Array.from({ length: 90 }, (_, i) => `n${i}`);
  const edges = new Map(
    nodes.map(
      (node, i) =>
        [
          node,
          [...new Set(Array.from({ length: random(9) }, () => nodes[random(i + 1)]!))].filter((one) => one !== node),
        ] as const,
    ),
  );
  const reduced = reduceEdges(edges);
  for (const node of nodes) {
    expect(reachable(reduced, node)).toEqual(reachable(edges, node));
    for (const one of reduced.get(node)!) {
      const without = new Map(reduced).set(
        node,
        reduced.get(node)!.filter((other) => other !== one),
      );
      expect(reachable(without, node).has(one)).toBe(false);
    }
  }
});
