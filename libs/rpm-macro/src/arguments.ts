/** The arguments of a call, and the scope in which its body sees them: `%1`, `%*`, `%{-a}` (grabArgs, setupArgs, freeArgs, rpmio/macro.c). */
import { isBlank } from './characters.ts';
import { getopt } from './getopt.ts';
import type { Expansion } from './expansion.ts';
import type { MacroCall } from './macro-call.ts';
import type { MacroContext } from './macro.ts';
import type { MacroEntry } from './macro-table.ts';
import { splitQuoted } from './quoted-words.ts';

/** Opens a scope and defines the argument macros of the call; `words` are the name and the arguments. */
export function pushArguments(
  context: MacroContext,
  expansion: Expansion,
  entry: MacroEntry,
  words: readonly string[],
): void {
  expansion.level += 1;
  const push = (name: string, body: string): void =>
    context.push({ name, body, level: expansion.level, automatic: true, literal: true });
  push('0', entry.name);
  push('**', words.slice(1).join(' '));
  const parsed = getopt(words.slice(1), entry.options ?? '');
  for (const { letter, argument } of parsed.options) {
    push(`-${letter}`, argument === undefined ? `-${letter}` : `-${letter} ${argument}`);
    if (argument !== undefined) push(`-${letter}*`, argument);
  }
  expansion.entry = entry;
  expansion.words = words;
  if (parsed.unknown !== undefined) {
    const message = `unknown option ${parsed.unknown} in ${entry.name}(${entry.options})`;
    context.fail(expansion, 'MACRO_OPTION', message, `The macro knows: ${entry.options || 'no options'}.`);
    return;
  }
  push('#', String(parsed.operands.length));
  parsed.operands.forEach((operand, index) => push(String(index + 1), operand));
  push('*', parsed.operands.join(' '));
}

/** Ends the scope: drops one definition of each name made in it; a second one survives, as in rpm. */
export function popArguments(context: MacroContext, expansion: Expansion): void {
  for (const entry of context.table.scopedAt(expansion.level)) {
    if (!entry.automatic && !entry.used) {
      context.report('warning', 'MACRO_UNUSED', `macro %${entry.name} defined but not used within scope`);
      entry.used = true;
    }
    context.pop(entry.name);
  }
  expansion.level -= 1;
  expansion.words = undefined;
  expansion.entry = undefined;
}

/** The name and the arguments of a call, expanded and split as its form asks for, and the offset to go on from. */
export function readWords(
  context: MacroContext,
  expansion: Expansion,
  { entry, source, call }: { readonly entry: MacroEntry; readonly source: string; readonly call: MacroCall },
): { readonly words: readonly string[]; readonly next: number } {
  const { end, nameEnd, braced, hasText } = call;
  const read = (text: string, split: boolean): string[] => {
    if (entry.builtin?.raw === true) return [text];
    const expanded = text.includes('%') ? context.expandPart(expansion, text).text : text;
    return split ? splitQuoted(expanded) : [expanded];
  };
  if (hasText) return { words: [entry.name].concat(read(source.slice(nameEnd + 1, end - 1), false)), next: end };
  if (braced && source.charCodeAt(nameEnd) === 32) {
    return { words: [entry.name].concat(read(source.slice(nameEnd, end - 1), true)), next: end };
  }
  if (braced || entry.options === undefined || !isBlank(source.charCodeAt(nameEnd))) {
    return { words: [entry.name], next: end };
  }
  const newline = source.indexOf('\n', nameEnd);
  const last = newline < 0 ? source.length : newline;
  const words = [entry.name].concat(read(source.slice(nameEnd, last), true));
  return { words, next: newline >= 0 && source[last - 1] === '\\' ? last + 1 : last };
}
