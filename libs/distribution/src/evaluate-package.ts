/** One spec to what it says; problems become diagnostics of that spec alone. */
import { dirname } from 'node:path';
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import type { LuaPort, MacroPorts } from '@kiln/rpm-macro';
import { filesSections } from '@kiln/package-graph';
import { evaluateSpec, sectionOf } from '@kiln/rpm-spec';
import { asDiagnostic } from './as-diagnostic.ts';
import { fileReader, textDigest, type EvaluationInputs, type Read } from './evaluation-inputs.ts';
import type { MacroAnswers } from './macro-answers.ts';
import type { DistributionMacroFile } from './macro-files.ts';
import type { DescribedSource, EvaluatedPackage } from './package-project.ts';

export interface PackageEvaluation {
  /** Absent when the spec is unusable. */
  readonly sourcePackage?: DescribedSource;
  readonly diagnostics: readonly Diagnostic[];
  /** All that had a part in it beside the spec; undefined when that can't be told. */
  readonly reads: readonly Read[] | undefined;
}

/** Evaluates a spec. Files that it includes must lie in the workspace. */
export function evaluatePackage(
  { specFile, spec }: Pick<EvaluatedPackage, 'specFile' | 'spec'>,
  inputs: EvaluationInputs,
  lua: LuaPort,
): PackageEvaluation {
  const asked = new Set<Read>();
  try {
    const { sourcePackage, diagnostics, environmentReads, expandedText } = evaluateSpec({
      file: specFile,
      text: spec.text,
      environment: inputs.environment,
      sourceDir: dirname(specFile),
      ports: inputs.ports(lua, asked),
    });
    const reads =
      environmentReads === 'all' ? undefined : [...environmentReads.map((name): Read => `macro ${name}`), ...asked];
    if (sourcePackage === undefined) return { diagnostics, reads };
    const packagedPaths = Object.fromEntries(filesSections(expandedText, sourcePackage.name));
    const buildText = textDigest(withoutCheck(expandedText));
    return { diagnostics, reads, sourcePackage: { ...sourcePackage, packagedPaths, buildText } };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    const location = error.location ?? { file: specFile, line: 1 };
    return { diagnostics: [{ ...asDiagnostic(error), location }], reads: undefined };
  }
}

/** The lines outside of `%check`. */
function withoutCheck(text: string): string {
  let inCheck = false;
  const kept = text.split('\n').filter((line) => {
    inCheck = (sectionOf(line)?.name ?? (inCheck ? '%check' : '')) === '%check';
    return !inCheck;
  });
  return kept.join('\n');
}

/** What a spec may ask while it is read: files of distribution and workspace, recorded answers, nothing of the machine. */
export function evaluationPorts(sources: {
  readonly root: string;
  readonly macroFiles: readonly DistributionMacroFile[];
  readonly answers: MacroAnswers;
  readonly lua: LuaPort;
}): MacroPorts {
  const { root, macroFiles, answers, lua } = sources;
  return { lua, readFile: fileReader(root, macroFiles), shell: (command) => answers.get(command) };
}
