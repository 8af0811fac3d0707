/** Limits that turn definitions without end into an error instead of an exhausted machine. */

/** rpm's _MAX_MACRO_DEPTH. */
const MAX_DEPTH = 64;
// rpm has no limits like the following ones.
const MAX_OUTPUT = 64 * 1024 * 1024;
const MAX_EXPANSIONS = 1_000_000;
const MAX_WORDS = 50_000;
/** Of expansions that scripts and expressions start anew. */
const MAX_NESTING = 150;
/** Characters of all texts that are expanded, and those looked through for the ends of calls, of brackets in brackets the square. */
const MAX_SCANNED = 200_000_000;

/** What expansion has cost so far. Each question gives the limit that is passed, undefined while there is none. */
export class WorkLimits {
  #expansions = 0;
  #nesting = 0;
  #scanned = 0;

  /** Begins an expansion of so many characters at a depth; one that passes no limit ends with leave(). */
  enter(depth: number, length: number): 'recursion' | string | undefined {
    this.#expansions += 1;
    const scanned = this.scan(length);
    if (scanned !== undefined) return scanned;
    if (this.#expansions > MAX_EXPANSIONS) return `more than ${MAX_EXPANSIONS} expansions`;
    if (depth >= MAX_DEPTH || this.#nesting >= MAX_NESTING) return 'recursion';
    this.#nesting += 1;
    return undefined;
  }

  leave(): void {
    this.#nesting -= 1;
  }

  scan(characters: number): string | undefined {
    this.#scanned += characters;
    return this.#scanned > MAX_SCANNED ? `more than ${MAX_SCANNED} characters of macros` : undefined;
  }
}

/** For the length of what an expansion gives. */
export function outputLimit(length: number): string | undefined {
  return length > MAX_OUTPUT ? 'an expansion is longer than 64 MiB' : undefined;
}

/** For the number of arguments of a call. */
export function wordLimit(count: number): string | undefined {
  return count > MAX_WORDS ? `more than ${MAX_WORDS} arguments` : undefined;
}
