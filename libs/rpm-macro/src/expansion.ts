/** The state of an expansion (struct MacroBuf_s, rpmio/macro.c). */
import type { MacroEntry } from './macro-table.ts';

/** An expansion in progress: the output so far and where in the nesting it is. */
export interface Expansion {
  out: string;
  depth: number;
  level: number;
  failed: boolean;
  /** The parametric macro whose body is expanded, and its words. */
  entry: MacroEntry | undefined;
  words: readonly string[] | undefined;
}

/** An empty one at a depth and scope. */
export function newExpansion(depth: number, level: number): Expansion {
  return { out: '', depth, level, failed: false, entry: undefined, words: undefined };
}
