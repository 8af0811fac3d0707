/** Boolean dependencies such as `(a or b >= 2)`: grammar and checks of rpmrichParse() (lib/rpmds.c). */
import type { Dependency, DependencyOperator } from './dependency.ts';
import { formatDependency, parseDependencyEvr, parseOperator } from './dependency.ts';

export type RichOperator = 'and' | 'or' | 'if' | 'unless' | 'with' | 'without';

/** A simple dependency, or an operator over operands; `if` and `unless` may have a third one, after `else`. */
export type RichDependency =
  | { readonly kind: 'simple'; readonly dependency: Dependency }
  | { readonly kind: RichOperator | 'group'; readonly operands: readonly RichDependency[] };

/** Which operators a place allows at its top: Requires-like tags forbid `unless`, Conflicts-like ones forbid `if`. */
export type RichContext = 'requires' | 'conflicts';

export interface ParsedRichDependency {
  readonly value: RichDependency;
  /** Offset after the closing parenthesis. */
  readonly end: number;
}

/** A text that is no rich dependency; `offset` is where it goes wrong. */
export class RichDependencyError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** rpm's limit is its stack. */
const MAX_NESTING = 1000;

const OPERATORS: readonly string[] = ['and', 'or', 'if', 'unless', 'else', 'with', 'without'];

/** Parses the rich dependency that starts at `start`; throws RichDependencyError. Without a context, nesting is not checked. */
export function parseRichDependency(text: string, start = 0, context?: RichContext): ParsedRichDependency {
  const parsed = parseGroup(text, start, { combine: context !== undefined, noAnd: false, noOr: false, noWith: false });
  if (context === 'requires' && parsed.restrictions.noAnd) {
    throw new RichDependencyError("illegal context for 'unless', please use 'or' instead", start);
  }
  if (context === 'conflicts' && parsed.restrictions.noOr) {
    throw new RichDependencyError("illegal context for 'if', please use 'and' instead", start);
  }
  return { value: parsed.value, end: parsed.end };
}

/** The normal form that rpm stores in a header: single blanks, `=` for `==`. */
export function formatRichDependency(value: RichDependency): string {
  if (value.kind === 'simple') return formatDependency(value.dependency);
  if (value.kind === 'group') return `(${value.operands.map(formatRichDependency).join(' ')})`;
  const [first, second, ...others] = value.operands.map(formatRichDependency);
  const isConditional = value.kind === 'if' || value.kind === 'unless';
  const rest = others.map((operand) => ` ${isConditional ? 'else' : value.kind} ${operand}`);
  return `(${first} ${value.kind} ${second}${rest.join('')})`;
}

/** The simple dependencies in a rich one, left to right. */
export function simpleDependencies(value: RichDependency): Dependency[] {
  return value.kind === 'simple' ? [value.dependency] : value.operands.flatMap(simpleDependencies);
}

/** What the operators inside forbid outside (the RICHPARSE_* flags). */
interface Restrictions {
  combine: boolean;
  noAnd: boolean;
  noOr: boolean;
  noWith: boolean;
}

