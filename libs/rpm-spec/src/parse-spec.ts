/** The sections of a spec in order, and the second pass that BuildArch asks for (parseSpec, build/parseSpec.c). */
import { LEVEL, trimSpace, type MacroContext } from '@kiln/rpm-macro';
import { expandPath } from './expand-path.ts';
import { parseChangelog } from './parse-changelog.ts';
import { parseLines, parseText } from './parse-lines.ts';
import { parseMainPreamble, parsePackage } from './parse-preamble.ts';
import { parsePrep } from './parse-prep.ts';
import { parseScript } from './parse-script.ts';
import { parseSourceList, publishSources } from './parse-sources.ts';
import { SpecReader } from './read-line.ts';
import { optionValue } from './popt.ts';
import { parseSectionHeader } from './section-header.ts';
import type { Section, SectionKind } from './sections.ts';
import { SpecState, type NextSection } from './spec-state.ts';

export interface SpecText {
  readonly file: string;
  readonly text: string;
  readonly targetArch: string;
  /** Told of the state before parsing begins: built-in macros look into it. */
  readonly onStart: (state: SpecState) => void;
}

/** Parses a spec; throws SpecError where rpm gives up. */
export function parseSpec(context: MacroContext, spec: SpecText, recursing = false): SpecState {
  const reader = new SpecReader(context, spec.file, spec.text);
  const state = new SpecState(context, reader, recursing);
  spec.onStart(state);
  publishSources(state);
  state.buildRoot = expandPath(context, '%{?buildroot:%{buildroot}}');
  context.push({ name: '_docdir', body: '%{_defaultdocdir}', level: LEVEL.spec });
  context.push({ name: '_licensedir', body: '%{_defaultlicensedir}', level: LEVEL.spec });

  let after = parseMainPreamble(state);
  let section: NextSection;
  while (after !== 'restart') {
    const previous = section;
    section = after.next;
    if (section === undefined) break;
    after =
      section.kind === 'package'
        ? parsePackage(state)
        : { next: SECTION_PARSERS[section.kind](state, section, previous) };
  }
  reader.close();
  if (after === 'restart') return parseForBuildArch(context, spec, state);
  checkDescriptions(state);
  return state;
}

/** Parses again from the start for each architecture of BuildArch; macros of the first pass stay. The first one counts. */
function parseForBuildArch(context: MacroContext, spec: SpecText, state: SpecState): SpecState {
  const compatible = state.buildArch!.filter((arch) => arch === 'noarch' || arch === spec.targetArch);
  let first: SpecState | undefined;
  for (const arch of compatible) {
    context.push({ name: '_target_cpu', body: arch, level: LEVEL.rpmrc });
    const parsed = parseSpec(context, spec, true);
    first ??= parsed;
    if (state.failed) parsed.failed = true;
    finishPackages(parsed);
    context.pop('_target_cpu');
  }
  if (first !== undefined) return first;
  const hint = `BuildArch names architectures of one build; ${spec.targetArch} and noarch are possible.`;
  return state.reader.fail('SPEC_BUILD_ARCH', 'no compatible architectures found for build', { hint });
}

/** Gives each package that has none the architecture that is being built for. */
export function finishPackages(state: SpecState): void {
  const arch = state.context.expand('%{_target_cpu}');
  for (const target of state.packages) target.arch ??= arch;
}

type SectionParser = (state: SpecState, section: Section, previous: NextSection) => NextSection;

const SECTION_PARSERS: Readonly<Record<Exclude<SectionKind, 'package'>, SectionParser>> = {
  prep: (state) => parsePrep(state),
  script: (state, section) => {
    state.isSecond(section.name);
    return parseText(state, {}).next;
  },
  scriptlet: parseScript,
  trigger: parseScript,
  files: parseFiles,
  changelog: (state) => parseChangelog(state),
  description: parseDescription,
  policies: (state) => {
    parseSectionHeader(state, state.reader.line, { valued: 'n' });
    return parseText(state, { trailingSpace: true, comments: true }).next;
  },
  sourceList: (state, section) => parseSourceList(state, section.name === '%patchlist' ? 'patch' : 'source'),
  end: parseEnd,
};

/** %files: it makes the package one that is built; %license is a directive in it. */
function parseFiles(state: SpecState): NextSection {
  const { context, reader } = state;
  context.push({ name: 'license', body: '%license', level: LEVEL.spec, literal: true });
  const header = parseSectionHeader(state, reader.line, { valued: 'nf' });
  if (header?.target.hasFiles === true) {
    state.report('warning', 'SPEC_DUPLICATE_FILES', `multiple %files for package '${header.target.name}'`);
  }
  if (header !== undefined) header.target.hasFiles = true;
  const next = parseLines(state, { comments: true }, () => undefined);
  context.pop('license');
  return next;
}

function parseDescription(state: SpecState): NextSection {
  const header = parseSectionHeader(state, state.reader.line, { valued: 'nl' });
  const language = header === undefined ? undefined : optionValue(header.options, 'l');
  if (header?.target.tags.has('description') === true && language === undefined) {
    state.report('warning', 'SPEC_DUPLICATE_TAG', `second %description for package '${header.target.name}'`);
  }
  const { text, next } = parseText(state, { trailingSpace: true, comments: true });
  if (language === undefined || language === 'C') header?.target.tags.set('description', text);
  else if (header?.target.tags.has('description') === false) header.target.tags.set('description', '');
  return next;
}

/** %end closes a section; nothing but blank lines and the next section may follow. */
function parseEnd(state: SpecState, _section: Section, previous: NextSection): NextSection {
  const { line } = state.reader;
  if (trimSpace(line.slice('%end'.length)) !== '')
    state.error('SPEC_END', `%end doesn't take any arguments: ${line.trim()}`);
  if (previous?.kind === 'end') state.error('SPEC_END', '%end not expected here, no section to close');
  return parseLines(state, { trailingSpace: true, comments: true }, (text) => {
    if (trimSpace(text) !== '') state.error('SPEC_END', `line doesn't belong to any section: ${text.trim()}`);
  });
}

function checkDescriptions(state: SpecState): void {
  for (const target of state.packages) {
    if (target.tags.has('description')) continue;
    state.failed = true;
    state.context.diagnostics.push({
      severity: 'error',
      code: 'SPEC_NO_DESCRIPTION',
      message: `package has no %description: ${target.name}`,
      location: target.location,
      hint: target === state.main ? 'Add a %description section.' : 'Add a %description section for the package.',
    });
  }
}
