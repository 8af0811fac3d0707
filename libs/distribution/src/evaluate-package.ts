/** One spec to one evaluated package; problems become diagnostics of that package alone. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { LuaPort, MacroEnvironment, MacroPorts } from '@kiln/rpm-macro';
import { evaluateSpec } from '@kiln/rpm-spec';
import type { MacroAnswers } from './macro-answers.ts';
import type { DistributionMacroFile } from './macro-files.ts';
import type { EvaluatedPackage } from './package-project.ts';
import { signaturesPath } from './pinned-sources.ts';
import { DISTRO_FILE } from './distro-config.ts';

export interface SpecToEvaluate {
  readonly root: string;
  readonly specRoot: string;
  /** Workspace-relative path. */
  readonly specFile: string;
  readonly specText: string;
  readonly environment: MacroEnvironment;
  readonly macroFiles: readonly DistributionMacroFile[];
  readonly answers: MacroAnswers;
  readonly lua: LuaPort | undefined;
}

/** Reads and evaluates a spec. Files that it includes must lie in the workspace. */
export function evaluatePackage(spec: SpecToEvaluate): EvaluatedPackage {
  const { root, specRoot, specFile, specText, environment, macroFiles } = spec;
  const directory = dirname(specFile);
  const { sourcePackage, diagnostics } = evaluateSpec({
    file: specFile,
    text: specText,
    environment,
    sourceDir: directory,
    ports: evaluationPorts(spec),
  });
  const bare: EvaluatedPackage = {
    id: relative(specRoot, specFile).replace(/\.spec$/, ''),
    specRoot,
    directory,
    specFile,
    specText,
    diagnostics,
    inputs: [],
    ...(sourcePackage === undefined ? {} : { sourcePackage }),
  };
  return { ...bare, inputs: inputsOf(root, bare, macroFiles) };
}

/** What a spec may ask while it is read: files of the workspace and recorded answers, nothing of the machine. */
export function evaluationPorts({ root, answers, lua }: Pick<SpecToEvaluate, 'root' | 'answers' | 'lua'>): MacroPorts {
  return {
    readFile: (path) => readInWorkspace(root, path),
    shell: (command) => answers.get(command),
    ...(lua === undefined ? {} : { lua }),
  };
}

function inputsOf(root: string, one: EvaluatedPackage, macroFiles: readonly DistributionMacroFile[]): string[] {
  const local = (one.sourcePackage?.sources ?? []).map(({ fileName }) => join(one.directory, fileName));
  const own = [one.specFile, signaturesPath(one), ...local].filter((path) => existsSync(join(root, path)));
  return [...new Set([...own, ...macroFiles.map(({ file }) => file), DISTRO_FILE])].sort();
}

function readInWorkspace(root: string, path: string): string | undefined {
  const absolute = join(root, path);
  if (!absolute.startsWith(`${root}/`)) {
    throw new BuildError('INCLUDE_OUTSIDE', `'${path}' leaves the workspace`);
  }
  try {
    return readFileSync(absolute, 'utf8');
  } catch {
    return undefined;
  }
}
