/** The distribution's macro files: the same texts for evaluation and for the build root. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { standardEnvironment, type MacroEnvironment, type TargetArch } from '@kiln/rpm-macro';
import { DISTRO_FILE, type DistroConfig } from './distro-config.ts';

export interface DistributionMacroFile {
  /** Workspace-relative path. */
  readonly file: string;
  /** Path below rpm's configuration directory in the build root. */
  readonly slot: string;
  readonly text: string;
}

/** Additional files first, the main one last, as rpm reads them. @throws BuildError `MACRO_FILE_MISSING`. */
export function readMacroFiles(root: string, { macros }: DistroConfig): DistributionMacroFile[] {
  const additional = macros.additional.map((file) => [file, `macros.d/macros.${basename(file)}`] as const);
  return [...additional, [macros.main, 'debian/macros'] as const].map(([file, slot]) => {
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
export function macroEnvironment(
  config: DistroConfig,
  files: readonly Pick<DistributionMacroFile, 'file' | 'text'>[],
): MacroEnvironment {
  return standardEnvironment({
    targetArch: config.architecture as TargetArch,
    files: files.map(({ file, text }) => ({ file, text })),
    defines: config.defines,
  });
}
