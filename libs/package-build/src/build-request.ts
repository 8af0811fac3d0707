/** The build request: everything that can influence the RPMs of a source package, serialized; its digest is the action key. */
import { digestOf, type Sha256 } from '@kiln/build-identity';

/** Version of this stage's recipe: raise it when the same request would be built in another way (test/build-request.test.ts). */
export const PACKAGE_RECIPE_VERSION = 2;

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
}

/** Bounds of a build; in the key because a build can observe them. */
export interface BuildLimits {
  readonly seconds: number;
  readonly processes: number;
  readonly openFiles: number;
  readonly fileSizeBytes: number;
}

export const DEFAULT_LIMITS: BuildLimits = {
  seconds: 4 * 3600,
  processes: 16_384,
  openFiles: 4096,
  fileSizeBytes: 64 * 1024 ** 3,
};

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

/** The two commands of a build: the source RPM first, on its own, so that no identity of it enters the binary RPMs. */
export function buildCommands(specName: string, defines: Readonly<Record<string, string>>): [string, ...string[]][] {
  const settings = {
    _topdir: TOP_DIRECTORY,
    _dbpath: `${TOP_DIRECTORY}/rpmdb`,
    // Owners in source packages would otherwise tell who called: root's files have no owner inside, a user's have the builder.
    _srcdefattr: '(-,root,root)',
    ...defines,
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
  const spec = `${TOP_DIRECTORY}/SPECS/${specName}`;
  return [
    ['rpmbuild', ...options, '-bs', spec],
    ['rpmbuild', ...options, '-bb', '--noclean', spec],
  ];
}

/** The request as canonical data. Lists are sorted, so that the order in which things were found doesn't count. */
export function buildRequest(input: BuildRequestInput): object {
  const byName = <T extends { readonly name: string }>(list: readonly T[]) =>
    [...list].sort((a, b) => (a.name < b.name ? -1 : 1)).map((one) => ({ ...one }));
  return {
    stage: 'rpm',
    recipeVersion: PACKAGE_RECIPE_VERSION,
    architecture: input.architecture,
    spec: { ...input.spec },
    sources: byName(input.sources),
    macroFiles: byName(input.macroFiles),
    commands: buildCommands(input.spec.name, input.defines),
    environment: BUILD_ENVIRONMENT,
    identity: 'builder',
    toolchain: input.toolchain,
    root: byName(input.root),
    limits: { ...input.limits },
  };
}

/** The action key of a request. */
export function packageActionKey(input: BuildRequestInput): Sha256 {
  return digestOf(buildRequest(input));
}
