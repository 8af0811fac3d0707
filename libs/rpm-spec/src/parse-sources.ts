/** Source and Patch tags, %sourcelist and %patchlist (addSource, build/parsePreamble.c; build/parseList.c). */
import { LEVEL } from '@kiln/rpm-macro';
import { expandPath } from './expand-path.ts';
import { parseLines } from './parse-lines.ts';
import type { NextSection, SpecState } from './spec-state.ts';

export interface SourceTag {
  readonly kind: 'source' | 'patch';
  readonly field: string;
  /** The line behind the word Source or Patch; undefined for an entry of a list section. */
  readonly numberText?: string;
}

/** Adds a source or patch, numbers it, and defines SOURCEn and SOURCEURLn. */
export function addSource(state: SpecState, { kind, field, numberText }: SourceTag): void {
  const { context } = state;
  const digits = numberText === undefined ? '' : /^[^: \t]*/.exec(numberText)![0];
  if (!/^\d*$/.test(digits) || Number(digits) > 0xffffffff) {
    state.error('SPEC_SOURCE_NUMBER', `bad ${kind} number: ${state.reader.line.trim()}`, { part: digits });
    return;
  }
  const numbers = state.sourceNumbers[kind];
  const number = digits === '' ? numbers.last + 1 : Number(digits);
  const twin = numbers.known.get(number);
  if (twin !== undefined) {
    const hint = `The first is at line ${twin.location.line}.`;
    state.error('SPEC_SOURCE_NUMBER', `${kind} ${number} defined multiple times`, { hint });
    return;
  }
  const fileName = sourceFileName(field);
  const path = expandPath(context, `%{_sourcedir}/${fileName}`);
  const location = state.reader.location(field);
  const source = { kind, number, url: field, fileName, location, path };
  state.sources.push(source);
  numbers.known.set(number, source);
  numbers.last = Math.max(numbers.last, number);
  const prefix = kind === 'source' ? 'SOURCE' : 'PATCH';
  context.push({ name: `${prefix}${number}`, body: path, level: LEVEL.spec, location });
  context.push({ name: `${prefix}URL${number}`, body: field, level: LEVEL.spec, location });
  publishSources(state);
}

/** Parses %sourcelist or %patchlist. */
export function parseSourceList(state: SpecState, kind: 'source' | 'patch'): NextSection {
  const fields: string[] = [];
  const next = parseLines(state, { trailingSpace: true, comments: true }, (line) => fields.push(line));
  for (const field of fields) if (field !== '') addSource(state, { kind, field });
  return next;
}

/** Lets Lua see the lists of sources and patches. */
export function publishSources(state: SpecState): void {
  const { lua } = state.context.ports;
  if (lua === undefined) return;
  lua.setSpecLists(() => ({
    sources: state.sources.filter(({ kind }) => kind === 'source'),
    patches: state.sources.filter(({ kind }) => kind === 'patch'),
  }));
}

/** The base name of a URL; behind the last `=` when the last part of the path has one. */
function sourceFileName(url: string): string {
  const slash = url.lastIndexOf('/');
  if (slash < 0) return url;
  const last = url.slice(slash + 1);
  return last.slice(last.lastIndexOf('=') + 1);
}
