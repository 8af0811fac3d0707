/** Lines that the reader itself acts on: conditionals and %include (lineTypes, build/rpmbuild_internal.h). */
import { isAlpha, isBlank } from '@kiln/rpm-macro';

export type LineKind =
  'endif' | 'else' | 'if' | 'ifarch' | 'ifnarch' | 'ifos' | 'ifnos' | 'include' | 'elifarch' | 'elifos' | 'elif';

export interface LineType {
  readonly kind: LineKind;
  readonly text: string;
  /** A blank or the end must follow; else any character that is no letter. */
  readonly hasArgument: boolean;
  /** Opens a conditional, continues one, or neither. */
  readonly role: 'open' | 'branch' | 'close' | 'include';
}

/** In rpm's order, which decides between `%elif` and `%elifarch`. */
export const LINE_TYPES: readonly LineType[] = [
  { kind: 'endif', text: '%endif', hasArgument: false, role: 'close' },
  { kind: 'else', text: '%else', hasArgument: false, role: 'branch' },
  { kind: 'if', text: '%if', hasArgument: true, role: 'open' },
  { kind: 'ifarch', text: '%ifarch', hasArgument: true, role: 'open' },
  { kind: 'ifnarch', text: '%ifnarch', hasArgument: true, role: 'open' },
  { kind: 'ifos', text: '%ifos', hasArgument: true, role: 'open' },
  { kind: 'ifnos', text: '%ifnos', hasArgument: true, role: 'open' },
  { kind: 'include', text: '%include', hasArgument: true, role: 'include' },
  { kind: 'elifarch', text: '%elifarch', hasArgument: true, role: 'branch' },
  { kind: 'elifos', text: '%elifos', hasArgument: true, role: 'branch' },
  { kind: 'elif', text: '%elif', hasArgument: true, role: 'branch' },
];

/** The type of the line that starts at `start`; undefined for ordinary lines. */
export function lineTypeAt(text: string, start: number): LineType | undefined {
  if (text[start] !== '%') return undefined;
  return LINE_TYPES.find((type) => {
    if (!text.startsWith(type.text, start)) return false;
    const next = text.charCodeAt(start + type.text.length);
    return type.hasArgument ? Number.isNaN(next) || isBlank(next) : !isAlpha(next);
  });
}
