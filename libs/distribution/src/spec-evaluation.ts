/** Evaluating single specs as the tree does, also specs outside of any tree. */
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { standardEnvironment, type MacroEnvironment, type MacroPorts, type TargetArch } from '@kiln/rpm-macro';
import { createLuaPort } from '@kiln/rpm-macro/lua';
import { readDistroConfig } from './read-distro-config.ts';
import { evaluationPorts } from './evaluate-package.ts';
import { readMacroAnswers } from './macro-answers.ts';
import { macroEnvironment, readMacroFiles } from './macro-files.ts';

/** What `evaluateSpec` needs beside the spec. */
export interface SpecEvaluation {
  readonly environment: MacroEnvironment;
  readonly ports: MacroPorts;
}

export interface SpecEvaluationOptions {
  /** The workspace whose macros, defines and answers count; without one the standard macros do. */
  readonly root?: string;
  /** Instead of the workspace's architecture. */
  readonly targetArch?: TargetArch;
  /** More macro files, read after all others. */
  readonly macroFiles?: readonly string[];
}

/** @throws BuildError as `readDistroConfig`, `readMacroFiles`, `readMacroAnswers`. */
export async function specEvaluation({
  root,
  targetArch,
  macroFiles = [],
}: SpecEvaluationOptions): Promise<SpecEvaluation> {
  const more = macroFiles.map((file) => ({ file, text: readFileSync(file, 'utf8') }));
  const lua = await createLuaPort();
  if (root === undefined) {
    const environment = standardEnvironment({ files: more, ...(targetArch === undefined ? {} : { targetArch }) });
    return { environment, ports: { lua, readFile: readAnywhere } };
  }
  const config = readDistroConfig(root);
  const own = readMacroFiles(root, config);
  const known = macroEnvironment(targetArch === undefined ? config : { ...config, architecture: targetArch }, own);
  const environment = { ...known, files: [...known.files, ...more] };
  const ports = evaluationPorts({ root, macroFiles: own, answers: readMacroAnswers(root, config), lua });
  return { environment, ports };
}

function readAnywhere(path: string): string | undefined {
  try {
    return readFileSync(isAbsolute(path) ? path : join('.', path), 'utf8');
  } catch {
    return undefined;
  }
}
