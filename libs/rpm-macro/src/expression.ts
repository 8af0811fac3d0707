/** The expressions of %if, %[…] and %{expr:…} (rpmio/expression.c). */
import { formatEvr, parseEvr, type Evr } from '@kiln/rpm-package';
import { isAlpha, isDigit, isSpace } from './characters.ts';
import { findMacroEnd } from './macro-end.ts';
import { compareVersions } from './version-order.ts';

/** An integer of 32 bits, a string, or a version. */
export type ExpressionValue = number | string | { readonly version: Evr };

export interface ExpressionOptions {
  /** Expands macros in integers and strings, when these are needed; undefined on failure. Without it `%` is an error. */
  readonly expand?: (text: string) => string | undefined;
  /** Calls a Lua function; undefined when there is no Lua or the call failed. */
  readonly callLua?: (name: string, values: (string | number)[]) => string | undefined;
}

/** A broken expression: `message` says what, `offset` where in the text. */
export class ExpressionError extends Error {
  readonly offset: number;
  readonly hint: string | undefined;

  constructor(message: string, offset: number, hint?: string) {
    super(message);
    this.offset = offset;
    this.hint = hint;
  }
}

/** Non-zero integers and non-empty strings are true; a version never is. */
export function isTruthy(value: ExpressionValue): boolean {
  return typeof value === 'object' ? false : Boolean(value);
}

/** The text that %[…] expands to. */
export function formatExpressionValue(value: ExpressionValue): string {
  return typeof value === 'object' ? formatEvr(value.version) : String(value);
}

/** Evaluates a whole text; throws ExpressionError. */
export function evaluateExpression(text: string, options: ExpressionOptions = {}): ExpressionValue {
  const parser = new ExpressionParser(text, options);
  parser.advance();
  const value = parser.ternary();
  if (parser.token !== 'end') throw new ExpressionError('syntax error in expression', parser.offset);
  return value;
}

/** Of parentheses and signs; rpm's limit is its stack. */
const MAX_NESTING = 400;

const OPERATORS = [
  '==',
  '!=',
  '<=',
  '>=',
  '&&',
  '||',
  '<',
  '>',
  '!',
  '+',
  '-',
  '*',
  '/',
  '(',
  ')',
  '?',
  ':',
  ',',
] as const;
type Operator = (typeof OPERATORS)[number];
type Token = Operator | 'value' | 'function' | 'end';

