/** Character classes in the C locale, as rpm's rpmstring.h defines them: ASCII only, by char code. */

/** Space or tab. */
export function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

/** Line feed or carriage return. */
export function isEol(code: number): boolean {
  return code === 10 || code === 13;
}

/** Any of space, tab, line feed, vertical tab, form feed, carriage return. */
export function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

/** Without the space around it; unlike trim(), which takes every blank of Unicode and the mark of byte order. */
export function trimSpace(text: string): string {
  return trimSpaceStart(trimSpaceEnd(text));
}

/** Without the space before it. */
export function trimSpaceStart(text: string): string {
  let start = 0;
  while (start < text.length && isSpace(text.charCodeAt(start))) start += 1;
  return start === 0 ? text : text.slice(start);
}

/** Without the space behind it. */
export function trimSpaceEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return end === text.length ? text : text.slice(0, end);
}

/** Without the line ends behind it. */
export function trimEolEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isEol(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** The words between the space. */
export function spaceWords(text: string): string[] {
  return text.split(/[ \t-\r]+/).filter(Boolean);
}

/** 0-9. */
export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** A-Z, a-z. */
export function isAlpha(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

/** A-Z, a-z, 0-9. */
export function isAlnum(code: number): boolean {
  return isDigit(code) || isAlpha(code);
}

/** A character of a macro name: letter, digit or underscore. */
export function isNameCharacter(code: number): boolean {
  return isAlnum(code) || code === 95;
}
