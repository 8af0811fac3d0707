/** What every command gets. */
import { BuildError } from '@kiln/diagnostics';
import { findWorkspaceRoot, loadDistribution, type Distribution } from '@kiln/distribution';
import { createHost, type EventSink, type Host } from '@kiln/host';
import type { Terminal } from './terminal.ts';

export interface CommandContext {
  readonly terminal: Terminal;
  /** The directory that the command was started in. */
  readonly cwd: string;
  /** The architecture that was asked for. */
  readonly architecture?: string;
  /** Where earlier results are, when the command was told: an address or an absolute path. */
  readonly results?: string;
  readonly signal: AbortSignal;
}

/** The workspace root around the current directory. @throws BuildError `DISTRO_CONFIG_MISSING`. */
export function rootOf({ cwd }: CommandContext): string {
  return findWorkspaceRoot(cwd);
}

/** As `rootOf`, but undefined outside of a workspace. */
export function workspaceOf(context: CommandContext): string | undefined {
  try {
    return rootOf(context);
  } catch (error) {
    if (error instanceof BuildError) return undefined;
    throw error;
  }
}

export function distributionOf(context: CommandContext): Promise<Distribution> {
  const { architecture, results } = context;
  return loadDistribution(rootOf(context), {
    ...(architecture === undefined ? {} : { architecture }),
    ...(results === undefined ? {} : { results }),
  });
}

export function hostOf({ signal }: CommandContext, emit: EventSink = () => undefined): Host {
  return createHost({ signal, emit });
}

/** Writes a line to standard output. */
export function print({ terminal }: CommandContext, line: string): void {
  terminal.out.write(`${line}\n`);
}
