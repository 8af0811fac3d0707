/** The content digest of an RPM: what a build that uses it can see, with its own EVR and build-ids normalised (docs/architecture.md). */
import { formatDependency, formatEvr, type Dependency, type Evr } from '@kiln/rpm-package';
import { digestOf, sha256, type Sha256 } from './digest.ts';
import { readElf } from './elf.ts';

/** A file of the payload. `digest` is that of `normalizeFile` for regular files, absent for others. */
export interface ContentFile {
  readonly path: string;
  /** `st_mode`, type bits included. */
  readonly mode: number;
  readonly user: string;
  readonly group: string;
  readonly linkTarget?: string;
  readonly capabilities?: string;
  readonly digest?: Sha256;
  /** RPMFILE_* bits: config, doc, ghost, ... */
  readonly flags: number;
}

/** What counts of a binary RPM. Scriptlets are name → body and interpreter as one text. */
export interface RpmContent {
  readonly name: string;
  readonly arch: string;
  readonly evr: Evr;
  readonly dependencies: Readonly<Record<string, readonly Dependency[]>>;
  readonly scriptlets: Readonly<Record<string, string>>;
  readonly files: readonly ContentFile[];
}

const BUILD_ID_DIRECTORY = '/usr/lib/.build-id';
const NORMALISED_SECTIONS = new Set(['.note.gnu.build-id', '.gnu_debuglink']);

/** The digest under which dependents know the package: equal for a rebuild, a comment or a Release bump that changes nothing else. */
export function contentDigest(content: RpmContent): Sha256 {
  const { name, arch, evr, dependencies, scriptlets, files } = content;
  const value = {
    name,
    arch,
    dependencies: Object.fromEntries(
      Object.entries(dependencies).map(([kind, list]) => [kind, list.map((one) => withoutOwnEvr(one, evr)).sort()]),
    ),
    scriptlets,
    files: files
      .filter(({ path }) => path !== BUILD_ID_DIRECTORY && !path.startsWith(`${BUILD_ID_DIRECTORY}/`))
      .map((file) => ({ ...file }))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
  return digestOf(value);
}

/** Digest of a file's bytes; in ELF files the build-id note and the name and checksum of the debug file count as zeros. */
export function normalizedFileDigest(bytes: Uint8Array): Sha256 {
  const sections = readElf(bytes)?.sections.filter(({ name, size }) => NORMALISED_SECTIONS.has(name) && size > 0) ?? [];
  if (sections.length === 0) return sha256(bytes);
  const copy = Uint8Array.from(bytes);
  for (const { offset, size } of sections) copy.fill(0, offset, offset + size);
  return sha256(copy);
}

function withoutOwnEvr(dependency: Dependency, own: Evr): string {
  if (dependency.evr === undefined || dependency.operator === undefined) return withSense(dependency, dependency.name);
  const same = formatEvr({ epoch: 0, ...dependency.evr }) === formatEvr({ epoch: 0, ...own });
  return withSense(dependency, same ? `${dependency.name} ${dependency.operator} own` : formatDependency(dependency));
}

function withSense({ sense }: Dependency, text: string): string {
  return sense === undefined || sense === 0 ? text : `${text} [${sense}]`;
}
