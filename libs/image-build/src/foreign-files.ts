/** Whether files of an image are files of the toolchain: those must never get into a package. */
import { FILE_FLAG, isRegular, type RpmFileEntry } from '@kiln/rpm-repository';

/** A file of a package; `digest` is a SHA-256 here. */
export interface PackagedFile extends RpmFileEntry {
  /** NEVRA of its package. */
  readonly owner: string;
  /** File name of its source package. */
  readonly sourceRpm?: string | undefined;
}

/** A reason for which a file may be equal to one of the toolchain although it was built from source. */
interface Allowance {
  readonly reason: string;
  readonly allows: (file: PackagedFile) => boolean;
}

/**
 * Two distributions that build one upstream release both carry what the release holds unchanged, and data whose compiler knows one output.
 * That is never so for machine code, because compilers, flags and build-ids differ.
 */
const ALLOWANCES: readonly Allowance[] = [
  { reason: 'so short a text has no single origin', allows: ({ size }) => size < SHORT_TEXT },
  { reason: 'documentation has many parts in common', allows: ({ flags }) => (flags & FILE_FLAG.doc) !== 0 },
  { reason: 'licence texts are the same everywhere', allows: ({ flags }) => (flags & FILE_FLAG.license) !== 0 },
  { reason: 'message catalogues have one compiled form', allows: ({ path }) => path.endsWith('.mo') },
  { reason: 'terminal descriptions have one compiled form', allows: ({ path }) => path.includes('/terminfo/') },
  {
    reason: 'compiled locales hold only what their sources say',
    allows: ({ path }) => path.startsWith('/usr/lib/locale/'),
  },
];

/** Bytes, such as `multi on` in /etc/host.conf. */
const SHORT_TEXT = 64;

/** What is compared: regular files with content. The digests of other algorithms can't be compared. */
export function comparableFiles(files: readonly PackagedFile[]): PackagedFile[] {
  return files.filter((file) => isRegular(file) && file.size > 0 && file.digest?.length === 64);
}

/** A file that is equal to one of the toolchain. */
export interface ForeignFile {
  readonly file: PackagedFile;
  /** Path in the toolchain. */
  readonly origin: string;
}

/** The files that are equal to one of the toolchain and have no reason to be; `toolchain` maps digests to paths. */
export function foreignFiles(files: readonly PackagedFile[], toolchain: ReadonlyMap<string, string>): ForeignFile[] {
  return comparableFiles(files).flatMap((file) => {
    const origin = toolchain.get(file.digest!);
    if (origin === undefined || (!isMachineCode(file) && ALLOWANCES.some(({ allows }) => allows(file)))) return [];
    return [{ file, origin }];
  });
}

/** Those that a release does not hold as they are: by the digests of the files in its source package. */
export function withoutPublished(foreign: readonly ForeignFile[], published: ReadonlySet<string>): ForeignFile[] {
  return foreign.filter(({ file }) => isMachineCode(file) || !published.has(file.digest!));
}

/** Bytes: an archive of no objects is its first line. */
const EMPTY_ARCHIVE = 8;

/** By what rpmbuild found in the file: its colour (ELF class) and libmagic's description. */
function isMachineCode({ size, color, class: description = '' }: PackagedFile): boolean {
  if (size <= EMPTY_ARCHIVE) return false;
  return color !== 0 || description.startsWith('ELF ') || description.startsWith('current ar archive');
}
