/** Everything that decides how a text expands, as a plain value: macro files, target, defines. */
import { STANDARD_BUILD_MACROS } from './standard/build.ts';
import { STANDARD_DIRECTORY_MACROS } from './standard/directories.ts';
import { STANDARD_PATCH_MACROS } from './standard/patches.ts';
import { platformMacros, targetMacros, type TargetArch } from './standard/platform.ts';
import { STANDARD_SPEC_MACROS } from './standard/spec.ts';
import type { RpmVersion } from './dialect.ts';

export type { TargetArch } from './standard/platform.ts';

/** A macro file: the name that messages show and its text. */
export interface MacroFile {
  readonly file: string;
  readonly text: string;
}

/** JSON-serializable. Later definitions win: files in order, then `targetMacros`, then `defines`. */
export interface MacroEnvironment {
  readonly rpmVersion: RpmVersion;
  readonly targetArch: string;
  readonly files: readonly MacroFile[];
  /** What rpm sets from its target and rpmrc after it read the macro files: `_target_cpu`, `_host_os`, `optflags`… */
  readonly targetMacros: Readonly<Record<string, string>>;
  /** As `rpmspec --define 'name body'`; a name may carry options: `name(a:)`. */
  readonly defines: Readonly<Record<string, string>>;
}

export interface StandardEnvironmentOptions {
  readonly targetArch?: TargetArch;
  /** Macro files of rpm's `macros.d`: loaded before the platform's, in this order. */
  readonly directoryFiles?: readonly MacroFile[];
  /** The distribution's macro files: loaded after all others, in this order. */
  readonly files?: readonly MacroFile[];
  readonly defines?: Readonly<Record<string, string>>;
}

/** What rpm 4.18 itself brings (directories, conditional builds, build helpers, platform), then the given files. */
export function standardEnvironment(options: StandardEnvironmentOptions = {}): MacroEnvironment {
  const targetArch = options.targetArch ?? 'x86_64';
  return {
    rpmVersion: '4.18',
    targetArch,
    files: [
      { file: '<standard>/directories', text: STANDARD_DIRECTORY_MACROS },
      { file: '<standard>/spec', text: STANDARD_SPEC_MACROS },
      { file: '<standard>/build', text: STANDARD_BUILD_MACROS },
      { file: '<standard>/patches', text: STANDARD_PATCH_MACROS },
      ...(options.directoryFiles ?? []),
      { file: `<standard>/platform-${targetArch}`, text: platformMacros(targetArch) },
      ...(options.files ?? []),
    ],
    targetMacros: targetMacros(targetArch),
    defines: options.defines ?? {},
  };
}
