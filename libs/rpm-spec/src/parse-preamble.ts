/** The main preamble and %package sections (build/parsePreamble.c). */
import { nearestWord } from '@kiln/diagnostics';
import { LEVEL, trimSpace } from '@kiln/rpm-macro';
import { checkCharacters, NAME_CHARACTERS, SUBNAME_CHARACTERS, VERSION_CHARACTERS } from './characters-allowed.ts';
import { expandPath } from './expand-path.ts';
import { parseDependencies } from './parse-reqs.ts';
import { addSource } from './parse-sources.ts';
import { splitWords, WordError } from './popt.ts';
import { findPreambleTag, PREAMBLE_TAGS, QUALIFIER_BITS, type PreambleTag, type TagMeaning } from './preamble-tags.ts';
import { SECTIONS, sectionOf } from './sections.ts';
import { PackageState, type HeaderTag, type NextSection, type SpecState } from './spec-state.ts';

const STRIP = { trailingSpace: true, comments: true };

/** Tags that a sub-package takes over from the main package (copyTagsDuringParse). */
const INHERITED: readonly HeaderTag[] = [
  'epoch',
  'version',
  'release',
  'license',
  'packager',
  'distribution',
  'disturl',
  'vendor',
  'url',
  'vcs',
  'disttag',
  'bugurl',
  'translationurl',
  'upstreamreleases',
  'group',
  'modularitylabel',
];
const REQUIRED: readonly HeaderTag[] = ['name', 'version', 'release', 'summary', 'license'];
/** Tags of the main package that a macro may give (optionalTags). */
const FROM_MACROS: readonly HeaderTag[] = [
  'vendor',
  'packager',
  'distribution',
  'disturl',
  'disttag',
  'bugurl',
  'translationurl',
  'upstreamreleases',
  'modularitylabel',
];

/** The section after the preamble, or `restart` when BuildArch asks for a second pass. */
export type AfterPreamble = { readonly next: NextSection } | 'restart';

/** Parses the preamble of the main package; the reader stands before its first line. */
export function parseMainPreamble(state: SpecState): AfterPreamble {
  const main = new PackageState({ ...state.reader.location(), line: 1, column: 1 });
  state.packages.push(main);
  const after = parseTags(state, main);
  if (after === 'restart') return after;
  setBuildRoot(state);
  for (const tag of FROM_MACROS) {
    if (main.tags.has(tag)) continue;
    const value = state.context.expand(`%{${tag}}`);
    if (!value.startsWith('%')) main.tags.set(tag, value);
  }
  if (!main.tags.has('group')) main.tags.set('group', 'Unspecified');
  reportDuplicates(state, main);
  checkRequired(state, main, 'the main package');
  return after;
}

/** Parses a %package section, whose header is the current line. */
export function parsePackage(state: SpecState): AfterPreamble {
  const { reader } = state;
  const words = reader.line
    .split(/[ \t\n]+/)
    .filter(Boolean)
    .slice(1);
  const isFullName = words[0] === '-n';
  const name = isFullName ? words[1] : words[0];
  const target = new PackageState(reader.location());
  if (name === undefined || words.length !== (isFullName ? 2 : 1)) {
    const hint = 'Write %package <suffix> or %package -n <name>.';
    state.error('SPEC_SECTION_HEADER', `bad package specification: ${reader.line.trim()}`, { hint });
  } else if (checkCharacters(state, name, isFullName ? NAME_CHARACTERS : SUBNAME_CHARACTERS)) {
    const known = state.lookUp(name, isFullName);
    if (known !== undefined) {
      const message = `package ${known.name} already exists: ${reader.line.trim()}`;
      state.error('SPEC_DUPLICATE_PACKAGE', message, { hint: `The first is at line ${known.location.line}.` });
    } else {
      target.tags.set('name', isFullName ? name : `${state.main.name}-${name}`);
      state.packages.push(target);
    }
  }
  const after = parseTags(state, target);
  if (after === 'restart') return after;
  reportDuplicates(state, target);
  for (const tag of INHERITED) {
    const value = state.main.tags.get(tag);
    if (value === undefined || target.tags.has(tag)) continue;
    target.tags.set(tag, value);
    const origin = state.main.origins.get(tag);
    if (origin !== undefined) target.origins.set(tag, origin);
  }
  if (target.prefixes.length === 0) target.prefixes = state.main.prefixes;
  target.inheritsChangelog = state.changelog.length > 0;
  if (target.tags.has('name')) checkRequired(state, target, `package ${target.name}`);
  return after;
}

