/** `kiln summary`: the last run in Markdown. */
import type { Command } from 'commander';
import { rootOf, type CommandContext } from '../context.ts';
import { eventsOfRun } from '../run-events.ts';
import { summaryOf } from '../run-summary.ts';

export function addSummary(program: Command, context: () => CommandContext): void {
  program
    .command('summary')
    .description('print the last run in Markdown: what was built, the slowest, what failed and what that blocked')
    .option('--run <name>', 'another run, as `kiln events --json` names it')
    .action(({ run }: { run?: string }) => {
      const { terminal } = context();
      terminal.out.write(summaryOf(eventsOfRun(rootOf(context()), run)));
    });
}
