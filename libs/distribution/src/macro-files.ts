/** The distribution's files of rpm's configuration directory: the same texts for evaluation and for the build root. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { optflagsOf, parseRpmrc, standardEnvironment, type MacroEnvironment, type TargetArch } from '@kiln/rpm-macro';
import { DISTRO_FILE, type DistroConfig } from './distro-config.ts';

export interface DistributionMacroFile {
  /** Workspace-relative path. */
  readonly file: string;
  /** Path below rpm's configuration directory in the build root; it says what rpm takes the file for. */
  readonly slot: string;
  readonly text: string;
}

/** rpm's configuration directory. */
const CONFIG_DIRECTORY = '/usr/lib/rpm';
/** Vendor files of the rpm that builds (the `debian` toolchain's); rpm reads them after its own. */
const MAIN_SLOT = 'debian/macros';
const RPMRC_SLOT = 'debian/rpmrc';
const DIRECTORY_SLOT = 'macros.d/';
/** Read after those, and not when specs are evaluated. */
const LATER_DIRECTORY_SLOT = 'macros.d/macros.root-';
/** Where `require` looks (rpmluaNew, rpmio/rpmlua.c). */
const LUA_SLOT = 'lua/';

/**
 * Additional files first, then the main one, as rpm reads them; then rpmrc and Lua modules; then what only build roots have.
 * @throws BuildError `MACRO_FILE_MISSING`.
 */
export function readMacroFiles(root: string, { macros }: DistroConfig): DistributionMacroFile[] {
  const { main, additional, rpmrc, luaModules = {}, inBuildRoots = [], files = {} } = macros;
  // rpm reads macros.d by name: the number keeps the order, and files of one name apart.
  const slots: (readonly [string, string])[] = [
    ...additional.map((file, at) => [file, `${DIRECTORY_SLOT}macros.${padded(at)}-${basename(file)}`] as const),
    [main, MAIN_SLOT],
    ...(rpmrc === undefined ? [] : [[rpmrc, RPMRC_SLOT] as const]),
    ...Object.entries(luaModules).map(([name, file]) => [file, `${LUA_SLOT}${name.replaceAll('.', '/')}.lua`] as const),
    ...inBuildRoots.map((file, at) => [file, `${LATER_DIRECTORY_SLOT}${padded(at)}-${basename(file)}`] as const),
    ...Object.entries(files).map(([slot, file]) => [file, slot] as const),
  ];
  return slots.map(([file, slot]) => {
    try {
      return { file, slot, text: readFileSync(join(root, file), 'utf8') };
    } catch (cause) {
      throw new BuildError('MACRO_FILE_MISSING', `the macro file ${file} can't be read`, {
        location: { file: DISTRO_FILE, line: 1 },
        hint: `correct 'macros' in ${DISTRO_FILE}`,
        cause,
      });
    }
  });
}

/** The environment in which the tree's specs are evaluated: rpm's standard macros, the distribution's files, its defines. */
export function macroEnvironment(config: DistroConfig, macroFiles: readonly DistributionMacroFile[]): MacroEnvironment {
  const of = (isWanted: (slot: string) => boolean) => macroFiles.filter(({ slot }) => isWanted(slot));
  const environment = standardEnvironment({
    targetArch: config.architecture as TargetArch,
    directoryFiles: of((slot) => slot.startsWith(DIRECTORY_SLOT) && !slot.startsWith(LATER_DIRECTORY_SLOT)).map(
      toMacroFile,
    ),
    files: of((slot) => slot === MAIN_SLOT).map(toMacroFile),
    defines: config.defines,
  });
  const rpmrc = of((slot) => slot === RPMRC_SLOT).flatMap(({ text }) => parseRpmrc(text));
  const optflags = optflagsOf(rpmrc, config.architecture);
  return optflags === undefined
    ? environment
    : { ...environment, targetMacros: { ...environment.targetMacros, optflags } };
}

/** The files by the absolute path that they have in the build root. */
export function installedMacroFiles(macroFiles: readonly DistributionMacroFile[]): ReadonlyMap<string, string> {
  return new Map(macroFiles.map(({ slot, text }) => [`${CONFIG_DIRECTORY}/${slot}`, text]));
}

function toMacroFile({ file, text }: DistributionMacroFile): { readonly file: string; readonly text: string } {
  return { file, text };
}

function padded(at: number): string {
  return String(at).padStart(3, '0');
}
