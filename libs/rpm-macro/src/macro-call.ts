/** The parts of a macro call: `%name`, `%?name`, `%{!?name:text}`, `%{name words}`. */

export interface MacroCall {
  /** The name, as offsets into the text. */
  readonly nameStart: number;
  readonly nameEnd: number;
  /** An odd number of `!`. */
  readonly negated: boolean;
  /** With `?`: a question whether the macro is defined. */
  readonly checked: boolean;
  readonly braced: boolean;
  /** Behind a name in braces stands `:text`. */
  readonly hasText: boolean;
  /** The offset behind the call. */
  readonly end: number;
  /** Where to go on when the call is left as it is. */
  readonly goOn: number;
}

/** Takes the call apart whose `%` stands before `start` and which ends at `end`. */
export function readMacroCall(source: string, start: number, end: number): MacroCall {
  const braced = source.charCodeAt(start) === 123;
  let nameStart = braced ? start + 1 : start;
  let negated = false;
  let checked = false;
  for (;;) {
    const code = source.charCodeAt(nameStart);
    if (code === 33) negated = !negated;
    else if (code === 63) checked = true;
    else break;
    nameStart += 1;
  }
  let nameEnd = braced ? nameStart : end;
  if (braced) while (!isNameEnd(source.charCodeAt(nameEnd))) nameEnd += 1;
  const hasText = braced && source.charCodeAt(nameEnd) === 58;
  return { nameStart, nameEnd, negated, checked, braced, hasText, end, goOn: braced ? start : nameStart };
}

/** Blank, `:`, `}` or the end of the text. */
function isNameEnd(code: number): boolean {
  return code === 32 || code === 58 || code === 125 || Number.isNaN(code);
}
