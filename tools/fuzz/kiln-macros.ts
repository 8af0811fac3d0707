/** Expands texts with the evaluator, each in a context of its own. */
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createMacroContext, type LuaPort, type MacroEnvironment } from '@kiln/rpm-macro';
import type { MacroOutcome } from './rpm-macros.ts';

export interface KilnMacrosOptions {
  readonly environment: MacroEnvironment;
  readonly probe: string;
  readonly lua: LuaPort;
}

const shellAnswers = new Map<string, string>();

/** The outcome of one text; `milliseconds` says how long it took. */
export function expandWithKiln(text: string, options: KilnMacrosOptions): MacroOutcome & { milliseconds: number } {
  const started = performance.now();
  try {
    return { ...expand(text, options), milliseconds: performance.now() - started };
  } catch (error) {
    const messages = [`crash: ${error instanceof Error ? error.stack : String(error)}`];
    return { value: undefined, probe: undefined, died: true, messages, milliseconds: performance.now() - started };
  }
}

function expand(text: string, options: KilnMacrosOptions): MacroOutcome {
  const { environment, probe, lua } = options;
  lua.reset();
  const context = createMacroContext({
    environment,
    ports: { lua, shell, exists: existsSync, readFile, environment: () => undefined },
  });
  const value = context.tryExpand(text);
  const messages = context.diagnostics.map(({ severity, message }) => `${severity}: ${message}`);
  const probed = context.tryExpand(probe);
  return { value, probe: probed, messages };
}

/** rpm opens a directory as if it were an empty file; texts name no other files that exist. */
function readFile(path: string): string | undefined {
  return existsSync(path) && statSync(path).isDirectory() ? '' : undefined;
}

function shell(command: string): string {
  let answer = shellAnswers.get(command);
  if (answer === undefined) {
    const { stdout } = spawnSync('/bin/sh', ['-c', command], {
      cwd: tmpdir(),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10_000,
    });
    shellAnswers.set(command, (answer = stdout ?? ''));
  }
  return answer;
}
