/**
 * The macros with which Azure Linux 3 reads its specs: rpm's own, the vendor's from a checkout, and nothing else. They are those of
 * the packages in the worker root that its toolkit evaluates in; build tools such as cmake or systemd are not among them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { optflagsOf, parseRpmrc, targetMacros, type MacroEnvironment, type MacroFile } from '@kiln/rpm-macro';

export interface AssembleOptions {
  /** A directory as rpm installs it at /usr/lib/rpm: macros, rpmrc, platform, fileattrs. */
  readonly rpmDirectory: string;
  /** A checkout of Azure Linux. */
  readonly tree: string;
  readonly targetArch: string;
  /** The text of macros.releaseversions; see release-versions.ts. */
  readonly releaseVersions?: string;
  readonly defines?: Readonly<Record<string, string>>;
  /** Macro files that are left out: those whose path ends so. */
  readonly without?: readonly string[];
}

export interface AssembledEnvironment {
  readonly environment: MacroEnvironment;
  /** Files that macros read while a spec is evaluated, by their path in the worker root. */
  readonly files: Readonly<Record<string, string>>;
}

/** Directory of the distribution's macro package. */
export const VENDOR = 'SPECS/azurelinux-rpm-macros';
/** Macro files of other packages in the worker root. */
export const OTHER_MACROS = [
  'SPECS/ocaml-srpm-macros/macros.ocaml-srpm',
  'SPECS/perl/macros.perl',
  'SPECS/pyproject-rpm-macros/macros.pyproject',
];
/** Files of the macro package by their place below rpm's directory of Lua modules. */
export const LUA_MODULES: Readonly<Record<string, string>> = {
  'common.lua': 'azl/common.lua',
  'forge.lua': 'azl/srpm/forge.lua',
  'python.lua': 'azl/srpm/python.lua',
};
/** What the toolkit gives on the command line. */
export const DEFINES = { with_check: '0', dist: '.azl3', azl: '3' };
const CONFIG_DIRECTORY = '/usr/lib/rpm';

/** Reads the files and gives the environment as one value. */
export function assembleEnvironment(options: AssembleOptions): AssembledEnvironment {
  const { rpmDirectory, tree, targetArch } = options;
  const read = (file: string, from: string): MacroFile => ({ file, text: readFileSync(from, 'utf8') });
  const vendor = join(tree, VENDOR);
  const additional = new Map<string, string>([
    ...readdirSync(vendor)
      .filter((name) => name.startsWith('macros.'))
      .map((name): [string, string] => [name, readFileSync(join(vendor, name), 'utf8')]),
    ...OTHER_MACROS.map((path): [string, string] => [basename(path), readFileSync(join(tree, path), 'utf8')]),
    ['macros.pkgconf', pkgconfMacros(tree)],
  ]);
  if (options.releaseVersions !== undefined) additional.set('macros.releaseversions', options.releaseVersions);
  const attributes = join(rpmDirectory, 'fileattrs');
  const rpmrc = [
    ...parseRpmrc(readFileSync(join(rpmDirectory, 'rpmrc'), 'utf8')),
    ...parseRpmrc(readFileSync(join(vendor, 'rpmrc'), 'utf8')),
  ];
  const optflags = optflagsOf(rpmrc, targetArch);
  const environment: MacroEnvironment = {
    rpmVersion: '4.18',
    targetArch,
    files: [
      read(`${CONFIG_DIRECTORY}/macros`, join(rpmDirectory, 'macros')),
      ...[...additional]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, text]) => ({ file: `${CONFIG_DIRECTORY}/macros.d/${name}`, text })),
      read(
        `${CONFIG_DIRECTORY}/platform/${targetArch}-linux/macros`,
        join(rpmDirectory, 'platform', `${targetArch}-linux`, 'macros'),
      ),
      ...(existsSync(attributes) ? readdirSync(attributes) : [])
        .filter((name) => name.endsWith('.attr'))
        .sort()
        .map((name) => read(`${CONFIG_DIRECTORY}/fileattrs/${name}`, join(attributes, name))),
      read(`${CONFIG_DIRECTORY}/azl/macros`, join(vendor, 'macros')),
    ].filter(({ file }) => !(options.without ?? []).some((end) => file.endsWith(end))),
    targetMacros: targetOf(targetArch, optflags),
    defines: { ...DEFINES, ...options.defines },
  };
  const modules = Object.entries(LUA_MODULES).map(([name, path]): [string, string] => [
    `${CONFIG_DIRECTORY}/lua/${path}`,
    readFileSync(join(vendor, name), 'utf8'),
  ]);
  return { environment, files: Object.fromEntries(modules) };
}

/** Only what rpm sets itself: the host's macros are in its macro file. */
function targetOf(arch: string, optflags: string | undefined): Record<string, string> {
  const { _target, _target_cpu, _target_os } = targetMacros(arch);
  return {
    _target: _target!,
    _target_cpu: _target_cpu!,
    _target_os: _target_os!,
    ...(optflags === undefined ? {} : { optflags }),
  };
}

/** This file is written by the %install of its package; its one value needs no more than the data directory. */
export function pkgconfMacros(tree: string): string {
  const spec = readFileSync(join(tree, 'SPECS/pkgconf/pkgconf.spec'), 'utf8');
  const body = /macros\.pkgconf <<EOM\n([^]*?)EOM\n/.exec(spec)?.[1] ?? '';
  return body.replaceAll('%%', '%').replaceAll('%{_datadir}', '/usr/share');
}
