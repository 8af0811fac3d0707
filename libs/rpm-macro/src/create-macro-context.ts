/** A macro context that starts from an environment. */
import type { Diagnostic } from '@kiln/diagnostics';
import type { Builtin } from './builtins.ts';
import { MacroContext } from './macro.ts';
import { standardEnvironment, type MacroEnvironment } from './macro-environment.ts';
import { LEVEL, type MacroTable } from './macro-table.ts';
import type { MacroPorts } from './ports.ts';

export interface CreateMacroContextOptions {
  /** Default: the standard environment for x86_64. */
  readonly environment?: MacroEnvironment;
  readonly ports?: MacroPorts;
  readonly defines?: Readonly<Record<string, string>>;
  readonly builtins?: readonly Builtin[];
}

interface LoadedEnvironment {
  readonly table: MacroTable;
  readonly diagnostics: readonly Diagnostic[];
}

/** Environments are loaded once: an environment is an immutable value, so its object identity is its key. */
const loaded = new WeakMap<MacroEnvironment, LoadedEnvironment>();
let standard: MacroEnvironment | undefined;

/** A context with the macros of the environment and the given defines (as `--define`) on top. */
export function createMacroContext(options: CreateMacroContextOptions = {}): MacroContext {
  const environment = options.environment ?? (standard ??= standardEnvironment());
  const { table, diagnostics } = load(environment);
  const context = new MacroContext({
    table,
    rpmVersion: environment.rpmVersion,
    ...(options.ports === undefined ? {} : { ports: options.ports }),
    ...(options.builtins === undefined ? {} : { builtins: options.builtins }),
  });
  context.diagnostics.push(...diagnostics);
  for (const [name, body] of Object.entries(options.defines ?? {})) defineFromCommandLine(context, name, body);
  return context;
}

function load(environment: MacroEnvironment): LoadedEnvironment {
  const known = loaded.get(environment);
  if (known !== undefined) return known;
  const context = new MacroContext({ rpmVersion: environment.rpmVersion });
  for (const { file, text } of environment.files) context.loadMacroFile(file, text);
  for (const [name, body] of Object.entries(environment.targetMacros)) {
    context.push({ name, body, level: LEVEL.rpmrc, location: { file: '<target>', line: 1 } });
  }
  for (const [name, body] of Object.entries(environment.defines)) defineFromCommandLine(context, name, body);
  const result = { table: context.table.fork(), diagnostics: context.diagnostics };
  loaded.set(environment, result);
  return result;
}

function defineFromCommandLine(context: MacroContext, name: string, body: string): void {
  context.define(`${name} ${body === '' ? '%{nil}' : body}`, LEVEL.commandLine, { file: '<define>', line: 1 });
}
