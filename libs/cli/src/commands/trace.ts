/** `kiln trace`: the last run for a trace viewer. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { print, rootOf, type CommandContext } from '../context.ts';
import { eventsOfRun } from '../run-events.ts';
import { traceOf } from '../trace.ts';

interface TraceOptions {
  readonly run?: string;
  readonly output?: string;
}

export function addTrace(program: Command, context: () => CommandContext): void {
  program
    .command('trace')
    .description('print the last run as a trace for Perfetto (ui.perfetto.dev) or chrome://tracing')
    .option('--run <name>', 'another run, as `kiln events --json` names it')
    .option('-o, --output <file>', 'write it to a file')
    .action((options: TraceOptions) => trace(context(), options));
}

function trace(context: CommandContext, { run, output }: TraceOptions): void {
  const text = JSON.stringify(traceOf(eventsOfRun(rootOf(context), run).events));
  if (output === undefined) return print(context, text);
  writeFileSync(resolve(context.cwd, output), `${text}\n`);
}
