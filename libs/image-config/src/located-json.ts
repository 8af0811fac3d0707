/** JSON values that know where they were written. */
import { BuildError, SourceText, type SourceLocation } from '@kiln/diagnostics';
import { parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';

/** A scalar, a list or an object, each with its place; the place of a list or an object is its opening bracket. */
export type LocatedJson = LocatedScalar | LocatedList | LocatedObject;

export interface LocatedScalar {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  readonly location: SourceLocation;
}

export interface LocatedList {
  readonly kind: 'list';
  readonly items: readonly LocatedJson[];
  readonly location: SourceLocation;
}

export interface LocatedObject {
  readonly kind: 'object';
  readonly members: ReadonlyMap<string, LocatedMember>;
  readonly location: SourceLocation;
}

export interface LocatedMember {
  readonly keyLocation: SourceLocation;
  readonly value: LocatedJson;
}

/**
 * Parses strict JSON: no comments, no trailing commas, no member twice.
 * @throws BuildError `JSON_MALFORMED` at the first problem
 */
export function parseLocatedJson(text: string, file: string): LocatedJson {
  const source = new SourceText(file, text.replace(/^\uFEFF/, ''));
  if (source.text.trim() === '') throw malformed('the file is empty', { file, line: 1 });
  const errors: ParseError[] = [];
  const tree = parseTree(source.text, errors, { disallowComments: true, allowTrailingComma: false });
  const first = errors[0];
  if (first !== undefined) {
    const found = source.text.slice(first.offset, first.offset + Math.max(1, first.length));
    const place = found.trim() === '' ? 'the end' : `'${found}'`;
    throw malformed(`${printParseErrorCode(first.error)} at ${place}`, source.locationAt(first.offset));
  }
  return convert(tree!, source);
}

/** The plain value. */
export function plainValue(json: LocatedJson): unknown {
  if (json.kind === 'scalar') return json.value;
  if (json.kind === 'list') return json.items.map(plainValue);
  return Object.fromEntries([...json.members].map(([key, { value }]) => [key, plainValue(value)]));
}

/** The value at a path of keys and indexes; undefined when there is none. */
export function valueAt(json: LocatedJson, path: readonly string[]): LocatedJson | undefined {
  let current: LocatedJson | undefined = json;
  for (const step of path) {
    if (current?.kind === 'object') current = current.members.get(step)?.value;
    else if (current?.kind === 'list') current = current.items[Number(step)];
    else return undefined;
  }
  return current;
}

/** The items of a list; none of anything else. */
export function listItems(value: LocatedJson | undefined): readonly LocatedJson[] {
  return value?.kind === 'list' ? value.items : [];
}

function convert(node: Node, source: SourceText): LocatedJson {
  const location = span(node, source);
  if (node.type === 'array')
    return { kind: 'list', items: (node.children ?? []).map((child) => convert(child, source)), location };
  if (node.type !== 'object') return { kind: 'scalar', value: node.value as LocatedScalar['value'], location };
  const members = new Map<string, LocatedMember>();
  for (const { children } of node.children ?? []) {
    const [key, value] = children as [Node, Node];
    const keyLocation = span(key, source);
    if (members.has(key.value as string)) throw malformed(`the member '${key.value}' stands there twice`, keyLocation);
    members.set(key.value as string, { keyLocation, value: convert(value, source) });
  }
  return { kind: 'object', members, location };
}

/** Scalars and keys get an end column, lists and objects only their opening bracket. */
function span({ offset, length, type }: Node, source: SourceText): SourceLocation {
  const start = source.locationAt(offset);
  const width = type === 'array' || type === 'object' ? 1 : length;
  return { ...start, endColumn: start.column! + width };
}

function malformed(what: string, location: SourceLocation): BuildError {
  return new BuildError('JSON_MALFORMED', `this is not JSON: ${what}`, { location });
}
