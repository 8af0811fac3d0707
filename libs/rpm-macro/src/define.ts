/** %define and %global (doDefine, rpmio/macro.c). */
import { isAlpha, isBlank, isEol, isNameCharacter } from './characters.ts';
import type { Expansion } from './expansion.ts';
import type { MacroContext } from './macro.ts';
import { matchBracket } from './macro-end.ts';

export interface DefineOptions {
  readonly level: number;
  /** Expand the body once, now (%global). */
  readonly expandBody: boolean;
  /** The text holds nothing but the definition, as in `%{define:…}`: its body goes to the end unchanged. */
  readonly wholeText: boolean;
}

/** Defines what stands at the start of `text`; gives the number of characters that belong to it. */
export function define(context: MacroContext, expansion: Expansion, text: string, options: DefineOptions): number {
  let at = skipBlanks(text, 0);
  const nameStart = at;
  while (isNameCharacter(text.charCodeAt(at))) at += 1;
  const name = text.slice(nameStart, at);

  let description: string | undefined;
  if (text[at] === '(') {
    const close = text.indexOf(')', at + 1);
    if (close < 0) {
      context.fail(expansion, 'MACRO_DEFINITION', `macro %${name} has unterminated options`, 'Close them with ).');
      return 0;
    }
    description = text.slice(at + 1, close);
    at = close + 1;
  }
  const bodyStart = at;
  at = skipBlanks(text, at);
  const read = options.wholeText ? { body: text.slice(at), end: text.length } : readBody(text, at);
  if (read === undefined) {
    context.fail(expansion, 'MACRO_DEFINITION', `macro %${name} has an unterminated body`, 'Close its brackets.');
    return 0;
  }
  let end = read.end;
  while (isEol(text.charCodeAt(end))) end += 1;

  if (!isValidName(context, expansion, name, options.expandBody ? '%global' : '%define')) return end;
  if (read.body === '') {
    context.fail(expansion, 'MACRO_DEFINITION', `macro %${name} has an empty body`, 'Write %{nil} for an empty value.');
    return end;
  }
  const separator = text.charCodeAt(bodyStart);
  if (!isBlank(separator) && !(text[bodyStart] === '\\' && isEol(text.charCodeAt(bodyStart + 1)))) {
    context.report('warning', 'MACRO_DEFINITION', `macro %${name} needs whitespace before its body`);
  }
  pushDefinition(context, expansion, { name, options: description, body: read.body }, options);
  return end;
}

function pushDefinition(
  context: MacroContext,
  expansion: Expansion,
  macro: { name: string; options: string | undefined; body: string },
  { level, expandBody }: DefineOptions,
): void {
  let { body } = macro;
  if (expandBody) {
    const expanded = context.expandPart(expansion, body);
    if (expanded.failed) {
      context.fail(expansion, 'MACRO_DEFINITION', `the body of macro %${macro.name} failed to expand`);
      return;
    }
    body = expanded.text;
  }
  context.push({ ...macro, body, level, location: context.location() });
}

/** Whether a name may be defined; says why not. */
export function isValidName(context: MacroContext, expansion: Expansion, name: string, action: string): boolean {
  const first = name.charCodeAt(0);
  if (!isAlpha(first) && !(first === 95 && name.length > 1)) {
    const hint = 'A name starts with a letter, or with _ and has at least two characters.';
    context.fail(expansion, 'MACRO_NAME', `macro %${name} has an illegal name (${action})`, hint);
    return false;
  }
  const entry = context.table.peek(name);
  if (entry !== undefined && (entry.builtin !== undefined || entry.automatic)) {
    context.fail(expansion, 'MACRO_NAME', `macro %${name} is a built-in (${action})`);
    return false;
  }
  return true;
}

function readBody(text: string, start: number): { body: string; end: number } | undefined {
  if (text[start] !== '{') return readFreeBody(text, start);
  const end = matchBracket(text, start, '{', '}');
  return end < 0 ? undefined : { body: text.slice(start + 1, end - 1), end };
}

/** A body up to the end of the line; brackets and backslashes carry it on; one backslash of each pair is dropped. */
function readFreeBody(text: string, start: number): { body: string; end: number } | undefined {
  let body = '';
  let from = start;
  let at = start;
  let [braces, parentheses, squares] = [0, 0, 0];
  while (at < text.length && (braces > 0 || parentheses > 0 || !isEol(text.charCodeAt(at)))) {
    switch (text.charCodeAt(at)) {
      case 92:
        if (at + 1 < text.length) {
          body += text.slice(from, at);
          at += 1;
          from = at;
        }
        break;
      case 37: {
        const next = text[at + 1];
        if (next === '{') braces += 1;
        else if (next === '(') parentheses += 1;
        else if (next === '[') squares += 1;
        if (next === '{' || next === '(' || next === '[' || next === '%') at += 1;
        break;
      }
      case 123:
        if (braces > 0) braces += 1;
        break;
      case 125:
        if (braces > 0) braces -= 1;
        break;
      case 40:
        if (parentheses > 0) parentheses += 1;
        break;
      case 41:
        if (parentheses > 0) parentheses -= 1;
        break;
      case 91:
        if (squares > 0) squares += 1;
        break;
      case 93:
        if (squares > 0) squares -= 1;
        break;
    }
    at += 1;
  }
  if (braces > 0 || parentheses > 0 || squares > 0) return undefined;
  body += text.slice(from, at);
  return { body: trimBlankEnd(body), end: at };
}

function trimBlankEnd(text: string): string {
  let end = text.length;
  while (end > 0 && (isBlank(text.charCodeAt(end - 1)) || isEol(text.charCodeAt(end - 1)))) end -= 1;
  return text.slice(0, end);
}

function skipBlanks(text: string, start: number): number {
  let at = start;
  while (isBlank(text.charCodeAt(at))) at += 1;
  return at;
}