function parseTags(state: SpecState, target: PackageState): AfterPreamble {
  const { reader } = state;
  while (reader.next(STRIP)) {
    const section = sectionOf(reader.line);
    if (section !== undefined) return { next: section };
    if (trimSpace(reader.line) === '') continue;
    parseTag(state, target);
    if (state.buildArch !== undefined && !state.recursing) return 'restart';
  }
  return { next: undefined };
}

function parseTag(state: SpecState, target: PackageState): void {
  const { line } = state.reader;
  const found = findPreambleTag(line);
  if (found === undefined) {
    reportUnknownTag(state, line);
    return;
  }
  const { tag, qualifier } = found;
  if (tag.isDeprecated === true) state.report('warning', 'SPEC_DEPRECATED_TAG', `${tag.token} is deprecated: ${line}`);
  const colon = line.indexOf(':');
  const field = trimSpace(line.slice(colon + 1));
  if (colon < 0)
    state.error('SPEC_MALFORMED_TAG', `malformed tag: ${line}`, { hint: 'A colon follows the name of a tag.' });
  else if (field === '') state.error('SPEC_EMPTY_TAG', `empty tag: ${line}`, { hint: 'Give it a value or remove it.' });
  else if (setTag(state, target, { tag, qualifier, field })) {
    if (tag.isMacro !== true) return;
    state.context.push({ name: tag.token, body: field, level: LEVEL.spec, location: state.reader.location() });
    if (target !== state.packages[0]) return;
    const name = tag.token.toUpperCase();
    state.context.push({ name, body: field, level: LEVEL.spec, location: state.reader.location() });
  }
}

function reportUnknownTag(state: SpecState, line: string): void {
  const word = /^\s*(%?[A-Za-z_]*)/.exec(line)![1]!;
  const candidates = word.startsWith('%')
    ? SECTIONS.map(({ name }) => name)
    : PREAMBLE_TAGS.map(({ token }) => token[0]!.toUpperCase() + token.slice(1));
  const nearest = word === '' ? undefined : nearestWord(word, candidates);
  let hint = 'Every line of a preamble is a tag: Name: value.';
  if (/^\s+\S/.test(line)) hint = 'A tag starts in the first column.';
  else if (nearest !== undefined) hint = `Did you mean ${nearest}?`;
  else if (word.startsWith('%')) hint = `The macro ${word} is not defined here; load the macro file that has it.`;
  state.error('SPEC_UNKNOWN_TAG', `unknown tag: ${line.trim()}`, { hint, part: word });
}

interface TagLine {
  readonly tag: PreambleTag;
  readonly qualifier: string;
  readonly field: string;
}

