/** The build request: everything that can influence the RPMs of a source package, serialized; its digest is the action key. */
import { digestOf, sha256, type Sha256 } from '@kiln/build-identity';
import { syscallFilter } from '@kiln/sandbox';
import type { CheckPolicy } from './check-policy.ts';

/** Version of this stage's recipe: raise it when the same request would be built in another way (test/build-request.test.ts). */
export const PACKAGE_RECIPE_VERSION = 4;

/** Where the build happens inside the sandbox; the same for everybody. */
export const TOP_DIRECTORY = '/usr/src/kiln';

/** An RPM in the build root, as its dependents know it. */
export interface RootMember {
  readonly name: string;
  readonly content: Sha256;
  /** Set when a BuildRequires pins the exact version and release, which makes the EVR visible to the build. */
  readonly evr?: string;
}

export interface NamedDigest {
  readonly name: string;
  readonly sha256: Sha256;
}

export interface BuildRequestInput {
  readonly architecture: string;
  readonly spec: NamedDigest;
  /** All files that go to SOURCES. */
  readonly sources: readonly NamedDigest[];
  /** Macro files of the distribution by the name they have in rpm's configuration directory. */
  readonly macroFiles: readonly NamedDigest[];
  readonly defines: Readonly<Record<string, string>>;
  /** Identity of the toolchain layer, the lowest layer of the root. */
  readonly toolchain: Sha256;
  readonly root: readonly RootMember[];
  readonly limits: BuildLimits;
  /** What the result is measured by: stricter checks are made on what is built, so that nothing passes that they would refuse. */
  readonly checks: CheckPolicy;
  /** The build may use the machine's network. */
  readonly network?: boolean;
  /** Variables of the toolchain, beside `BUILD_ENVIRONMENT`. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Bounds of a build. */
export interface BuildLimits {
  readonly seconds: number;
  /** Of all processes together, with temporary files. */
  readonly memoryBytes: number;
  /** What the build has on its disk at one time. */
  readonly diskBytes: number;
  /** The log. */
  readonly outputBytes: number;
  /** Processes and threads. */
  readonly processes: number;
  /** Of one process. */
  readonly openFiles: number;
  readonly fileSizeBytes: number;
  /** Each of `/tmp` and `/var/tmp`, which are in memory. */
  readonly temporaryBytes: number;
}

const GiB = 1024 ** 3;

export const DEFAULT_LIMITS: BuildLimits = {
  seconds: 4 * 3600,
  memoryBytes: 16 * GiB,
  diskBytes: 100 * GiB,
  outputBytes: GiB,
  processes: 16_384,
  openFiles: 4096,
  fileSizeBytes: 64 * GiB,
  temporaryBytes: 8 * GiB,
};

/**
 * The limits that a program can ask for (getrlimit, statfs): they may get into what is built. The others only decide whether a build
 * ends well, and a result is kept of none that did not; so that more time or memory for a package rebuilds nobody.
 */
export function observableLimits({ processes, openFiles, fileSizeBytes, temporaryBytes }: BuildLimits): object {
  return { processes, openFiles, fileSizeBytes, temporaryBytes };
}

/** The environment inside the sandbox. The core count is given to rpmbuild beside it and is not part of the identity. */
export const BUILD_ENVIRONMENT: Readonly<Record<string, string>> = {
  HOME: `${TOP_DIRECTORY}/home`,
  LANG: 'C.UTF-8',
  LOGNAME: 'builder',
  PATH: '/usr/bin:/usr/sbin',
  SHELL: '/bin/bash',
  TERM: 'dumb',
  TZ: 'UTC',
  USER: 'builder',
};

/** What the commands of a build depend on. */
export type CommandInput = Pick<BuildRequestInput, 'spec' | 'defines'>;

/**
 * The two commands of a build: the source RPM first, on its own, so that no identity of it enters the binary RPMs. `%check` is the
 * business of another target.
 */
export function buildCommands({
  spec,
  defines,
}: CommandInput): [source: [string, ...string[]], binary: [string, ...string[]]] {
  const [rpmbuild, path] = [rpmbuildCommand(defines), specPath(spec.name)];
  return [
    [...rpmbuild, '-bs', path],
    [...rpmbuild, '-bb', '--noclean', '--nocheck', path],
  ];
}

/**
 * The two commands of a check: everything up to the files of the packages, then `%check` alone in what that left. The second one goes
 * through `%install` without running its script (`__spec_install_cmd`, build/build.c), so that it can be repeated.
 */
export function checkCommands({ spec, defines }: CommandInput): {
  readonly build: [string, ...string[]];
  readonly check: [string, ...string[]];
} {
  const [rpmbuild, path] = [rpmbuildCommand(defines), specPath(spec.name)];
  return {
    build: [...rpmbuild, '-bi', '--nocheck', path],
    check: [...rpmbuild, '--define', '__spec_install_cmd /usr/bin/true', '-bi', '--short-circuit', path],
  };
}

/** The command that stops after `%generate_buildrequires`, with a source RPM that has all BuildRequires. */
export function generateCommand(specName: string, defines: Readonly<Record<string, string>>): [string, ...string[]] {
  return [...rpmbuildCommand(defines), '-br', specPath(specName)];
}

function specPath(specName: string): string {
  return `${TOP_DIRECTORY}/SPECS/${specName}`;
}

/** Macros that rpmbuild is given beside those of its files. */
export function rpmMacros(defines: Readonly<Record<string, string>>): Record<string, string> {
  return {
    _topdir: TOP_DIRECTORY,
    _dbpath: `${TOP_DIRECTORY}/rpmdb`,
    // Owners in source packages would otherwise tell who called: root's files have no owner inside, a user's have the builder.
    _srcdefattr: '(-,root,root)',
    ...defines,
  };
}

function rpmbuildCommand(defines: Readonly<Record<string, string>>): [string, ...string[]] {
  return [
    'rpmbuild',
    ...Object.entries(rpmMacros(defines)).flatMap(([name, value]) => ['--define', `${name} ${value}`]),
  ];
}

/** The request as canonical data. Lists are sorted, so that the order in which things were found doesn't count. */
export function buildRequest(input: BuildRequestInput): object {
  return {
    stage: 'rpm',
    recipeVersion: PACKAGE_RECIPE_VERSION,
    commands: buildCommands(input),
    ...whatIsSeen(input),
    checks: { ...input.checks },
  };
}

/** Raise it when `%check` would be run in another way for the same request. */
export const CHECK_RECIPE_VERSION = 1;

/** The request of a `%check` as canonical data; `input` is that of the build which the check is made in. */
export function checkRequest(input: BuildRequestInput): object {
  return {
    stage: 'check',
    recipeVersion: CHECK_RECIPE_VERSION,
    commands: checkCommands(input),
    ...whatIsSeen(input),
  };
}

/** What the programs of a build can see. */
function whatIsSeen(input: BuildRequestInput): object {
  const byName = <T extends { readonly name: string }>(list: readonly T[]) =>
    [...list].sort((a, b) => (a.name < b.name ? -1 : 1)).map((one) => ({ ...one }));
  return {
    architecture: input.architecture,
    spec: { ...input.spec },
    sources: byName(input.sources),
    macroFiles: byName(input.macroFiles),
    environment: { ...BUILD_ENVIRONMENT, ...input.environment },
    identity: 'builder',
    toolchain: input.toolchain,
    root: byName(input.root),
    limits: observableLimits(input.limits),
    syscalls: sha256(syscallFilter(input.architecture)),
    network: input.network === true,
  };
}

/** The action key of a request. */
export function packageActionKey(input: BuildRequestInput): Sha256 {
  return digestOf(buildRequest(input));
}
