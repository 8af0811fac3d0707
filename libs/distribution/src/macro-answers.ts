/** Recorded answers: what the shell commands in macros print in the build root. Reading a tree never runs them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { DistroConfig } from './distro-config.ts';

/** Command → its standard output, untrimmed. */
export type MacroAnswers = ReadonlyMap<string, string>;

/**
 * The answers of a tree; none when it has no such file.
 * @throws BuildError `MACRO_ANSWERS_INVALID`.
 */
export function readMacroAnswers(root: string, { macroAnswers }: DistroConfig): MacroAnswers {
  if (macroAnswers === undefined) return new Map();
  let text: string;
  try {
    text = readFileSync(join(root, macroAnswers), 'utf8');
  } catch {
    return new Map();
  }
  try {
    const { shell } = JSON.parse(text) as { shell: Readonly<Record<string, string>> };
    const entries = Object.entries(shell);
    if (entries.some(([, answer]) => typeof answer !== 'string')) throw new Error('an answer is no text');
    return new Map(entries);
  } catch (cause) {
    throw new BuildError('MACRO_ANSWERS_INVALID', `${macroAnswers} has no object 'shell' of commands and answers`, {
      location: { file: macroAnswers, line: 1 },
      hint: 'remove the file and run `kiln record-macros`',
      cause,
    });
  }
}

/** The text of the file: ordered, one answer a line. */
export function formatMacroAnswers(answers: MacroAnswers): string {
  const shell = Object.fromEntries([...answers].sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ shell }, undefined, 2)}\n`;
}
