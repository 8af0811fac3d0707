/** Whether a line goes on in the next one: the count of open `%{`, `%(`, `%[` that spec files and macro files share. */

/** Open brackets so far. Only brackets behind a `%` open a level; inside it plain ones count too. */
export interface OpenBrackets {
  braces: number;
  parentheses: number;
  squares: number;
  /** The text ends in an escaped newline. */
  escapedNewline: boolean;
}

/** No open bracket. */
export function noOpenBrackets(): OpenBrackets {
  return { braces: 0, parentheses: 0, squares: 0, escapedNewline: false };
}

/** True when a bracket is open. */
export function hasOpenBracket(open: OpenBrackets): boolean {
  return open.braces > 0 || open.parentheses > 0 || open.squares > 0;
}

/** Counts on over `text` (copyNextLineFromOFI, build/parseSpec.c; rdcl, rpmio/macro.c). */
export function countBrackets(text: string, open: OpenBrackets): void {
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case 92: // backslash
        if (at + 1 < text.length) {
          at += 1;
          if (text.charCodeAt(at) === 10) open.escapedNewline = true;
        }
        break;
      case 10:
        open.escapedNewline = false;
        break;
      case 37: // %
        at += openBracket(text.charCodeAt(at + 1), open);
        break;
      case 123:
        if (open.braces > 0) open.braces += 1;
        break;
      case 125:
        if (open.braces > 0) open.braces -= 1;
        break;
      case 40:
        if (open.parentheses > 0) open.parentheses += 1;
        break;
      case 41:
        if (open.parentheses > 0) open.parentheses -= 1;
        break;
      case 91:
        if (open.squares > 0) open.squares += 1;
        break;
      case 93:
        if (open.squares > 0) open.squares -= 1;
        break;
    }
  }
}

/** The character after a `%`: opens a level, or is `%`; how many characters to skip. */
function openBracket(code: number, open: OpenBrackets): number {
  if (code === 123) open.braces += 1;
  else if (code === 40) open.parentheses += 1;
  else if (code === 91) open.squares += 1;
  else if (code !== 37) return 0;
  return 1;
}
