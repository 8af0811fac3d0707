/** The fewest edges that say the same order: the transitive reduction of an acyclic graph. */

/**
 * Drops each edge that a path of other edges implies. `edges` maps a node to those it needs; nodes that only occur as needed may be absent.
 * Lists keep their order.
 * @throws RangeError for a cycle: then the order is none.
 */
export function reduceEdges(edges: ReadonlyMap<string, readonly string[]>): Map<string, string[]> {
  const places = new Map<string, number>();
  /** Everything that the node of each place needs, itself included, as bits by place. Needed nodes have lower places. */
  const reach: Uint32Array[] = [];
  const reduced = new Map<string, string[]>();
  const width = Math.ceil((edges.size + countOfLeaves(edges)) / 32);
  for (const node of inOrder(edges)) {
    const place = places.size;
    places.set(node, place);
    const own = new Uint32Array(width);
    own[place >>> 5]! |= 1 << (place & 31);
    const needed = edges.get(node) ?? [];
    const kept = new Set<string>();
    const latestFirst = needed.map((one) => [places.get(one)!, one] as const).sort(([a], [b]) => b - a);
    for (const [at, one] of latestFirst) {
      if ((own[at >>> 5]! & (1 << (at & 31))) !== 0) continue;
      kept.add(one);
      const further = reach[at]!;
      for (let i = 0; i < width; i += 1) own[i]! |= further[i]!;
    }
    reach.push(own);
    reduced.set(
      node,
      [...new Set(needed)].filter((one) => kept.has(one)),
    );
  }
  return reduced;
}

function countOfLeaves(edges: ReadonlyMap<string, readonly string[]>): number {
  const leaves = new Set<string>();
  for (const needed of edges.values()) for (const one of needed) if (!edges.has(one)) leaves.add(one);
  return leaves.size;
}

/** Needed nodes first. */
function inOrder(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const order: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  for (const root of edges.keys()) {
    const stack: { node: string; next: number }[] = [{ node: root, next: 0 }];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      if (top.next === 0) {
        if (state.get(top.node) === 'done') {
          stack.pop();
          continue;
        }
        state.set(top.node, 'open');
      }
      const needed = edges.get(top.node)?.[top.next];
      top.next += 1;
      if (needed === undefined) {
        state.set(top.node, 'done');
        order.push(top.node);
        stack.pop();
      } else if (state.get(needed) === 'open') throw new RangeError(`${needed} needs itself`);
      else if (state.get(needed) === undefined) stack.push({ node: needed, next: 0 });
    }
  }
  return order;
}
