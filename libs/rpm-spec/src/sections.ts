/** The sections of a spec (partList, build/parseSpec.c). */
import { isSpace } from '@kiln/rpm-macro';

/** What a section is parsed as. */
export type SectionKind =
  | 'package'
  | 'prep'
  | 'script'
  | 'scriptlet'
  | 'trigger'
  | 'files'
  | 'changelog'
  | 'description'
  | 'policies'
  | 'end'
  | 'sourceList';

export interface Section {
  /** With its percent sign. */
  readonly name: string;
  readonly kind: SectionKind;
}

/** In rpm's order. */
export const SECTIONS: readonly Section[] = [
  { name: '%package', kind: 'package' },
  { name: '%prep', kind: 'prep' },
  { name: '%generate_buildrequires', kind: 'script' },
  { name: '%conf', kind: 'script' },
  { name: '%build', kind: 'script' },
  { name: '%install', kind: 'script' },
  { name: '%check', kind: 'script' },
  { name: '%clean', kind: 'script' },
  { name: '%preun', kind: 'scriptlet' },
  { name: '%postun', kind: 'scriptlet' },
  { name: '%pretrans', kind: 'scriptlet' },
  { name: '%posttrans', kind: 'scriptlet' },
  { name: '%pre', kind: 'scriptlet' },
  { name: '%post', kind: 'scriptlet' },
  { name: '%files', kind: 'files' },
  { name: '%changelog', kind: 'changelog' },
  { name: '%description', kind: 'description' },
  { name: '%triggerpostun', kind: 'trigger' },
  { name: '%triggerprein', kind: 'trigger' },
  { name: '%triggerun', kind: 'trigger' },
  { name: '%triggerin', kind: 'trigger' },
  { name: '%trigger', kind: 'trigger' },
  { name: '%verifyscript', kind: 'scriptlet' },
  { name: '%sepolicy', kind: 'policies' },
  { name: '%filetriggerin', kind: 'trigger' },
  { name: '%filetrigger', kind: 'trigger' },
  { name: '%filetriggerun', kind: 'trigger' },
  { name: '%filetriggerpostun', kind: 'trigger' },
  { name: '%transfiletriggerin', kind: 'trigger' },
  { name: '%transfiletrigger', kind: 'trigger' },
  { name: '%transfiletriggerun', kind: 'trigger' },
  { name: '%transfiletriggerpostun', kind: 'trigger' },
  { name: '%end', kind: 'end' },
  { name: '%patchlist', kind: 'sourceList' },
  { name: '%sourcelist', kind: 'sourceList' },
];

const BY_NAME = new Map(SECTIONS.map((section) => [section.name, section]));

/** The section that a line opens: its first word is the name, in any case, at column 1. */
export function sectionOf(line: string): Section | undefined {
  if (line.charCodeAt(0) !== 37) return undefined;
  let end = 1;
  while (end < line.length && !isSpace(line.charCodeAt(end))) end += 1;
  return BY_NAME.get(line.slice(0, end).toLowerCase());
}
