/** What the archive's indexes say: packages with their dependencies, and which of them has a file that somebody asks for. Pure. */
import { parseSha256 } from '@kiln/build-identity';
import type { LockedPackage } from './toolchain-lock.ts';

/** A package of the archive. */
export interface ArchivePackage extends LockedPackage {
  /** Name of Debian's source package. */
  readonly source: string;
  /** `Pre-Depends` and `Depends`: of each inner list one must be there. Versions are left out: an archive agrees with itself. */
  readonly depends: readonly (readonly string[])[];
  /** Names that the package stands for. */
  readonly provides: readonly string[];
}

/** A file that was asked for. */
export interface FoundFile {
  /** Below the root, without a leading slash. */
  readonly path: string;
  readonly packages: readonly string[];
}

/**
 * Packages by name from the text of `Packages` indexes (deb822). Of several versions the last one counts, so that indexes of updates
 * come after the main one.
 */
export function parsePackagesIndex(text: string): Map<string, ArchivePackage> {
  const packages = new Map<string, ArchivePackage>();
  for (const stanza of text.split(/\n\n+/)) {
    const fields = new Map<string, string>();
    for (const line of stanza.split('\n')) {
      const colon = line.indexOf(': ');
      if (colon > 0 && !line.startsWith(' ')) fields.set(line.slice(0, colon), line.slice(colon + 2));
    }
    const field = (name: string): string => fields.get(name) ?? '';
    const name = field('Package');
    if (name === '') continue;
    const path = field('Filename');
    packages.set(name, {
      name,
      version: field('Version'),
      architecture: field('Architecture'),
      sha256: parseSha256(field('SHA256')),
      size: Number(field('Size')),
      archive: path.startsWith('pool/updates/') ? 'security' : 'main',
      path,
      source: field('Source').split(' ')[0] || name,
      depends: [...parseRelations(field('Pre-Depends')), ...parseRelations(field('Depends'))],
      provides: parseRelations(field('Provides')).flat(),
    });
  }
  return packages;
}

/** `a (>= 1) | b:any, c` is `[[a, b], [c]]`. */
function parseRelations(text: string): string[][] {
  if (text === '') return [];
  return text.split(',').map((clause) => clause.split('|').map((one) => one.trim().replace(/[ :(].*$/, '')));
}

/** Which files answer a question: those of one key. */
export type FileKey = `${FileKind} ${string}`;
export type FileKind =
  'path' | 'pkgconfig' | 'library' | 'perl' | 'python' | 'cmake' | 'header' | 'include' | 'ocaml' | 'gem' | 'maven';

interface KeyRule {
  readonly kind: FileKind;
  readonly pattern: RegExp;
  name(match: RegExpExecArray): string;
}

/** Where Debian has files of each kind. */
const KEY_RULES: readonly KeyRule[] = [
  { kind: 'pkgconfig', pattern: /^usr\/(?:lib|share)\/(?:[^/]+\/)?pkgconfig\/(.+)\.pc$/, name: ([, name]) => name! },
  {
    kind: 'library',
    pattern: /^usr\/lib\/(?:x86_64-linux-gnu\/)?(lib[^/]+\.so(?:\.[\d.]+)?)$/,
    name: ([, name]) => name!,
  },
  {
    kind: 'perl',
    pattern: /^usr\/(?:share|lib\/x86_64-linux-gnu)\/perl(?:5\/\d+\.\d+|\/\d+\.\d+(?:\.\d+)?|5|-base)\/(.+\.p[lm])$/,
    name: ([, name]) => name!,
  },
  {
    kind: 'python',
    pattern:
      /^usr\/lib\/python3(?:\.\d+)?\/(?:dist-packages\/)?([^/]+?)-[^/-]+(?:-py3[\d.]*)?\.(?:dist-info\/METADATA|egg-info\/PKG-INFO|egg-info)$/,
    name: ([, name]) => normalizedPythonName(name!),
  },
  {
    kind: 'cmake',
    pattern: /^usr\/(?:lib|share)\/(?:.*\/)?cmake\/(?:.*\/)?([^/]+?)(?:Config|-config)\.cmake$/,
    name: ([, name]) => name!.toLowerCase(),
  },
  { kind: 'header', pattern: /^usr\/include\/(?:x86_64-linux-gnu\/)?(.+)$/, name: ([, name]) => name! },
  { kind: 'include', pattern: /^usr\/include\/(?:x86_64-linux-gnu\/)?([^/]+)\//, name: ([, name]) => name! },
  { kind: 'ocaml', pattern: /^usr\/lib\/ocaml\/([^/]+)\/META$/, name: ([, name]) => name! },
  {
    kind: 'gem',
    pattern: /^usr\/share\/rubygems-integration\/[^/]+\/specifications\/(.+)-\d[^/-]*\.gemspec$/,
    name: ([, name]) => name!,
  },
  {
    kind: 'maven',
    pattern: /^usr\/share\/maven-repo\/(.+)\/[^/]+\/[^/]+\.pom$/,
    name: ([, name]) => name!,
  },
];

/** PEP 503. */
export function normalizedPythonName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/** All keys that a path of the archive answers. `/usr` is merged. */
export function keysOf(path: string): FileKey[] {
  const merged = /^(bin|sbin|lib|lib64)\//.test(path) ? `usr/${path.replace(/^lib64\//, 'lib/')}` : path;
  const keys: FileKey[] = [`path /${merged}`];
  for (const { kind, pattern, name } of KEY_RULES) {
    const match = pattern.exec(merged);
    if (match !== null) keys.push(`${kind} ${name(match)}`);
  }
  return keys;
}

/** The key of an absolute path as specs name it: `/bin/x` and `/usr/bin/x` are one file. */
export function pathKey(path: string): FileKey {
  return keysOf(path.slice(1))[0]!;
}

/** Collects the files that were asked for from the lines of `Contents` indexes: `path section/package,section/package`. */
export class FoundFiles {
  readonly #wanted: ReadonlySet<string>;
  readonly #found = new Map<string, FoundFile[]>();

  constructor(wanted: Iterable<FileKey>) {
    this.#wanted = new Set(wanted);
  }

  /** One line of an index. */
  add(line: string): void {
    // Half of all files, and nobody builds with them.
    if (line.startsWith('usr/share/doc') || line.startsWith('usr/share/locale') || line.startsWith('usr/share/man'))
      return;
    const end = line.lastIndexOf(' ');
    if (end < 0) return;
    const path = line.slice(0, end).trimEnd();
    for (const key of keysOf(path)) {
      if (!this.#wanted.has(key)) continue;
      const packages = line
        .slice(end + 1)
        .split(',')
        .map((one) => one.slice(one.lastIndexOf('/') + 1));
      const files = this.#found.get(key);
      if (files === undefined) this.#found.set(key, [{ path, packages }]);
      else if (!files.some((one) => one.packages.join() === packages.join())) files.push({ path, packages });
    }
  }

  /** Files of a key, in the order of the indexes; of those with the same packages one. */
  get(key: FileKey): readonly FoundFile[] {
    return this.#found.get(key) ?? [];
  }
}
