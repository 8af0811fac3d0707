/** Where a macro call ends in a text (matchchar and findMacroEnd, rpmio/macro.c). */
import { isNameCharacter } from './characters.ts';

/**
 * The offset after the character that closes the bracket at `start`, or -1. A backslash hides the next character; other
 * kinds of brackets are not looked at.
 */
export function matchBracket(text: string, start: number, open: string, close: string): number {
  const [opening, closing] = [open.charCodeAt(0), close.charCodeAt(0)];
  let level = 0;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 92) at += 1;
    else if (code === closing) {
      level -= 1;
      if (level <= 0) return at + 1;
    } else if (code === opening) level += 1;
  }
  return -1;
}

/** The offset after the macro call whose `%` stands before `start`; -1 when its bracket is not closed. */
export function findMacroEnd(text: string, start: number): number {
  const first = text[start];
  if (first === '(') return matchBracket(text, start, '(', ')');
  if (first === '{') return matchBracket(text, start, '{', '}');
  if (first === '[') return matchBracket(text, start, '[', ']');
  let at = start;
  while (text[at] === '?' || text[at] === '!') at += 1;
  if (text[at] === '-') at += 1;
  while (isNameCharacter(text.charCodeAt(at))) at += 1;
  if (text[at] === '*' && text[at + 1] === '*') return at + 2;
  if (text[at] === '*' || text[at] === '#') return at + 1;
  return at;
}
