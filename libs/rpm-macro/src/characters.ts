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
