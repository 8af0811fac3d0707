/**
 * The lossless tree of a spec text: logical lines, conditionals nested around them, each with its exact range.
 * `stringify(parse(text)) === text` for every text. The tree is what is written: nothing is expanded, so a section or tag that
 * only a macro makes is a plain text node here.
 */
import { countBrackets, hasOpenBracket, isSpace, noOpenBrackets, trimSpace } from '@kiln/rpm-macro';
import { lineTypeAt, type LineKind } from './line-types.ts';
import { findPreambleTag } from './preamble-tags.ts';
import { sectionOf } from './sections.ts';

/** Offsets into the text; `end` is exclusive and includes the newline. */
export interface SourceRange {
  readonly start: number;
  readonly end: number;
}

interface LineNode extends SourceRange {
  /** The text of the logical line, newline included. */
  readonly raw: string;
}

/** `Name: value` of a preamble. */
export interface TagNode extends LineNode {
  readonly kind: 'tag';
  /** As written: `BuildRequires`, `Source12`. */
  readonly name: string;
  /** What stands in parentheses behind the name. */
  readonly qualifier: string;
  /** Without the blanks around it. */
  readonly value: string;
  readonly valueRange: SourceRange;
}

/** The header line of a section; what belongs to it follows as siblings. */
export interface SectionNode extends LineNode {
  readonly kind: 'section';
  /** In lower case, with the percent sign. */
  readonly name: string;
  readonly argument: string;
}

/** `%define`, `%global` and `%undefine` lines. */
export interface DefinitionNode extends LineNode {
  readonly kind: 'definition';
  readonly keyword: '%define' | '%global' | '%undefine';
  readonly name: string;
}

export interface IncludeNode extends LineNode {
  readonly kind: 'include';
  readonly path: string;
}

/** Comments, blank lines, and every other line. */
export interface TextNode extends LineNode {
  readonly kind: 'comment' | 'blank' | 'text';
}

export interface Branch {
  /** The line that opens the branch: `%if …`, `%elif …`, `%else`. */
  readonly keyword: LineKind;
  readonly argument: string;
  readonly raw: string;
  readonly children: readonly SpecNode[];
}

/** A conditional with its branches and its `%endif` line; `closing` is empty when that is missing. */
export interface ConditionalNode extends SourceRange {
  readonly kind: 'conditional';
  readonly branches: readonly Branch[];
  readonly closing: string;
}

export type SpecNode = TagNode | SectionNode | DefinitionNode | IncludeNode | TextNode | ConditionalNode;

export interface SpecTree {
  readonly children: readonly SpecNode[];
}

/** Parses any text; nothing is an error here. */
export function parse(text: string): SpecTree {
  return new TreeParser(text).parse();
}

/** The text of a tree. */
export function stringify(tree: SpecTree): string {
  return tree.children.map(stringifyNode).join('');
}

function stringifyNode(node: SpecNode): string {
  if (node.kind !== 'conditional') return node.raw;
  const branches = node.branches.map((branch) => branch.raw + branch.children.map(stringifyNode).join(''));
  return branches.join('') + node.closing;
}

/** Every node of a tree in the order of the text, conditionals before what is in them. */
export function* walk(nodes: readonly SpecNode[]): Generator<SpecNode> {
  for (const node of nodes) {
    yield node;
    if (node.kind === 'conditional') for (const branch of node.branches) yield* walk(branch.children);
  }
}

interface OpenConditional {
  readonly start: number;
  readonly branches: { keyword: LineKind; argument: string; raw: string; children: SpecNode[] }[];
}

class TreeParser {
  readonly #text: string;
  readonly #root: SpecNode[] = [];
  readonly #open: OpenConditional[] = [];
  /** Tags are only looked for where tags may be. */
  #inPreamble = true;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): SpecTree {
    let start = 0;
    while (start < this.#text.length) {
      const end = logicalLineEnd(this.#text, start);
      this.#take(start, end);
      start = end;
    }
    while (this.#open.length > 0) this.#closeConditional('', this.#text.length);
    return { children: this.#root };
  }

  #take(start: number, end: number): void {
    const raw = this.#text.slice(start, end);
    let first = 0;
    while (first < raw.length && isSpace(raw.charCodeAt(first))) first += 1;
    const type = lineTypeAt(raw, first);
    if (type === undefined) return void this.#children().push(this.#lineNode(raw, { start, end }, first));
    const argument = trimSpace(raw.slice(first + type.text.length));
    if (type.role === 'include') {
      this.#children().push({ kind: 'include', path: argument, raw, start, end });
    } else if (type.role === 'open') {
      this.#open.push({ start, branches: [{ keyword: type.kind, argument, raw, children: [] }] });
    } else if (this.#open.length === 0) this.#children().push({ kind: 'text', raw, start, end });
    else if (type.role === 'close') this.#closeConditional(raw, end);
    else this.#open.at(-1)!.branches.push({ keyword: type.kind, argument, raw, children: [] });
  }

  #closeConditional(closing: string, end: number): void {
    const { start, branches } = this.#open.pop()!;
    this.#children().push({ kind: 'conditional', branches, closing, start, end });
  }

  #children(): SpecNode[] {
    return this.#open.at(-1)?.branches.at(-1)?.children ?? this.#root;
  }

  #lineNode(raw: string, range: SourceRange, first: number): SpecNode {
    const line = { raw, ...range };
    if (first === raw.length) return { kind: 'blank', ...line };
    if (raw[first] === '#' || raw.startsWith('%dnl', first)) return { kind: 'comment', ...line };
    const section = sectionOf(raw);
    if (section !== undefined) {
      this.#inPreamble = section.kind === 'package';
      return { kind: 'section', name: section.name, argument: trimSpace(raw.slice(section.name.length)), ...line };
    }
    const definition = /^\s*(%define|%global|%undefine)[ \t]+(\w+)/.exec(raw);
    if (definition !== null) {
      return { kind: 'definition', keyword: definition[1] as DefinitionNode['keyword'], name: definition[2]!, ...line };
    }
    return (this.#inPreamble ? tagNode(raw, range) : undefined) ?? { kind: 'text', ...line };
  }
}

function tagNode(raw: string, range: SourceRange): TagNode | undefined {
  const found = findPreambleTag(raw);
  const colon = raw.indexOf(':');
  if (found === undefined || colon < 0) return undefined;
  const value = trimSpace(raw.slice(colon + 1));
  const valueStart = value === '' ? colon + 1 : raw.indexOf(value, colon + 1);
  return {
    kind: 'tag',
    name: raw
      .slice(0, colon)
      .replace(/\s*\(.*$/s, '')
      .trim(),
    qualifier: found.qualifier,
    value,
    valueRange: { start: range.start + valueStart, end: range.start + valueStart + value.length },
    raw,
    ...range,
  };
}

/** The end of the logical line at `start`: brackets behind `%` and escaped newlines carry it on, as in evaluation. */
function logicalLineEnd(text: string, start: number): number {
  const open = noOpenBrackets();
  let end = start;
  do {
    const newline = text.indexOf('\n', end);
    const next = newline < 0 ? text.length : newline + 1;
    countBrackets(text.slice(end, next), open);
    end = next;
  } while (end < text.length && (hasOpenBracket(open) || open.escapedNewline));
  return end;
}
