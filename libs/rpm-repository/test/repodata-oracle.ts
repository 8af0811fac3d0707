/** What createrepo_c writes of a package, worked out from its header: the other way to the same facts. */
import { formatDependency, SENSE, type Dependency, type Evr } from '@kiln/rpm-package';
import {
  FILE_FLAG,
  isDirectory,
  type RepodataDependencies,
  type RepodataPackage,
  type RpmHeader,
} from '../src/index.ts';

const KINDS = [
  'provides',
  'requires',
  'conflicts',
  'obsoletes',
  'recommends',
  'suggests',
  'supplements',
  'enhances',
] as const satisfies readonly (keyof RepodataDependencies)[];
/** The bits that createrepo_c writes as `pre="1"`. */
const BEFORE_SCRIPTS = SENSE.prereq | SENSE.pre | SENSE.post;

/** Facts of both readers in one form; what differs is a difference. Times and sizes of the RPM's file are not among them. */
export type PackageView = Readonly<Record<string, unknown>>;

export function viewOfHeader({ package: rpm }: RpmHeader): PackageView {
  const ofType = (directory: boolean, ghost: boolean) =>
    rpm.files
      .filter((file) => {
        const isGhost = (file.flags & FILE_FLAG.ghost) !== 0;
        return isDirectory(file) ? directory : ghost && isGhost;
      })
      .map(({ path }) => path);
  return {
    name: rpm.name,
    evr: withoutZero(rpm.evr),
    arch: rpm.isSource ? 'src' : rpm.arch,
    texts: [rpm.summary, rpm.description, rpm.license].map(asWritten),
    others: [rpm.url, rpm.packager, rpm.vendor, rpm.group, rpm.buildHost, rpm.sourceRpm].map((one) => one ?? ''),
    buildTime: rpm.buildTime,
    installed: rpm.installedSize,
    headerRange: { start: rpm.layout.headerOffset, end: rpm.layout.payloadOffset },
    ...Object.fromEntries(KINDS.map((kind) => [kind, rows(kind === 'requires' ? keptRequires(rpm) : rpm[kind])])),
    files: rpm.files.map(({ path }) => path).sort(),
    directories: ofType(true, false).sort(),
    ghosts: ofType(false, true).sort(),
  };
}

export function viewOfRepodata(rpm: RepodataPackage): PackageView {
  return {
    name: rpm.name,
    evr: rpm.evr,
    arch: rpm.arch,
    texts: [rpm.summary, rpm.description, rpm.license].map(asWritten),
    others: [rpm.url, rpm.packager, rpm.vendor, rpm.group, rpm.buildHost, rpm.sourceRpm].map((one) => one ?? ''),
    buildTime: rpm.buildTime,
    installed: rpm.size.installed,
    headerRange: rpm.headerRange,
    ...Object.fromEntries(KINDS.map((kind) => [kind, rows(rpm[kind])])),
    files: [...rpm.files].sort(),
    directories: [...rpm.directories].sort(),
    ghosts: [...rpm.ghosts].sort(),
  };
}

/** libxml2 writes texts without white space at their ends in some versions. */
function asWritten(text: string): string {
  return text.trim();
}

function withoutZero({ epoch, version, release }: Evr): Evr {
  return {
    ...(epoch === undefined || epoch === 0 ? {} : { epoch }),
    version,
    ...(release === undefined ? {} : { release }),
  };
}

function rows(dependencies: readonly Dependency[]): string[] {
  const texts = dependencies.map(({ evr, ...one }) => {
    const before = ((one.sense ?? 0) & BEFORE_SCRIPTS) !== 0 ? ' pre' : '';
    return formatDependency({ ...one, ...(evr === undefined ? {} : { evr: withoutZero(evr) }) }) + before;
  });
  return [...new Set(texts)].sort();
}

/** Without features of rpm, what the package has itself, and all but the last version of `libc.so.6`. */
function keptRequires(rpm: RpmHeader['package']): Dependency[] {
  const own = new Set(rpm.provides.map(formatDependency));
  const ownFiles = new Set(rpm.files.map(({ path }) => path).filter(isPrimary));
  const kept = rpm.requires.filter(
    (one) => !one.name.startsWith('rpmlib(') && !own.has(formatDependency(one)) && !ownFiles.has(one.name),
  );
  const libc = kept.filter(({ name }) => name.startsWith('libc.so.6'));
  const version = ({ name }: Dependency) => (/GLIBC_([\d.]+)/.exec(name)?.[1] ?? '').split('.').map(Number);
  const later = (a: number[], b: number[]) =>
    (a[0] ?? -1) - (b[0] ?? -1) || (a[1] ?? -1) - (b[1] ?? -1) || (a[2] ?? -1) - (b[2] ?? -1);
  const last = libc.toSorted((a, b) => later(version(a), version(b))).at(-1);
  return kept.filter((one) => !libc.includes(one) || one === last);
}

/** The files that `primary` has: createrepo_c's rule for programs and configuration. */
function isPrimary(path: string): boolean {
  return path.startsWith('/etc/') || path.includes('bin/') || path === '/usr/lib/sendmail';
}
