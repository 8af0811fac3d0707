/** A new release of a spec: the Release goes up by one, the changelog says why; everything else stays as it is. */
import { BuildError, type SourceLocation } from '@kiln/diagnostics';
import { formatEvr, vercmp, type SourcePackage } from '@kiln/rpm-package';
import { evaluateSpec, type EvaluateSpecOptions, type EvaluatedSpec } from './evaluate-spec.ts';
import {
  parse,
  walk,
  type DefinitionNode,
  type SectionNode,
  type SourceRange,
  type SpecNode,
  type TagNode,
} from './spec-tree.ts';

export interface BumpEntry {
  /** Seconds since the epoch; the day in UTC counts. */
  readonly time: number;
  /** `Name <address>`. */
  readonly author: string;
  /** Each becomes a line of its own. */
  readonly messages: readonly string[];
}

export interface BumpedSpec {
  readonly text: string;
  /** Version-release before and after. */
  readonly before: string;
  readonly after: string;
}

/**
 * Raises the number that a Release begins with, where it is written: in the tag or in the definition of the macro that the tag begins with.
 * The result is evaluated: only the release may differ, and must be newer.
 * @throws BuildError `SPEC_UNUSABLE`, or `BUMP_UNCLEAR` with the place when the number can't be found or changes something else.
 */
export function bumpSpec(options: EvaluateSpecOptions, entry: BumpEntry): BumpedSpec {
  const old = evaluated(options);
  const nodes = [...walk(parse(options.text).children)];
  const number = releaseNumber(options, nodes, old.sourcePackage);
  const raised = replace(options.text, number, String(BigInt(options.text.slice(number.start, number.end)) + 1n));
  const { sourcePackage } = evaluated({ ...options, text: raised });
  if (!isNewRelease(old.sourcePackage, sourcePackage)) {
    throw unclear(
      `raising the number makes ${formatEvr(sourcePackage.evr)} of ${formatEvr(old.sourcePackage.evr)}`,
      locate(options, number.start),
    );
  }
  const text = withEntry(raised, { options, old, source: sourcePackage, entry });
  return { text, before: formatEvr(old.sourcePackage.evr), after: formatEvr(sourcePackage.evr) };
}

type Usable = EvaluatedSpec & { readonly sourcePackage: SourcePackage };

function evaluated(options: EvaluateSpecOptions): Usable {
  const result = evaluateSpec({ ...options, explainMacros: ['dist'] });
  const { sourcePackage, diagnostics } = result;
  if (sourcePackage !== undefined) return { ...result, sourcePackage };
  throw new BuildError('SPEC_UNUSABLE', `${options.file} can't be evaluated`, { diagnostics: [...diagnostics] });
}

function isNewRelease(before: SourcePackage, after: SourcePackage): boolean {
  const same =
    before.name === after.name && before.evr.version === after.evr.version && before.evr.epoch === after.evr.epoch;
  return same && vercmp(after.evr.release ?? '', before.evr.release ?? '') > 0;
}

/** Where the number of the release is written. */
function releaseNumber(options: EvaluateSpecOptions, nodes: readonly SpecNode[], source: SourcePackage): SourceRange {
  const origin = source.packages[0]?.origins?.['release'];
  const location = origin ?? source.location;
  const tag = nodes.find(
    (node): node is TagNode => node.kind === 'tag' && /^release$/i.test(node.name) && isAt(options, node, location),
  );
  if (tag === undefined) throw unclear('no line of the spec itself sets the Release that counts', location);
  return numberAt(options, nodes, { ...tag.valueRange, seen: new Set() });
}

interface Written extends SourceRange {
  /** Macros on the way here. */
  readonly seen: ReadonlySet<string>;
}

