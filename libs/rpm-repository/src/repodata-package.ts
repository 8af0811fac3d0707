/** A package as `primary` and `filelists` describe it. */
import type { Dependency, DependencyOperator, Evr } from '@kiln/rpm-package';
import { SENSE } from '@kiln/rpm-package';
import { malformedRepodata } from './repodata-error.ts';
import type { Checksum } from './repodata-source.ts';
import { attributeOf, childOf, naturalNumber, requiredChild, type XmlElement } from './repodata-xml.ts';
import { locationBelow, parseChecksum } from './repomd.ts';

/** The kinds of dependencies in rpm-md, by their element names. */
export interface RepodataDependencies {
  readonly provides: readonly Dependency[];
  /** A requirement that must hold before a script of the package runs has the sense bit `prereq`; the metadata don't say which. */
  readonly requires: readonly Dependency[];
  readonly conflicts: readonly Dependency[];
  readonly obsoletes: readonly Dependency[];
  readonly recommends: readonly Dependency[];
  readonly suggests: readonly Dependency[];
  readonly supplements: readonly Dependency[];
  readonly enhances: readonly Dependency[];
}

/** The files of a package; `ghosts` and `directories` are among `files`. */
export interface RepodataFiles {
  readonly files: readonly string[];
  readonly directories: readonly string[];
  readonly ghosts: readonly string[];
}

/**
 * What rpm-md says of a package; plain data. createrepo_c leaves out requirements of rpm's own features (`rpmlib(…)`) and those that the
 * package satisfies itself, and of several on `libc.so.6(…)` all but one. An epoch of 0 is none. `files` are those of `primary` alone
 * (programs, `/etc`) unless the file lists were read too.
 */
export interface RepodataPackage extends RepodataDependencies, RepodataFiles {
  readonly name: string;
  readonly evr: Evr;
  /** `src` for source packages. */
  readonly arch: string;
  /** Of the whole RPM file. */
  readonly checksum: Checksum;
  /** Path below the repository, or below `base` when that is there. */
  readonly path: string;
  /** Address of the place where the package is, when that isn't the repository. */
  readonly base?: string;
  readonly summary: string;
  readonly description: string;
  readonly license: string;
  readonly url?: string;
  readonly packager?: string;
  readonly vendor?: string;
  readonly group?: string;
  readonly buildHost?: string;
  /** File name of the source RPM; absent for source packages. */
  readonly sourceRpm?: string;
  /** Seconds since the epoch. */
  readonly buildTime: number;
  /** Of the RPM file, seconds since the epoch. */
  readonly fileTime: number;
  /** Bytes of the RPM file, of the installed files, of the unpacked payload. */
  readonly size: { readonly package: number; readonly installed: number; readonly archive: number };
  /** Where the RPM's header is in its file; `end` is exclusive. */
  readonly headerRange: { readonly start: number; readonly end: number };
}

const OPERATORS: ReadonlyMap<string, DependencyOperator> = new Map([
  ['EQ', '='],
  ['LT', '<'],
  ['LE', '<='],
  ['GT', '>'],
  ['GE', '>='],
]);

/** One `<package>` of `primary`; `file` names the document in errors. @throws BuildError `REPODATA_MALFORMED`, `REPODATA_PATH_OUTSIDE` */
export function parsePrimaryPackage(element: XmlElement, file: string): RepodataPackage {
  const child = (name: string) => requiredChild(element, name, file);
  const format = child('format');
  const number = (parent: XmlElement, name: string) => naturalNumber(attributeOf(parent, name, file), parent, file);
  const [place, time, size, range] = [
    child('location'),
    child('time'),
    child('size'),
    requiredChild(format, 'header-range', file),
  ];
  const base = place.attributes['xml:base'];
  const name = child('name').text;
  if (name === '') throw malformedRepodata({ file, line: element.line }, 'a package has no name');
  return {
    name,
    evr: parsePackageEvr(child('version'), file),
    arch: child('arch').text,
    checksum: parseChecksum(child('checksum'), file),
    path: locationBelow(place, file),
    ...(base === undefined ? {} : { base }),
    summary: textOf(element, 'summary') ?? '',
    description: textOf(element, 'description') ?? '',
    license: textOf(format, 'license') ?? '',
    ...given({
      url: textOf(element, 'url'),
      packager: textOf(element, 'packager'),
      vendor: textOf(format, 'vendor'),
      group: textOf(format, 'group'),
      buildHost: textOf(format, 'buildhost'),
      sourceRpm: textOf(format, 'sourcerpm'),
    }),
    buildTime: number(time, 'build'),
    fileTime: number(time, 'file'),
    size: { package: number(size, 'package'), installed: number(size, 'installed'), archive: number(size, 'archive') },
    headerRange: { start: number(range, 'start'), end: number(range, 'end') },
    ...parseDependencies(format, file),
    ...parseFiles(format),
  };
}

/** The version of a package: all three parts are stated. */
export function parsePackageEvr(element: XmlElement, file: string): Evr {
  return {
    ...epochOf(element, file),
    version: attributeOf(element, 'ver', file),
    release: attributeOf(element, 'rel', file),
  };
}

/** The `<file>` elements of a package of `primary` or `filelists`. */
export function parseFiles(element: XmlElement): RepodataFiles {
  const all = element.children.filter(({ name }) => name === 'file');
  const ofType = (type: string) => all.filter(({ attributes }) => attributes['type'] === type).map(({ text }) => text);
  return { files: all.map(({ text }) => text), directories: ofType('dir'), ghosts: ofType('ghost') };
}

function parseDependencies(format: XmlElement, file: string): RepodataDependencies {
  const list = (kind: keyof RepodataDependencies): Dependency[] =>
    (childOf(format, kind)?.children ?? []).map((entry) => parseEntry(entry, file));
  return {
    provides: list('provides'),
    requires: list('requires'),
    conflicts: list('conflicts'),
    obsoletes: list('obsoletes'),
    recommends: list('recommends'),
    suggests: list('suggests'),
    supplements: list('supplements'),
    enhances: list('enhances'),
  };
}

function parseEntry(entry: XmlElement, file: string): Dependency {
  const { flags, ver, rel, pre } = entry.attributes;
  const base: Dependency = {
    name: attributeOf(entry, 'name', file),
    ...(pre === '1' ? { sense: SENSE.prereq } : {}),
  };
  if (flags === undefined) return base;
  const operator = OPERATORS.get(flags);
  if (operator === undefined || ver === undefined) {
    const found = operator === undefined ? `the unknown comparison '${flags}'` : 'a comparison without a version';
    throw malformedRepodata({ file, line: entry.line }, `the dependency '${base.name}' has ${found}`);
  }
  return {
    ...base,
    operator,
    evr: { ...epochOf(entry, file), version: ver, ...(rel === undefined ? {} : { release: rel }) },
  };
}

function epochOf(element: XmlElement, file: string): { readonly epoch?: number } {
  const text = element.attributes['epoch'] ?? '0';
  const epoch = naturalNumber(text, element, file);
  return epoch === 0 ? {} : { epoch };
}

/** The text of a child; an empty one is none. */
function textOf(element: XmlElement, name: string): string | undefined {
  const text = childOf(element, name)?.text;
  return text === '' ? undefined : text;
}

type Given<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

/** The members that have a value. */
function given<T extends object>(members: T): Given<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<T>;
}