/** Stores the value; false when it is broken (an error says so). */
function setTag(state: SpecState, target: PackageState, { tag, qualifier, field }: TagLine): boolean {
  const { meaning } = tag;
  if ('single' in meaning && meaning.single === true && !isSingleToken(state, field)) return false;
  switch (meaning.kind) {
    case 'header':
      return setHeaderTag(state, target, meaning, { tag, qualifier, field });
    case 'epoch':
      return setEpoch(state, target, field);
    case 'source':
      addSource(state, { kind: meaning.source, field, numberText: state.reader.line.slice(meaning.source.length) });
      return true;
    case 'noSource':
      return leaveOut(state, meaning.source, field);
    case 'dependency': {
      const flags = tag.form === 'qualifiers' ? qualifierBits(state, meaning, qualifier) : 0;
      if (flags === undefined) return false;
      parseDependencies(state, meaning.build === true ? state.source : target, {
        kind: meaning.dependency,
        field,
        flags: flags | (meaning.flags ?? 0),
      });
      return true;
    }
    case 'prefixes':
      return addPrefixes(state, target, field);
    case 'restriction':
      state.restrictions[meaning.list].push(...words(state, field));
      return true;
    case 'buildArch':
      return setBuildArch(state, target, field);
    case 'docdir':
      if (!isSingleToken(state, field)) return false;
      if (!field.startsWith('/')) {
        state.error('SPEC_DOCDIR', `docdir must begin with '/': ${field}`, { part: field });
        return false;
      }
      state.context.pop('_docdir');
      state.context.push({ name: '_docdir', body: field, level: LEVEL.spec, location: state.reader.location() });
      return true;
    case 'sourceLicense':
      state.source.tags.set('license', field);
      return true;
    case 'icon':
      return checkIcon(state, field);
    case 'unsupported':
      state.error('SPEC_UNSUPPORTED_TAG', `rpm knows the tag ${tag.token} but refuses it`, { part: field });
      return false;
    case 'ignored':
      return true;
  }
}

function setHeaderTag(
  state: SpecState,
  target: PackageState,
  meaning: TagMeaning & { readonly kind: 'header' },
  { tag, qualifier, field }: TagLine,
): boolean {
  const name = meaning.tag;
  if (name === 'name' && !checkCharacters(state, field, NAME_CHARACTERS)) return false;
  if ((name === 'version' || name === 'release') && !checkCharacters(state, field, VERSION_CHARACTERS)) return false;
  if (meaning.i18n === true) {
    if (qualifier !== '' && qualifier !== 'C') {
      if (!target.tags.has(name)) target.tags.set(name, '');
      return true;
    }
    if (target.ownTags.has(name)) state.report('warning', 'SPEC_DUPLICATE_TAG', `second ${tag.token}: ${field}`);
  } else if (target.tags.has(name) && target.ownTags.has(name)) {
    return noteDuplicate(state, target, tag.token, field);
  }
  target.tags.set(name, field);
  target.ownTags.add(name);
  target.origins.set(name, state.reader.origin(field));
  return true;
}

function addPrefixes(state: SpecState, target: PackageState, field: string): boolean {
  target.prefixes = [...target.prefixes, ...words(state, field)];
  if (!target.prefixes.some((prefix) => prefix.length > 1 && prefix.endsWith('/'))) return true;
  state.error('SPEC_PREFIX', `prefixes must not end with "/": ${field}`, { part: field });
  return false;
}

/** rpm judges duplicates at the end of the preamble, which the first pass of a spec with BuildArch does not reach. */
function noteDuplicate(state: SpecState, target: PackageState, token: string, field: string): true {
  const message = `duplicate ${token} in ${target.name || 'the main package'}: ${field}`;
  const hint = 'Remove one of them.';
  target.duplicates.push(state.reader.diagnostic('error', 'SPEC_DUPLICATE_TAG', message, { hint }));
  return true;
}

function reportDuplicates(state: SpecState, target: PackageState): void {
  if (target.duplicates.length > 0) state.failed = true;
  state.context.diagnostics.push(...target.duplicates);
}

function setEpoch(state: SpecState, target: PackageState, field: string): boolean {
  if (!isSingleToken(state, field)) return false;
  if (!/^\d+$/.test(field) || Number(field) > 0xffffffff) {
    state.error('SPEC_EPOCH', `epoch field must be an unsigned number: ${field}`, { part: field });
    return false;
  }
  if (target.ownTags.has('epoch')) return noteDuplicate(state, target, 'epoch', field);
  target.tags.set('epoch', String(Number(field)));
  target.ownTags.add('epoch');
  target.origins.set('epoch', state.reader.origin(field));
  return true;
}

