/** The scope of a parametric call: `%1`, `%*`, `%{-a}` (setupArgs and freeArgs, rpmio/macro.c). */
import { getopt } from './getopt.ts';
import type { Expansion } from './expansion.ts';
import type { MacroContext } from './macro.ts';
import type { MacroEntry } from './macro-table.ts';

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
