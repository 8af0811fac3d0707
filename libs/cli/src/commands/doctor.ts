/** `kiln doctor`: what Kiln needs of the machine, what is there, and how to get the rest. */
import { BuildError } from '@kiln/diagnostics';
import { findWorkspaceRoot } from '@kiln/distribution';
import type { Command } from 'commander';
import { hostOf, print, type CommandContext } from '../context.ts';
import { examine, fixText, type Finding } from '../examination.ts';
import { hasApt, prepareMachineFor, repairMachine } from '../machine.ts';
import { workspaceRequirements } from '../requirements.ts';
import { formatTable } from '../table.ts';

interface DoctorOptions {
  readonly fix?: boolean;
  readonly json?: boolean;
  readonly prepare?: boolean;
}

export function addDoctor(program: Command, context: () => CommandContext): void {
  program
    .command('doctor')
    .description('show what Kiln needs of this machine: what, why, found version, how to get it')
    .option('--fix', 'install what is missing (apt; as root or through sudo)')
    .option('--prepare', 'as the main job does it: ask on a terminal, do it with KILN_YES=1 or CI=true, else refuse')
    .option('--json', 'as JSON')
    .action((options: DoctorOptions) => doctor(context(), options));
}

async function doctor(context: CommandContext, { fix, json, prepare }: DoctorOptions): Promise<void> {
  const host = hostOf(context);
  const root = findWorkspaceRoot(context.cwd);
  const say = (line: string) => void context.terminal.err.write(`kiln: ${line}\n`);
  if (prepare === true) return prepareMachineFor(context, root);
  const apt = await hasApt(host);
  const findings =
    fix === true ? await repairMachine(host, { root, say }) : await examine(host, workspaceRequirements(root));
  print(context, json === true ? JSON.stringify(findings, undefined, 2) : table(findings, { context, apt }));
  const missing = findings.filter(({ ok }) => !ok);
  if (missing.length === 0) return;
  throw new BuildError('MACHINE_NOT_READY', `missing: ${missing.map(({ name }) => name).join(', ')}`, {
    hint: fix === true ? 'do by hand what the table says' : 'run `npx kiln doctor --fix`',
  });
}

function table(findings: readonly Finding[], { context, apt }: { context: CommandContext; apt: boolean }): string {
  const { colors } = context.terminal;
  const rows = findings.map((finding) => [
    finding.ok ? 'ok' : 'MISSING',
    finding.name,
    finding.found || '-',
    finding.minimalVersion ?? '',
    finding.why,
    finding.ok ? finding.message : fixText(finding, apt),
  ]);
  const lines = formatTable([
    ['', 'what', 'found', 'needed', 'why', 'how to get it, or how it is done'],
    ...rows,
  ]).split('\n');
  const paint = (line: string, at: number) => (findings[at - 1]?.ok === false ? colors.red(line) : line);
  return [colors.bold(lines[0]), ...lines.slice(1).map((line, i) => paint(line, i + 1))].join('\n');
}
