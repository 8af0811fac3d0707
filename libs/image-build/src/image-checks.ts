/** The checks of a boot test: what must be true of an image, from what was found in it. */
import { FILE_FLAG, type RpmFileEntry } from '@kiln/rpm-repository';
import type { ForeignFile, PackagedFile } from './foreign-files.ts';
import { RPM_DATABASE } from './install-packages.ts';
import { RootPaths, type ScannedFile } from './root-scan.ts';

/** Everything that was found out; texts are what the programs printed. */
export interface ImageFindings {
  readonly files: readonly ScannedFile[];
  readonly packagedFiles: readonly PackagedFile[];
  /** Whether the image keeps its rpm database. */
  readonly hasRpmDatabase: boolean;
  /** Paths that the definition added, changed or removed. */
  readonly customized: readonly string[];
  readonly expectedNevras: readonly string[];
  /** From the rpm database. */
  readonly foundNevras: readonly string[];
  readonly rpmVerify: { readonly status: number; readonly output: string };
  readonly osRelease: Readonly<Record<string, string>>;
  /** Absent when the image has no shell. */
  readonly shell?: ShellFindings;
  readonly filesWithHostPaths: readonly string[];
  /** Without those that their source packages hold as they are; absent where the toolchain's files are the distribution's own. */
  readonly foreignFiles?: readonly ForeignFile[];
}

export interface ShellFindings {
  readonly status: number;
  readonly output: string;
  /** ID as the shell reads it from /etc/os-release. */
  readonly id: string;
  readonly commands: readonly { readonly path: string; readonly status: number; readonly firstLine: string }[];
}

/** The outcome of one check; `problems` is empty unless it failed. */
/** Problems; `skipped` says why there was nothing to look at. */
export type Findings = readonly string[] | { readonly skipped: string };

export interface ImageCheck {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly problems: readonly string[];
}

interface CheckRule {
  readonly name: string;
  /** The problems, or undefined when it doesn't apply. */
  readonly find: (findings: ImageFindings) => readonly string[] | undefined;
}

const REQUIRED_OS_RELEASE = ['NAME', 'ID', 'VERSION_ID', 'PRETTY_NAME'];

/** The shell's words: it can't execute the command (126), doesn't find it (127), a signal ended it (from 129 on). Programs end with 255 too. */
function isNotStarted(status: number): boolean {
  return status === 126 || status === 127 || (status > 128 && status <= 128 + LAST_SIGNAL);
}

const LAST_SIGNAL = 64;

/** What a command says first that lacks a part of itself; perl and python then end with a status of their own. */
const LACKS_A_PART = /error while loading shared libraries|symbol lookup error|^Can't locate \S+ in @INC|^Traceback \(/;

/** Left behind by rpm and by other package managers; patterns of absolute paths. */
const LEFTOVERS: readonly RegExp[] = [
  new RegExp(`^${RPM_DATABASE}/(\\.rpm\\.lock|.*-(shm|wal|journal))$`),
  /^\/var\/tmp\/rpm-tmp\./,
  /^\/(var\/lib\/(dpkg|apt)|etc\/(apt|dpkg|debian_version))(\/|$)/,
  /^\/usr\/(lib|include)\/[^/]+-linux-gnu[^/]*$/,
  /^\/(tmp|var\/tmp|run)\/./,
];

const RULES: readonly CheckRule[] = [
  { name: 'os-release says what it is', find: checkOsRelease },
  { name: 'the shell runs', find: ({ shell }) => (shell === undefined ? undefined : checkShell(shell)) },
  { name: 'every command starts', find: ({ shell }) => (shell === undefined ? undefined : checkCommands(shell)) },
  { name: 'the rpm database lists exactly the packages', find: checkPackages },
  { name: 'rpm -V finds no difference', find: checkVerify },
  { name: 'every file has an owner', find: checkOwners },
  { name: 'there are only files, directories and links', find: checkTypes },
  { name: 'nothing was left behind', find: checkLeftovers },
  { name: 'no path of the machine is in a file', find: ({ filesWithHostPaths }) => filesWithHostPaths },
  {
    name: 'no file is one of the toolchain',
    find: ({ foreignFiles }) =>
      foreignFiles?.map(({ file, origin }) => `${file.path} of ${file.owner} is the toolchain's ${origin}`),
  },
];