const RELATIONS: Readonly<Record<string, (order: number) => boolean>> = {
  '==': (order) => order === 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** Recursive descent with one token of lookahead; a branch that is not taken is parsed but not expanded (`discard`). */
class ExpressionParser {
  token: Token = 'end';
  offset = 0;
  readonly #text: string;
  readonly #options: ExpressionOptions;
  #value: ExpressionValue = 0;
  #discard = false;
  #nesting = 0;

  constructor(text: string, options: ExpressionOptions) {
    this.#text = text;
    this.#options = options;
  }

  ternary(): ExpressionValue {
    this.#nesting += 1;
    if (this.#nesting > MAX_NESTING) throw this.#error('expression is nested too deeply');
    const value = this.#ternary();
    this.#nesting -= 1;
    return value;
  }

  #ternary(): ExpressionValue {
    const condition = this.#logical();
    if (this.token !== '?') return condition;
    const outer = this.#discard;
    const holds = isTruthy(condition);
    if (!holds) this.#discard = true;
    this.advance();
    const first = this.ternary();
    if ((this.token as Token) !== ':') throw this.#error('syntax error in expression');
    this.#discard = outer || holds;
    this.advance();
    const second = this.ternary();
    this.#discard = outer;
    this.#checkTypes(first, second);
    return holds ? first : second;
  }

  #logical(): ExpressionValue {
    let left = this.#relational();
    const outer = this.#discard;
    while (this.token === '&&' || this.token === '||') {
      const holds = isTruthy(left);
      const decided = this.token === '&&' ? !holds : holds;
      if (decided) this.#discard = true;
      this.advance();
      const right = this.#relational();
      this.#checkTypes(left, right);
      if (!decided) left = right;
      this.#discard = outer;
    }
    return left;
  }

  #relational(): ExpressionValue {
    let left = this.#sum();
    for (let relation = RELATIONS[this.token]; relation !== undefined; relation = RELATIONS[this.token]) {
      this.advance();
      const right = this.#sum();
      this.#checkTypes(left, right);
      left = relation(compareValues(left, right)) ? 1 : 0;
    }
    return left;
  }

  #sum(): ExpressionValue {
    let left = this.#product();
    while (this.token === '+' || this.token === '-') {
      const operator = this.token;
      this.advance();
      const right = this.#product();
      this.#checkTypes(left, right);
      if (typeof left === 'number') left = (operator === '+' ? left + (right as number) : left - (right as number)) | 0;
      else if (typeof left === 'object') throw this.#error('+ and - not supported for versions');
      else if (operator === '-') throw this.#error('- not supported for strings');
      else left += right as string;
    }
    return left;
  }

  #product(): ExpressionValue {
    let left = this.#primary();
    while (this.token === '*' || this.token === '/') {
      const operator = this.token;
      this.advance();
      const right = this.#primary();
      this.#checkTypes(left, right);
      if (typeof left !== 'number') {
        throw this.#error(`* and / not supported for ${typeof left === 'string' ? 'strings' : 'versions'}`);
      }
      if (this.#discard) continue;
      if (operator === '*') left = Math.imul(left, right as number);
      else if (right === 0) throw this.#error('division by zero');
      else left = (left / (right as number)) | 0;
    }
    return left;
  }

  /** A row of signs is a loop, so that it can't exhaust the stack. */
  #primary(): ExpressionValue {
    const signs: ('-' | '!')[] = [];
    while (this.token === '-' || this.token === '!') {
      signs.push(this.token);
      this.advance();
    }
    let value = this.#operand();
    for (const sign of signs.reverse()) {
      if (sign === '!') value = isTruthy(value) ? 0 : 1;
      else if (typeof value === 'number') value = -value | 0;
      else throw this.#error('- only on numbers');
    }
    return value;
  }

  #operand(): ExpressionValue {
    switch (this.token) {
      case 'value': {
        const value = this.#value;
        this.advance();
        return value;
      }
      case 'function':
        return this.#call();
      case '(': {
        this.advance();
        const value = this.ternary();
        if ((this.token as Token) !== ')') throw this.#error('unmatched (');
        this.advance();
        return value;
      }
      case 'end':
        throw this.#error('unexpected end of expression');
      default:
        throw this.#error('syntax error in expression');
    }
  }

  #call(): ExpressionValue {
    const name = this.#value as string;
    const values: ExpressionValue[] = [];
    this.advance();
    while (this.token !== ')') {
      values.push(this.ternary());
      if (this.token !== ',') break;
      this.advance();
      if ((this.token as Token) === ')') throw this.#error('syntax error in expression');
    }
    if (this.token !== ')') throw this.#error('syntax error in expression');
    this.advance();
    if (!name.startsWith('lua:')) throw this.#error('unsupported function');
    if (this.#discard) return '';
    const simple = values.filter((value) => typeof value !== 'object');
    if (simple.length < values.length) throw this.#error('unsupported function argument type');
    const result = this.#options.callLua?.(name.slice(4), simple);
    if (result === undefined) throw this.#error(`Lua function ${name.slice(4)} failed`);
    return result;
  }

  /** Reads the next token. */
  advance(): void {
    const text = this.#text;
    let at = this.offset;
    while (isSpace(text.charCodeAt(at))) at += 1;
    if (at >= text.length) {
      this.token = 'end';
      this.offset = at;
      return;
    }
    const operator = OPERATORS.find((candidate) => text.startsWith(candidate, at));
    if (operator !== undefined) {
      this.token = operator;
      this.offset = at + operator.length;
      return;
    }
    if ('=&|'.includes(text[at]!)) throw new ExpressionError(`syntax error while parsing ${text[at]!.repeat(2)}`, at);
    const code = text.charCodeAt(at);
    if (isDigit(code) || (code === 37 && this.#options.expand !== undefined)) this.#readInteger(at);
    else if (code === 34 || (text[at] === 'v' && text[at + 1] === '"')) this.#readString(at);
    else this.#readFunction(at);
  }

  #readInteger(start: number): void {
    let at = start;
    for (let next = at; next < this.#text.length; at = next) {
      if (this.#text[at] === '%' && this.#options.expand !== undefined) next = this.#skipMacro(at + 1);
      else if (isDigit(this.#text.charCodeAt(at))) next = at + 1;
      else break;
    }
    const digits = this.#expanded(this.#text.slice(start, at), start);
    if (!/^-?\d*$/.test(digits)) {
      const isWord = isAlpha(digits.charCodeAt(0));
      const message = isWord ? 'macro expansion returned a bare word' : 'macro expansion did not return an integer';
      throw new ExpressionError(`${message} (${digits})`, start, 'Put the macro in double quotes to compare strings.');
    }
    this.token = 'value';
    this.#value = parseInteger(digits);
    this.offset = at;
  }

  #readString(start: number): void {
    const isVersion = this.#text[start] === 'v';
    const first = isVersion ? start + 2 : start + 1;
    let at = first;
    while (at < this.#text.length && this.#text[at] !== '"') {
      at = this.#text[at] === '%' && this.#options.expand !== undefined ? this.#skipMacro(at + 1) : at + 1;
    }
    if (at >= this.#text.length) throw new ExpressionError('unterminated string in expression', start);
    const value = this.#expanded(this.#text.slice(first, at), first);
    this.token = 'value';
    this.offset = at + 1;
    this.#value = value;
    if (!isVersion) return;
    if (value === '' && !this.#discard) throw new ExpressionError('invalid version', start);
    this.#value = { version: parseEvr(this.#discard ? '0' : value) };
  }

  #readFunction(start: number): void {
    if (!isAlpha(this.#text.charCodeAt(start))) throw new ExpressionError('parse error in expression', start);
    const name = /^[A-Za-z][A-Za-z0-9_.:]*(?=\()/.exec(this.#text.slice(start))?.[0];
    if (name === undefined) {
      const hint = 'Put strings in double quotes.';
      throw new ExpressionError('bare words are no longer supported', start, hint);
    }
    this.token = 'function';
    this.#value = name;
    this.offset = start + name.length + 1;
  }

  #skipMacro(at: number): number {
    if (this.#text[at] === '%') return at + 1;
    const end = findMacroEnd(this.#text, at);
    return end < 0 ? this.#text.length : end;
  }

  #expanded(text: string, offset: number): string {
    if (this.#discard) return '';
    if (this.#options.expand === undefined || text === '') return text;
    const expanded = this.#options.expand(text);
    if (expanded === undefined) throw new ExpressionError('macro expansion failed in expression', offset);
    return expanded;
  }

  #checkTypes(left: ExpressionValue, right: ExpressionValue): void {
    if (typeof left === typeof right) return;
    throw this.#error('types must match', 'Compare numbers with numbers and "strings" with "strings".');
  }

  #error(message: string, hint?: string): ExpressionError {
    return new ExpressionError(message, this.offset, hint);
  }
}

function compareValues(left: ExpressionValue, right: ExpressionValue): number {
  if (typeof left === 'number') return (left - (right as number)) | 0;
  if (typeof left === 'string') return left === right ? 0 : left < (right as string) ? -1 : 1;
  return compareVersions(left.version, (right as { version: Evr }).version);
}

/** atoi(): through 64 bits, which saturate, into 32, which wrap. */
function parseInteger(digits: string): number {
  if (digits.length < 10) return Number(digits === '' || digits === '-' ? 0 : digits);
  const value = BigInt(digits);
  const limit = (1n << 63n) - 1n;
  const saturated = value > limit ? limit : value < -limit - 1n ? -limit - 1n : value;
  return Number(BigInt.asIntN(32, saturated));
}