function setBuildArch(state: SpecState, target: PackageState, field: string): boolean {
  const names = words(state, field);
  if (target !== state.packages[0]) {
    if (names.length !== 1 || names[0] !== 'noarch') {
      const hint = 'Only BuildArch: noarch is possible in a %package section.';
      state.error('SPEC_BUILD_ARCH', `only noarch subpackages are supported: ${field}`, { part: field, hint });
      return false;
    }
    if (target.arch !== undefined) return noteDuplicate(state, target, 'buildarch', field);
    target.arch = 'noarch';
    return true;
  }
  if (state.buildArch !== undefined) {
    state.error('SPEC_BUILD_ARCH', `duplicate BuildArch entry: ${field}`);
    return false;
  }
  state.buildArch = names;
  return true;
}

/** An icon is read while parsing; without a file port nobody can tell. */
function checkIcon(state: SpecState, field: string): boolean {
  if (state.context.ports.readFile === undefined) return true;
  const icon = state.context.readFile(expandPath(state.context, `%{_sourcedir}/${field}`));
  if (icon !== undefined && (icon === '' || icon.startsWith('GIF') || icon.startsWith('/* XPM'))) return true;
  const message = icon === undefined ? `unable to open icon ${field}` : `unknown icon type: ${field}`;
  state.error('SPEC_ICON', message, { part: field });
  return false;
}

/** NoSource and NoPatch. rpm reads its list from each number to the end, so that only one number passes. */
function leaveOut(state: SpecState, kind: 'source' | 'patch', field: string): boolean {
  const text = field.replace(/^[ \t-\r,]+/, '');
  if (text === '') return true;
  const number = /^\d+$/.test(text) ? Number(text) : undefined;
  const at = state.sources.findIndex((source) => source.kind === kind && source.number === number);
  if (at >= 0) {
    state.sources[at] = { ...state.sources[at]!, isLeftOut: true };
    return true;
  }
  const hint = 'Give the number of one tag; repeat the line for others.';
  state.error('SPEC_NO_SOURCE', `bad no${kind} number: ${field}`, { part: field, hint });
  return false;
}

function qualifierBits(state: SpecState, meaning: TagMeaning, qualifier: string): number | undefined {
  if (qualifier === '' || !('qualified' in meaning)) return 0;
  let flags = 0;
  for (const word of qualifier.split(',')) {
    const bit = QUALIFIER_BITS[word];
    if (bit === undefined) {
      const nearest = nearestWord(word, Object.keys(QUALIFIER_BITS));
      const hint =
        nearest === undefined ? `Known ones: ${Object.keys(QUALIFIER_BITS).join(', ')}.` : `Did you mean ${nearest}?`;
      state.error('SPEC_QUALIFIER', `bad qualifiers: ${qualifier}`, { part: qualifier, hint });
      return undefined;
    }
    flags |= bit;
  }
  return flags;
}

function isSingleToken(state: SpecState, field: string): boolean {
  if (!/[ \t-\r]/.test(field)) return true;
  state.error('SPEC_SINGLE_TOKEN', `tag takes single token only: ${state.reader.line.trim()}`, { part: field });
  return false;
}

function words(state: SpecState, field: string): string[] {
  try {
    return splitWords(field);
  } catch (error) {
    if (!(error instanceof WordError)) throw error;
    state.error('SPEC_MALFORMED_TAG', `${error.message} in: ${field}`, { part: field });
    return [];
  }
}

/** From here on %{buildroot} knows the name and version of the main package. */
function setBuildRoot(state: SpecState): void {
  const body = expandPath(state.context, state.buildRoot);
  state.context.push({ name: 'buildroot', body, level: LEVEL.spec });
  if (body !== '' && body !== '/') return;
  const hint = 'Do not define %buildroot, or define it as a directory of its own.';
  state.reader.fail('SPEC_BUILD_ROOT', body === '' ? '%{buildroot} is empty' : '%{buildroot} is /', { hint });
}

function checkRequired(state: SpecState, target: PackageState, what: string): void {
  for (const tag of REQUIRED) {
    if (target.tags.has(tag)) continue;
    const field = tag[0]!.toUpperCase() + tag.slice(1);
    state.failed = true;
    state.context.diagnostics.push({
      severity: 'error',
      code: 'SPEC_MISSING_TAG',
      message: `${field} field must be present in ${what}`,
      location: target.location,
      hint: `Add ${field}: to the preamble.`,
    });
  }
}
