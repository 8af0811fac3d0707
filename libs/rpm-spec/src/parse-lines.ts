/** The lines of a section (parseLines, build/parseSpec.c). */
import { isSpace } from '@kiln/rpm-macro';
import type { Strip } from './read-line.ts';
import { sectionOf } from './sections.ts';
import type { NextSection, SpecState } from './spec-state.ts';

/** Hands each line of the section to `take`; gives the section that follows. */
export function parseLines(state: SpecState, strip: Strip, take: (line: string) => void): NextSection {
  const { reader } = state;
  while (reader.next(strip)) {
    const section = sectionOf(reader.line);
    if (section !== undefined) return section;
    take(reader.line);
  }
  return undefined;
}

/** The text of a section without blanks at its end. */
export function parseText(state: SpecState, strip: Strip): { text: string; next: NextSection } {
  let text = '';
  const next = parseLines(state, strip, (line) => {
    text += strip.trailingSpace === true ? `${line}\n` : line;
  });
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return { text: text.slice(0, end), next };
}
