/** What the headers of an evaluated spec hold beyond the facts, in the form in which a query of rpm gives it. */
import {
  formatEvr,
  senseOf,
  type BinaryPackage,
  type Scriptlet,
  type SourcePackage,
  type Trigger,
} from '@kiln/rpm-package';
import type { ChangelogEntry, EvaluatedSpec } from '@kiln/rpm-spec';

/** One header: tag to its values, in lower case; tags without values are left out. */
export type HeaderFacts = Readonly<Record<string, readonly string[]>>;

/** The header of the source package, then those of all packages. */
export interface SpecHeaders {
  readonly source: HeaderFacts;
  readonly packages: readonly HeaderFacts[];
}

/** The tags that are compared, one list of each. */
export const HEADER_TAGS = [
  ...['summary', 'description', 'group', 'url', 'vendor', 'packager', 'distribution', 'disturl', 'disttag', 'vcs'],
  ...['bugurl', 'translationurl', 'upstreamreleases', 'modularitylabel', 'prefixes'],
  ...['changelogtime', 'changelogname', 'changelogtext', 'ordername', 'orderversion', 'orderflags'],
  ...['nosource', 'nopatch', 'exclusiveos', 'excludeos'],
  ...['prein', 'postin', 'preun', 'postun', 'pretrans', 'posttrans', 'verifyscript'].flatMap((tag) => [
    tag,
    `${tag}prog`,
    `${tag}flags`,
  ]),
  ...['trigger', 'filetrigger', 'transfiletrigger'].flatMap((tag) => [
    `${tag}name`,
    `${tag}version`,
    `${tag}flags`,
    `${tag}index`,
  ]),
] as const;

/** Undefined when the spec is unusable. */
export function headerFactsOf({ sourcePackage, changelog }: EvaluatedSpec): SpecHeaders | undefined {
  if (sourcePackage === undefined) return undefined;
  const { packages } = sourcePackage;
  return {
    source: sourceHeader(sourcePackage, changelog),
    packages: packages.map((binary, index) =>
      withoutEmpty({
        ...texts(binary),
        ...(index === 0 || binary.inheritsChangelog === true ? changelogTags(changelog) : {}),
        prefixes: binary.prefixes ?? [],
        ordername: binary.orderWithRequires.map(({ name }) => name),
        orderversion: binary.orderWithRequires.map(evrText),
        orderflags: binary.orderWithRequires.map((dependency) => String(senseOf(dependency))),
        ...Object.assign({}, ...binary.scriptlets.map(scriptletTags)),
        ...triggerTags('trigger', binary.triggers),
        ...triggerTags('filetrigger', binary.triggers),
        ...triggerTags('transfiletrigger', binary.triggers),
      }),
    ),
  };
}

function sourceHeader(source: SourcePackage, changelog: readonly ChangelogEntry[]): HeaderFacts {
  const numbers = (kind: 'source' | 'patch'): string[] =>
    source.sources
      .filter((file) => file.kind === kind && file.isLeftOut === true)
      .map(({ number }) => String(number))
      .reverse();
  return withoutEmpty({
    ...texts(source.packages[0]!),
    ...changelogTags(changelog),
    exclusiveos: source.exclusiveOs,
    excludeos: source.excludeOs,
    nosource: numbers('source'),
    nopatch: numbers('patch'),
  });
}

function texts({ summary, description, group, url, otherTags = {} }: BinaryPackage): Record<string, string[]> {
  const one = (value: string | undefined): string[] => (value === undefined ? [] : [value]);
  const others = Object.entries(otherTags).map(([tag, value]) => [tag, [value]] as const);
  return {
    ...{ summary: [summary], description: [description], group: one(group), url: one(url) },
    ...Object.fromEntries(others),
  };
}

function changelogTags(changelog: readonly ChangelogEntry[]): Record<string, string[]> {
  return {
    changelogtime: changelog.map(({ time }) => String(time)),
    changelogname: changelog.map(({ name }) => name),
    changelogtext: changelog.map(({ text }) => text),
  };
}

const TAGS: Readonly<Record<string, string>> = { pre: 'prein', post: 'postin' };

function scriptletTags({ when, interpreter, text, expands }: Scriptlet): Record<string, readonly string[]> {
  const tag = TAGS[when] ?? when;
  const flags = (expands?.includes('macros') === true ? 1 : 0) | (expands?.includes('tags') === true ? 2 : 0);
  return {
    [tag]: text === '' ? [] : [text],
    [`${tag}prog`]: interpreter,
    [`${tag}flags`]: flags === 0 ? [] : [String(flags)],
  };
}

const EVENTS: readonly (readonly [end: string, bit: number])[] = [
  ['prein', 1 << 25],
  ['postun', 1 << 18],
  ['un', 1 << 17],
  ['in', 1 << 16],
];

/** The conditions of all triggers of a kind in one sorted list; `index` counts the triggers. */
function triggerTags(kind: string, all: readonly Trigger[]): Record<string, string[]> {
  const triggers = all.filter(({ when }) => when.startsWith(kind));
  const rows = triggers.flatMap(({ when, conditions }, index) => {
    const bit = EVENTS.find(([end]) => when.endsWith(end))![1];
    return conditions.map((condition) => ({
      ...{ name: condition.name, version: evrText(condition), flags: senseOf(condition) | bit, index },
    }));
  });
  const compareText = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
  rows.sort(
    (a, b) =>
      compareText(a.name, b.name) || compareText(a.version, b.version) || a.flags - b.flags || a.index - b.index,
  );
  const unique = rows.filter((row, at) => JSON.stringify(row) !== JSON.stringify(rows[at - 1]));
  return Object.fromEntries(
    (['name', 'version', 'flags', 'index'] as const).map((field) => [
      `${kind}${field}`,
      unique.map((row) => String(row[field])),
    ]),
  );
}

function evrText({ evr, evrText: written }: BinaryPackage['requires'][number]): string {
  return written ?? (evr === undefined ? '' : formatEvr(evr));
}

function withoutEmpty(header: Record<string, readonly string[]>): HeaderFacts {
  return Object.fromEntries(Object.entries(header).filter(([, values]) => values.length > 0));
}
