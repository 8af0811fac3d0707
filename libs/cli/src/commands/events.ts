/** `kiln events`: what really ran, and what the store answered. */
import { readEventLog, type LoggedEvent } from '@kiln/distribution';
import type { Command } from 'commander';
import { print, rootOf, type CommandContext } from '../context.ts';
import { formatDuration } from '../duration.ts';
import { formatTable } from '../table.ts';
import { wholeNumber } from '../whole-number.ts';

interface EventsOptions {
  readonly json?: boolean;
  readonly last: number;
  readonly outcome?: string;
}

export function addEvents(program: Command, context: () => CommandContext): void {
  program
    .command('events')
    .description('print the event log: what was built, answered from the store, or failed')
    .option('--json', 'one JSON object a line')
    .option('--last <count>', 'only the last ones', wholeNumber, 50)
    .option('--outcome <outcome>', 'only built, cached or failed ones')
    .action((options: EventsOptions) => events(context(), options));
}

function events(context: CommandContext, { json, last, outcome }: EventsOptions): void {
  const logged = readEventLog(rootOf(context)).filter((event) => outcome === undefined || event.outcome === outcome);
  const shown = logged.slice(-last);
  if (json === true) return shown.forEach((event) => print(context, JSON.stringify(event)));
  if (shown.length > 0) print(context, formatTable(shown.map(row)));
}

function row({ time, action, subject, outcome, seconds, key }: LoggedEvent): string[] {
  return [time, outcome, action, subject, formatDuration(seconds), key.slice(0, 12)];
}
