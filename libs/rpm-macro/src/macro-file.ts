/** Reads macro files: logical lines that begin with `%` are definitions, all others are comments (rdcl, rpmio/macro.c). */
import { isBlank, trimEolEnd } from './characters.ts';
import { countBrackets, hasOpenBracket, noOpenBrackets } from './bracket-count.ts';

/** A definition in a macro file: the text after `%` and the line on which it begins. */
export interface MacroFileDefinition {
  readonly body: string;
  readonly line: number;
}

/** The definitions of a macro file in order. A line goes on after a trailing backslash or inside open brackets. */
export function readDefinitions(text: string): MacroFileDefinition[] {
  const definitions: MacroFileDefinition[] = [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  for (let index = 0; index < lines.length; index += 1) {
    const start = index;
    let logical = trimEolEnd(lines[index]!);
    let first = 0;
    while (isBlank(logical.charCodeAt(first))) first += 1;
    if (logical[first] !== '%') continue;
    const open = noOpenBrackets();
    countBrackets(logical.slice(first), open);
    while ((lines[index]!.replace(/\r+$/, '').endsWith('\\') || hasOpenBracket(open)) && index + 1 < lines.length) {
      index += 1;
      const next = trimEolEnd(lines[index]!);
      countBrackets(next, open);
      logical += `\n${next}`;
    }
    definitions.push({ body: logical.slice(first + 1), line: start + 1 });
  }
  return definitions;
}
