/** Graphs in Graphviz's language. */

export interface DigraphEdge {
  readonly from: string;
  readonly to: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Nodes without attributes need not be named: edges name theirs. Quoting is Graphviz's, where only `"` and `\` are special. */
export function formatDigraph(
  name: string,
  nodes: ReadonlyMap<string, Readonly<Record<string, string>>>,
  edges: readonly DigraphEdge[],
): string {
  return [
    `digraph ${name} {`,
    ...[...nodes].map(([node, attributes]) => `  ${quote(node)}${format(attributes)};`),
    ...edges.map(({ from, to, attributes }) => `  ${quote(from)} -> ${quote(to)}${format(attributes)};`),
    '}',
  ].join('\n');
}

function format(attributes: Readonly<Record<string, string>> = {}): string {
  const list = Object.entries(attributes).map(([name, value]) => `${name}=${quote(value)}`);
  return list.length === 0 ? '' : ` [${list.join(', ')}]`;
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}
