/** %prep: turns %setup and %patch lines into commands (build/parsePrep.c). */
import { LEVEL } from '@kiln/rpm-macro';
import { expandPath } from './expand-path.ts';
import { parseLines } from './parse-lines.ts';
import { optionNumber, optionValue, parseOptions, splitWords, WordError } from './popt.ts';
import type { NextSection, SourceState, SpecState } from './spec-state.ts';

/** Parses %prep. Its lines are all read before the first %setup acts, so the next section's header does not see buildsubdir. */
export function parsePrep(state: SpecState): NextSection {
  if (state.isSecond('%prep')) return parseLines(state, { parsed: true }, () => undefined);
  const lines: string[] = [];
  const next = parseLines(state, { parsed: true }, (line) => lines.push(line));
  for (const line of lines) {
    if (line.startsWith('%setup')) doSetup(state, line);
    else if (line.startsWith('%patch')) doPatch(state, line);
    else state.reader.append(line);
  }
  return next;
}

/** Reports what breaks a build but not a query. */
function report(state: SpecState, message: string, hint?: string): void {
  state.report('error', 'SPEC_PREP', message, hint === undefined ? {} : { hint });
}

function doSetup(state: SpecState, line: string): void {
  const { context, reader } = state;
  const quiet = line.slice(6).includes(' -q');
  const words = tryWords(line);
  if (words === undefined) return report(state, `error parsing %setup: ${line.trim()}`);
  if (context.expandNumeric('%{_build_in_place}') !== 0) return;
  const parsed = parseOptions(words, { flags: 'cDTq', valued: 'abn' });
  if (parsed.bad !== undefined) return report(state, `bad %setup option ${parsed.bad}: ${line.trim()}`);
  let [before, after] = ['', ''];
  for (const { letter, value } of parsed.options) {
    if (letter !== 'a' && letter !== 'b') continue;
    const unpack = untar(state, Number(/^[ \t-\r]*\d+$/.test(value ?? '') ? value : Number.NaN), quiet);
    if (unpack === undefined) return report(state, `bad argument to %setup: -${letter} ${value}`);
    if (letter === 'a') after += `${unpack}\n`;
    else before += `${unpack}\n`;
  }
  const directory = optionValue(parsed, 'n') ?? `${state.main.name}-${state.main.tags.get('version')}`;
  context.push({ name: 'buildsubdir', body: directory, level: LEVEL.spec, location: reader.location() });

  const has = (letter: string): boolean => parsed.options.some((option) => option.letter === letter);
  reader.append(`cd '${expandPath(context, '%{_builddir}')}'\n`);
  if (!has('D')) reader.append(`${context.expand("rm -rf '%{buildsubdir}'")}\n`);
  reader.append(before);
  const enter = context.expand("cd '%{buildsubdir}'");
  if (has('c')) reader.append(`${context.expand("%{__mkdir_p} '%{buildsubdir}'")}\n${enter}\n`);
  if (!has('T')) {
    const unpack = untar(state, 0, quiet);
    if (unpack === undefined) return report(state, 'no source number 0', 'Add a Source tag, or give %setup -T.');
    reader.append(`${unpack}\n`);
  }
  if (!has('c')) reader.append(`${enter}\n`);
  reader.append(after);
  const fix = context.expand('%{_fixperms} .');
  if (fix !== '' && !fix.startsWith('%')) reader.append(`${fix}\n`);
}

function untar(state: SpecState, number: number, quiet: boolean): string | undefined {
  const source = findSource(state, 'source', number);
  if (source === undefined) return undefined;
  const file = state.context.dialect.quotesUnpackedSources ? `%{shescape:${source.path}}` : source.path;
  const command = state.context.expand(`%{__rpmuncompress} -x ${quiet ? '' : '-v '}${file}`);
  return `${command}\nSTATUS=$?\nif [ $STATUS -ne 0 ]; then\n  exit $STATUS\nfi`;
}

/** `%patchN`, `%patch -P N`, `%patch N`, with the options of patch(1). */
function doPatch(state: SpecState, line: string): void {
  const asOption = /^%patch[ \t\n]/.test(line) || line === '%patch' ? line : `%patch -P ${line.slice(6)}`;
  const words = tryWords(asOption);
  if (words === undefined) return report(state, `error parsing %patch: ${line.trim()}`);
  const parsed = parseOptions(words, { flags: 'REZ', valued: 'Pbzdo', numbers: 'pF' });
  if (parsed.bad !== undefined) return report(state, `bad %patch option ${parsed.bad}: ${line.trim()}`);
  const numbers = [
    ...parsed.options.flatMap(({ letter, value }) => (letter === 'P' && value !== undefined ? [value] : [])),
    ...parsed.operands,
  ];
  if (numbers.length === 0) {
    state.report('warning', 'SPEC_PREP', `patch number not specified: ${line.trim()}`);
    numbers.push('0');
  }
  const flags = patchFlags(state, parsed);
  for (const text of numbers) {
    const patch = /^\d+$/.test(text) ? findSource(state, 'patch', Number(text)) : undefined;
    if (patch === undefined) {
      const known = state.sources.filter(({ kind }) => kind === 'patch').map(({ number }) => number);
      const hint = known.length === 0 ? 'The spec has no Patch tag.' : `Patches: ${known.join(', ')}.`;
      return report(state, `no patch number ${text}: ${line.trim()}`, hint);
    }
    state.reader.append(patchCommands(state, patch, flags));
  }
}

function patchFlags(state: SpecState, parsed: ReturnType<typeof parseOptions>): string {
  const { context } = state;
  const has = (letter: string): boolean => parsed.options.some((option) => option.letter === letter);
  const suffix = parsed.options.findLast(({ letter }) => letter === 'b' || letter === 'z')?.value;
  const fuzz = optionNumber(parsed, 'F') ?? context.expandNumeric('%{_default_patch_fuzz}');
  const directory = optionValue(parsed, 'd');
  const output = optionValue(parsed, 'o');
  return [
    `${context.expand('%{?_default_patch_flags}')} -p${optionNumber(parsed, 'p') ?? 0} `,
    suffix === undefined ? '' : `-b --suffix ${suffix}`,
    fuzz >= 0 ? ` --fuzz=${fuzz}` : '',
    directory === undefined ? '' : ` -d ${directory}`,
    output === undefined ? '' : ` -o ${output}`,
    has('R') ? ' -R' : '',
    has('E') ? ' -E' : '',
    has('Z') ? ' -Z' : '',
  ].join('');
}

function patchCommands(state: SpecState, { number, fileName, path }: SourceState, flags: string): string {
  const { context } = state;
  // Whether a patch is compressed is a question to its content, which evaluation does not read: the name answers it.
  const isPlain = context.exists(path) && !/\.(gz|bz2|xz|zst|lzma|lz|Z|zip)$/.test(fileName);
  const command = isPlain
    ? context.expand(`%{__patch} ${flags} < ${path}`)
    : context.expand(`{ %{__rpmuncompress} ${path} || echo patch_fail ; } | %{__patch} ${flags}`);
  return `echo "Patch #${number} (${fileName}):"\n${command}\n\n`;
}

function findSource(state: SpecState, kind: 'source' | 'patch', number: number): SourceState | undefined {
  return state.sourceNumbers[kind].known.get(number);
}

function tryWords(line: string): string[] | undefined {
  try {
    return splitWords(line);
  } catch (error) {
    if (error instanceof WordError) return undefined;
    throw error;
  }
}
