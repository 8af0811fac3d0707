/** The command line: parses it, runs one command, turns errors into one message and an exit status. */
import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { addAffected } from './commands/affected.ts';
import { addBlockers } from './commands/blockers.ts';
import { addBootstrap } from './commands/bootstrap.ts';
import { addBump } from './commands/bump.ts';
import { addChanges } from './commands/changes.ts';
import { addCycles } from './commands/cycles.ts';
import { addDependents } from './commands/dependents.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvents } from './commands/events.ts';
import { addExplain } from './commands/explain.ts';
import { addGc } from './commands/gc.ts';
import { addImagePlan } from './commands/image-plan.ts';
import { addImport } from './commands/import.ts';
import { addList } from './commands/list.ts';
import { addLockToolchain } from './commands/lock-toolchain.ts';
import { addLog } from './commands/log.ts';
import { addPlan } from './commands/plan.ts';
import { addProvides } from './commands/provides.ts';
import { addRecordMacros } from './commands/record-macros.ts';
import { addSources } from './commands/sources.ts';
import { addShell } from './commands/shell.ts';
import { addSpec } from './commands/spec.ts';
import { addSummary } from './commands/summary.ts';
import { addTargets } from './commands/targets.ts';
import { addToolchainManifest } from './commands/toolchain-manifest.ts';
import { addTrace } from './commands/trace.ts';
import { addUnresolved } from './commands/unresolved.ts';
import { addVerify } from './commands/verify.ts';
import { addWhy } from './commands/why.ts';
import type { CommandContext } from './context.ts';
import { describeFailure } from './failure.ts';
import { withInterrupts } from './interrupts.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/** Adds commands to the program. A command's action throws when it fails. */
export type AddCommands = (program: Command, context: () => CommandContext) => void;

const COMMANDS: readonly AddCommands[] = [
  addTargets,
  addAffected,
  addChanges,
  addPlan,
  addWhy,
  addDependents,
  addUnresolved,
  addCycles,
  addBlockers,
  addList,
  addLog,
  addShell,
  addEvents,
  addSummary,
  addTrace,
  addProvides,
  addSources,
  addBump,
  addExplain,
  addSpec,
  addImagePlan,
  addVerify,
  addImport,
  addRecordMacros,
  addBootstrap,
  addLockToolchain,
  addToolchainManifest,
  addDoctor,
  addGc,
];

const SUCCESS = 0;
const FAILURE = 1;
const USAGE = 2;
/** 128 + SIGINT, as a shell has it. */
const INTERRUPTED = 130;

/** Runs the command line; returns the exit status: 0, 1 when the command failed, 2 when it was not understood, 130 when interrupted. */
export async function main(
  argv: readonly string[],
  terminal: Terminal = processTerminal(process.env),
): Promise<number> {
  // The build user must be able to read what we put into the store.
  process.umask(0o022);
  return withInterrupts(async (signal) => {
    const program = createProgram(terminal, signal);
    try {
      await program.parseAsync([...argv], { from: 'user' });
      return SUCCESS;
    } catch (error) {
      if (error instanceof CommanderError) return error.exitCode === 0 ? SUCCESS : USAGE;
      terminal.err.write(`${describeFailure(error)}\n`);
      return signal.aborted ? INTERRUPTED : FAILURE;
    }
  });
}

function createProgram(terminal: Terminal, signal: AbortSignal): Command {
  const program = new Command('kiln')
    .description('Builds an RPM Linux distribution from source.')
    .option('-C, --directory <directory>', 'work as if started there', '.')
    .option('--arch <architecture>', "another of the distribution's architectures than its first")
    .exitOverride()
    .showHelpAfterError('(kiln --help lists the commands)')
    .configureHelp({ sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
    });
  const context = (): CommandContext => {
    const { directory, arch } = program.opts<{ directory: string; arch?: string }>();
    return { terminal, signal, cwd: resolve(directory), ...(arch === undefined ? {} : { architecture: arch }) };
  };
  for (const add of COMMANDS) add(program, context);
  return program;
}