function numberAt(options: EvaluateSpecOptions, nodes: readonly SpecNode[], written: Written): SourceRange {
  const value = options.text.slice(written.start, written.end);
  // A release that begins with `0.` is one before the first: its second number counts.
  const digits = /^(0\.)?(\d+)/.exec(value);
  if (digits !== null) {
    const start = written.start + (digits[1]?.length ?? 0);
    return { start, end: start + digits[2]!.length };
  }
  const name = /^%\{?(\w+)/.exec(value)?.[1];
  const body = name === undefined || written.seen.has(name) ? undefined : definitionBody(options, nodes, name);
  if (body === undefined)
    throw unclear(
      `the Release begins with '${value.slice(0, 40)}', which is no number`,
      locate(options, written.start),
    );
  return numberAt(options, nodes, { ...body, seen: new Set([...written.seen, name!]) });
}

/** The body of the definition that counts at the end of the spec, when the spec itself has it. */
function definitionBody(
  options: EvaluateSpecOptions,
  nodes: readonly SpecNode[],
  name: string,
): SourceRange | undefined {
  const [macro] = evaluateSpec({ ...options, explainMacros: [name] }).explainedMacros;
  const location = macro?.definitions[0]?.location;
  const node = nodes.find(
    (one): one is DefinitionNode =>
      one.kind === 'definition' && one.name === name && location !== undefined && isAt(options, one, location),
  );
  if (node === undefined) return undefined;
  const head = /^\s*%\w+[ \t]+\w+(\([^)]*\))?[ \t]+/.exec(node.raw);
  return head === null
    ? undefined
    : { start: node.start + head[0].length, end: node.start + node.raw.trimEnd().length };
}

interface NewEntry {
  readonly options: EvaluateSpecOptions;
  readonly old: Usable;
  readonly source: SourcePackage;
  readonly entry: BumpEntry;
}

/** Puts the entry below `%changelog`, in the form of the newest one; a spec without changelog stays without. */
function withEntry(text: string, { old, source, entry }: NewEntry): string {
  const section = [...walk(parse(text).children)].find(
    (node): node is SectionNode => node.kind === 'section' && node.name === '%changelog',
  );
  if (section === undefined) return text;
  const rest = text.slice(section.end);
  if (/^\s*%\{?\??autochangelog/.test(rest)) return text;
  const newest = /^\*.*$/m.exec(rest)?.[0];
  const header = [`* ${changelogDay(Math.max(entry.time, old.changelog[0]?.time ?? 0))} ${entry.author}`];
  const version = versionText(old, source);
  if (newest === undefined || / - \S+$/.test(newest)) header.push('-', version);
  else if (/> \S+$/.test(newest)) header.push(version);
  const lines = [header.join(' '), ...entry.messages.map((message) => `- ${message}`)];
  const before = section.raw.endsWith('\n') ? '' : '\n';
  return `${text.slice(0, section.end)}${before}${lines.join('\n')}\n${rest.trim() === '' ? '' : '\n'}${rest.replace(/^\n+/, '')}`;
}

/** Epoch, version and release without the distribution's suffix. */
function versionText({ explainedMacros }: Usable, { evr }: SourcePackage): string {
  const dist = explainedMacros[0]?.value ?? '';
  const release = evr.release ?? '';
  const own = dist !== '' && release.endsWith(dist) ? release.slice(0, -dist.length) : release;
  return formatEvr({ ...evr, release: own });
}

/** `Sat Nov 21 2026`, as rpm wants it. */
function changelogDay(time: number): string {
  const [weekday, day, month, year] = new Date(time * 1000).toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${day} ${year}`;
}

function isAt({ file, text }: EvaluateSpecOptions, node: SourceRange, location: SourceLocation): boolean {
  if (location.file !== file) return false;
  const first = text.slice(0, node.start).split('\n').length;
  return location.line >= first && location.line < first + text.slice(node.start, node.end).split('\n').length;
}

function locate({ file, text }: EvaluateSpecOptions, offset: number): SourceLocation {
  return { file, line: text.slice(0, offset).split('\n').length };
}

function replace(text: string, { start, end }: SourceRange, by: string): string {
  return text.slice(0, start) + by + text.slice(end);
}

function unclear(message: string, location: SourceLocation): BuildError {
  return new BuildError('BUMP_UNCLEAR', message, { location, hint: 'raise the Release by hand' });
}