function parseGroup(
  text: string,
  start: number,
  given: Restrictions,
  level = 0,
): ParsedRichDependency & { readonly restrictions: Restrictions } {
  const restrictions = { ...given };
  if (level > MAX_NESTING) throw new RichDependencyError('rich dependency is nested too deeply', start);
  if (text[start] !== '(') throw new RichDependencyError("rich dependency does not start with '('", start);
  const operands: RichDependency[] = [];
  let [first, last, chain] = ['', '', ''];
  let at = start + 1;
  for (;;) {
    at = skipSeparators(text, at);
    if (text[at] === ')') {
      const message = chain === '' ? 'empty rich dependency' : 'missing argument to rich dependency op';
      throw new RichDependencyError(message, at);
    }
    if (text[at] === '(') {
      const inner = parseGroup(
        text,
        at,
        { combine: restrictions.combine, noAnd: false, noOr: false, noWith: false },
        level + 1,
      );
      const isCondition = last === 'if' || last === 'unless';
      restrictions.noAnd ||= !isCondition && inner.restrictions.noAnd;
      restrictions.noOr ||= !isCondition && inner.restrictions.noOr;
      restrictions.noWith ||= inner.restrictions.noWith;
      operands.push(inner.value);
      at = inner.end;
    } else {
      const simple = parseSimple(text, at);
      operands.push({ kind: 'simple', dependency: simple.dependency });
      at = simple.end;
    }
    at = skipSeparators(text, at);
    if (at >= text.length) throw new RichDependencyError(`unterminated rich dependency: ${text.slice(start)}`, start);
    if (text[at] === ')') break;
    const operator = /^[^ \t-\r)]*/.exec(text.slice(at))![0];
    if (!OPERATORS.includes(operator)) throw new RichDependencyError(`unknown rich dependency op '${operator}'`, at);
    last = operator;
    first ||= operator;
    if (operator === 'else' && (chain === 'if' || chain === 'unless')) chain = '';
    if (chain !== '' && operator !== chain) throw new RichDependencyError('cannot chain different ops', at);
    if (chain !== '' && !['and', 'or', 'with'].includes(operator)) {
      throw new RichDependencyError('can only chain and/or/with ops', at);
    }
    chain = operator;
    at += operator.length;
  }
  checkOperator(first, restrictions, start);
  if (first === 'if') restrictions.noOr = true;
  if (first === 'unless') restrictions.noAnd = true;
  if (last === 'and' || last === 'or') restrictions.noAnd = restrictions.noOr = false;
  if (last !== '' && last !== 'with' && last !== 'without' && last !== 'or') restrictions.noWith = true;
  const kind = first === '' ? 'group' : (first as RichOperator);
  return { value: { kind, operands }, end: at + 1, restrictions };
}

function checkOperator(operator: string, { combine, noAnd, noOr, noWith }: Restrictions, offset: number): void {
  if ((operator === 'with' || operator === 'without') && noWith) {
    throw new RichDependencyError('illegal ops in with/without', offset);
  }
  if (!combine) return;
  if ((operator === 'and' || operator === 'if') && noAnd) {
    throw new RichDependencyError("illegal context for 'unless', please use 'or' instead", offset);
  }
  if ((operator === 'or' || operator === 'unless') && noOr) {
    throw new RichDependencyError("illegal context for 'if', please use 'and' instead", offset);
  }
}

function parseSimple(text: string, start: number): { dependency: Dependency; end: number } {
  const nameEnd = skipToken(text, start);
  if (nameEnd === start) throw new RichDependencyError('name required', start);
  const name = text.slice(start, nameEnd);
  const relationStart = skipSeparators(text, nameEnd);
  const relationEnd = skipToken(text, relationStart);
  const operator: DependencyOperator | undefined = parseOperator(text.slice(relationStart, relationEnd));
  if (operator === undefined) return { dependency: { name }, end: relationStart };
  const versionStart = skipSeparators(text, relationEnd);
  const end = skipToken(text, versionStart);
  if (end === versionStart) throw new RichDependencyError('version required', versionStart);
  return { dependency: { name, operator, ...parseDependencyEvr(text.slice(versionStart, end)) }, end };
}

function isSeparator(c: string | undefined): boolean {
  return c !== undefined && (c === ',' || /[ \t-\r]/.test(c));
}

function skipSeparators(text: string, start: number): number {
  let at = start;
  while (isSeparator(text[at])) at += 1;
  return at;
}

/** Past a token; parentheses inside it must match, so that `foo(bar)` is one token. */
function skipToken(text: string, start: number): number {
  let at = start;
  let level = 0;
  while (at < text.length && !isSeparator(text[at])) {
    if (text[at] === ')') {
      if (level <= 0) break;
      level -= 1;
    } else if (text[at] === '(') level += 1;
    at += 1;
  }
  return at;
}
