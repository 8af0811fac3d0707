/** A run in Markdown: what a continuous integration shows beside its logs. Pure. */
import type { LoggedEvent, LoggedRun } from '@kiln/distribution';
import { formatDuration } from './duration.ts';
import { formatMemory } from './memory.ts';
import type { RunEvents } from './run-events.ts';

const SLOWEST = 10;
const MOST_BLOCKED = 20;

export function summaryOf({ events, run }: RunEvents): string {
  const sections = [head(events, run), failures(events), blocked(events), slowest(events)];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function head(events: readonly LoggedEvent[], run: LoggedRun | undefined): string {
  const having = (outcome: LoggedEvent['outcome']) => events.filter((event) => event.outcome === outcome).length;
  const counts = run?.counts ?? {
    ...{ built: having('built'), unchanged: having('cached'), failed: having('failed'), blocked: having('blocked') },
  };
  const took = run === undefined ? '' : ` in ${formatDuration(secondsBetween(run.started, run.ended))}`;
  const title = run === undefined ? '## A run that has not ended' : `## \`${run.command}\``;
  const line = Object.entries(counts).map(([name, count]) => `**${count}** ${name}`);
  return `${title}\n\n${line.join(', ')}${took}`;
}

function failures(events: readonly LoggedEvent[]): string {
  const failed = events.filter(({ outcome }) => outcome === 'failed');
  if (failed.length === 0) return '';
  const blocks = (name: string) => events.filter(({ blockedBy }) => blockedBy === name).length;
  const rows = failed.map(({ action, subject, seconds, error, log }) => [
    `${action} ${subject}`,
    formatDuration(seconds),
    String(blocks(`${action}:${subject}`)),
    error ?? '',
    log === undefined ? '' : `\`${log}\``,
  ]);
  return `### Failed\n\n${table(['task', 'after', 'blocks', 'why', 'log'], rows)}`;
}

function blocked(events: readonly LoggedEvent[]): string {
  const names = events.flatMap(({ outcome, action, subject }) =>
    outcome === 'blocked' ? [`\`${action} ${subject}\``] : [],
  );
  if (names.length === 0) return '';
  const more = names.length > MOST_BLOCKED ? ` and ${names.length - MOST_BLOCKED} more` : '';
  return `### Could not begin\n\n${names.sort().slice(0, MOST_BLOCKED).join(', ')}${more}`;
}

function slowest(events: readonly LoggedEvent[]): string {
  const done = events.filter(({ outcome }) => outcome === 'built').sort((a, b) => b.seconds - a.seconds);
  if (done.length === 0) return '';
  const rows = done
    .slice(0, SLOWEST)
    .map(({ action, subject, seconds, waitedSeconds, usage }) => [
      `${action} ${subject}`,
      formatDuration(seconds),
      formatDuration(waitedSeconds ?? 0),
      ...(usage === undefined
        ? ['', '', '', '']
        : [
            formatDuration(usage.cpuSeconds),
            formatMemory(usage.peakMemoryBytes),
            formatMemory(usage.readBytes),
            formatMemory(usage.writtenBytes),
          ]),
    ]);
  return `### Slowest\n\n${table(['task', 'time', 'waited', 'CPU', 'peak memory', 'read', 'written'], rows)}`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function secondsBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}
