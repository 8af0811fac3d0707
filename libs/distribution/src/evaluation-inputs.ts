/** What evaluations read beside their specs: macros, files, recorded answers; served to them, recorded, and told by digest. */
import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import {
  createMacroContext,
  type LuaPort,
  type MacroEntry,
  type MacroEnvironment,
  type MacroPorts,
  type MacroTable,
} from '@kiln/rpm-macro';
import type { MacroAnswers } from './macro-answers.ts';
import { isInside } from './is-inside.ts';
import { installedMacroFiles, type DistributionMacroFile } from './macro-files.ts';

/** Something that was read, found or not: `macro <name>`, `file <path>`, `answer <command>`. */
export type Read = `${'macro' | 'file' | 'answer'} ${string}`;

/** The digest of what isn't there. */
const MISSING = '';

export interface EvaluationSources {
  readonly root: string;
  readonly macroFiles: readonly DistributionMacroFile[];
  readonly environment: MacroEnvironment;
  readonly answers: MacroAnswers;
}

/** The state of a tree at one time: each thing is read once, so that what was evaluated and what is told of it agree. */
export class EvaluationInputs {
  readonly environment: MacroEnvironment;
  /** What is wrong with the macro files; every evaluation repeats it. */
  readonly environmentDiagnostics: readonly Diagnostic[];
  readonly #read: (path: string) => string | undefined;
  readonly #answers: MacroAnswers;
  readonly #macros: MacroTable;
  readonly #files = new Map<string, string | undefined>();
  readonly #digests = new Map<Read, string>();

  constructor({ root, macroFiles, environment, answers }: EvaluationSources) {
    const context = createMacroContext({ environment });
    this.environment = environment;
    this.environmentDiagnostics = context.diagnostics;
    this.#read = fileReader(root, macroFiles);
    this.#answers = answers;
    this.#macros = context.initialTable;
  }

  /** What a spec may ask while it is read: files of the workspace and recorded answers. Each question is added to `reads`. */
  ports(lua: LuaPort, reads: Set<Read>): MacroPorts {
    return {
      lua,
      readFile: (path) => {
        reads.add(`file ${path}`);
        return this.#file(path);
      },
      shell: (command) => {
        reads.add(`answer ${command}`);
        return this.#answers.get(command);
      },
    };
  }

  /** Files that were asked for, there or not, beside specs and macro files. */
  get askedFiles(): readonly string[] {
    return [...this.#files.keys()];
  }

  /** The digest of what such a read finds now; empty when it finds nothing. */
  digest(read: Read): string {
    let digest = this.#digests.get(read);
    if (digest === undefined) this.#digests.set(read, (digest = this.#digestOf(read)));
    return digest;
  }

  #digestOf(read: Read): string {
    const space = read.indexOf(' ');
    const name = read.slice(space + 1);
    if (read.startsWith('macro ')) return macroDigest(this.#macros.peek(name));
    return textDigest(read.startsWith('file ') ? this.#file(name) : this.#answers.get(name));
  }

  #file(path: string): string | undefined {
    if (!this.#files.has(path)) this.#files.set(path, this.#read(path));
    return this.#files.get(path);
  }
}

/** Reads the distribution's files of rpm's configuration directory by their place there, all others in the workspace. */
export function fileReader(
  root: string,
  macroFiles: readonly DistributionMacroFile[],
): (path: string) => string | undefined {
  const installed = installedMacroFiles(macroFiles);
  return (path) => installed.get(path) ?? readInWorkspace(root, path);
}

/** Files must lie in the workspace. @throws BuildError `INCLUDE_OUTSIDE`. */
function readInWorkspace(root: string, path: string): string | undefined {
  const absolute = join(root, path);
  if (!absolute.startsWith(`${root}/`)) {
    throw outside(path);
  }
  if (!existsSync(absolute)) return undefined;
  if (!isInside(root, path)) throw outside(path);
  try {
    return readFileSync(absolute, 'utf8');
  } catch {
    return undefined;
  }
}

function outside(path: string): BuildError {
  return new BuildError('INCLUDE_OUTSIDE', `'${path}' leaves the workspace`, {
    hint: 'put a copy of the file into the workspace',
  });
}

export function textDigest(text: string | undefined): string {
  return text === undefined ? MISSING : hash('sha256', text);
}

/** All definitions of a name count, as %undefine brings back hidden ones, and where they stand, as results name the place. */
function macroDigest(newest: MacroEntry | undefined): string {
  if (newest === undefined) return MISSING;
  const definitions: unknown[] = [];
  for (let entry: MacroEntry | undefined = newest; entry !== undefined; entry = entry.previous) {
    const { options, body, level, literal, builtin, location } = entry;
    definitions.push([options, body, level, literal, builtin?.name, location]);
  }
  return textDigest(JSON.stringify(definitions));
}
