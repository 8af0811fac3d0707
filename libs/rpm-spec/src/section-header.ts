/** The header of a section: its options and the package that it belongs to. */
import { parseOptions, splitWords, WordError, type KnownOptions, type ParsedOptions } from './popt.ts';
import type { PackageState, SpecState } from './spec-state.ts';

export interface SectionHeader {
  readonly target: PackageState;
  readonly options: ParsedOptions;
  readonly words: readonly string[];
}

/** Parses `%section [options] [name | -n name]`; undefined when it names no package (an error says so). */
export function parseSectionHeader(state: SpecState, line: string, known: KnownOptions): SectionHeader | undefined {
  let words: string[];
  try {
    words = splitWords(line);
  } catch (error) {
    if (!(error instanceof WordError)) throw error;
    state.error('SPEC_SECTION_HEADER', `${error.message} in: ${line.trim()}`);
    return undefined;
  }
  const parsed = parseOptions(words, known);
  if (parsed.bad !== undefined) {
    const letters = [known.flags, known.valued, known.numbers].flatMap((some) => [...(some ?? '')]);
    const hint = `${words[0]} knows ${letters.map((letter) => `-${letter}`).join(', ')}.`;
    const message = `bad option ${parsed.bad}: ${line.trim()}`;
    state.error('SPEC_SECTION_HEADER', message, { part: parsed.bad, hint });
    return undefined;
  }
  const named = parsed.options.findLast((option) => option.letter === 'n')?.value;
  if (parsed.operands.length > (named === undefined ? 1 : 0)) {
    state.error('SPEC_SECTION_HEADER', `too many names: ${line.trim()}`);
    return undefined;
  }
  const target = state.lookUp(named ?? parsed.operands[0], named !== undefined);
  if (target === undefined) {
    const name = named ?? `${state.main.name}-${parsed.operands[0]}`;
    const hint = `Declare it with %package ${named === undefined ? parsed.operands[0] : `-n ${named}`}, or correct the name.`;
    state.error('SPEC_UNKNOWN_PACKAGE', `package ${name} does not exist: ${line.trim()}`, { hint });
    return undefined;
  }
  return { target, options: parsed, words };
}