/** All checks, in a fixed order. */
export function checkImage(findings: ImageFindings): ImageCheck[] {
  return RULES.map(({ name, find }) => {
    const problems = find(findings);
    if (problems === undefined) return { name, outcome: 'skipped', problems: [] };
    return { name, outcome: problems.length === 0 ? 'passed' : 'failed', problems };
  });
}

function checkOsRelease({ osRelease }: ImageFindings): string[] {
  return REQUIRED_OS_RELEASE.filter((field) => !osRelease[field]).map((field) => `/usr/lib/os-release has no ${field}`);
}

function checkShell({ status, output, id }: ShellFindings): string[] {
  if (status !== 0) return [`it ended with status ${status}: ${output.trim()}`];
  return id === '' ? ['it read no ID from /etc/os-release'] : [];
}

function checkCommands({ commands, status }: ShellFindings): string[] {
  if (commands.length === 0) return status === 0 ? ['there are no commands to start'] : [];
  return commands.flatMap(({ path, status: found, firstLine }) => {
    const started = !isNotStarted(found) && !LACKS_A_PART.test(firstLine);
    return started ? [] : [`${path} --version ended with status ${found}: ${firstLine}`];
  });
}

function checkPackages({ expectedNevras, foundNevras }: ImageFindings): string[] {
  const [expected, found] = [new Set(expectedNevras), new Set(foundNevras)];
  return [
    ...expectedNevras.filter((nevra) => !found.has(nevra)).map((nevra) => `${nevra} is missing`),
    ...foundNevras.filter((nevra) => !expected.has(nevra)).map((nevra) => `${nevra} was not asked for`),
  ];
}

function checkVerify({ rpmVerify: { status, output }, files, customized }: ImageFindings): string[] {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  if (status !== 0 && lines.length === 0) return [`rpm ended with status ${status}`];
  const paths = new RootPaths(files);
  const meant = new Set(customized);
  // `S.5....T.  c /etc/passwd`, `missing    c /etc/passwd`
  return lines.filter((line) => {
    const path = /^(?:[.A-Z0-9?]{9}|missing)\s+(?:[a-z] )?(\/.*?)(?: \([^)]*\))?$/.exec(line)?.[1];
    return path === undefined || !meant.has(paths.real(path));
  });
}

function checkOwners({ files, packagedFiles, hasRpmDatabase, customized }: ImageFindings): string[] {
  const paths = new RootPaths(files);
  const owned = new Set([...packagedFiles.map(({ path }) => paths.real(path)), ...customized]);
  if (hasRpmDatabase) owned.add(`${RPM_DATABASE}/rpmdb.sqlite`);
  return files.filter(({ path }) => !owned.has(path)).map(({ path }) => path);
}

function checkTypes({ files }: ImageFindings): string[] {
  return files
    .filter(({ type }) => !['f', 'd', 'l'].includes(type))
    .map(({ path, type }) => `${path} is of type '${type}'`);
}

function checkLeftovers({ files, packagedFiles }: ImageFindings): string[] {
  const paths = new RootPaths(files);
  const packaged = new Set(packagedFiles.filter(isContent).map(({ path }) => paths.real(path)));
  return files
    .filter(({ path }) => LEFTOVERS.some((pattern) => pattern.test(path)) && !packaged.has(path))
    .map(({ path }) => path);
}

function isContent({ flags }: RpmFileEntry): boolean {
  return (flags & FILE_FLAG.ghost) === 0;
}
