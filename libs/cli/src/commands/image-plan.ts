/** `kiln image-plan`: what image definitions ask for, of this tree or of a checkout of Azure Linux. */
import { realpathSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { BuildError, formatLocation } from '@kiln/diagnostics';
import { definitionFilesOnDisk } from '@kiln/distribution';
import { planDefinition, type DefinitionPlan, type PartitionPlan, type SystemPlan } from '@kiln/image-config';
import type { Command } from 'commander';
import { print, workspaceOf, type CommandContext } from '../context.ts';
import { formatTable } from '../table.ts';

export function addImagePlan(program: Command, context: () => CommandContext): void {
  program
    .command('image-plan <definition...>')
    .description('print what a definition asks for, and which parts of it are not built')
    .option('--json', 'as JSON')
    .action((files: string[], { json }: { json?: boolean }) => planDefinitions(context(), files, json === true));
}

function planDefinitions(context: CommandContext, files: readonly string[], json: boolean): void {
  const plans = files.map((file) => planFile(context, file));
  if (json) return print(context, JSON.stringify(plans.length === 1 ? plans[0] : plans, undefined, 2));
  plans.forEach((plan, index) => {
    if (index > 0) print(context, '');
    printPlan(context, plan);
  });
}

/** In a workspace paths are relative to it, as everywhere else; elsewhere they are absolute. */
function planFile(context: CommandContext, file: string): DefinitionPlan {
  const given = resolve(context.cwd, file);
  const workspace = workspaceOf(context);
  if (workspace !== undefined && given.startsWith(`${workspace}/`))
    return planDefinition(relative(workspace, given), definitionFilesOnDisk(workspace));
  return planDefinition(realPath(given, file), definitionFilesOnDisk('/'));
}

function realPath(path: string, file: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw new BuildError('IMAGE_FILE_MISSING', `there is no file '${file}'`, { cause });
  }
}

function printPlan(context: CommandContext, plan: DefinitionPlan): void {
  const artifacts = plan.artifacts.map(({ name, kind, partition }) =>
    partition === undefined ? `${name} (${kind})` : `${name} (${kind} of the partition ${partition})`,
  );
  print(context, `${plan.name}: ${artifacts.join(', ') || 'no artifacts'}`);
  if (plan.partitions.length > 0) print(context, indented(formatTable(plan.partitions.map(partitionRow))));
  for (const system of plan.systems) print(context, indented(formatTable(systemRows(system))));
  if (plan.refused.length === 0) return;
  print(context, '  not built:');
  for (const { location, message } of plan.refused) print(context, `    ${formatLocation(location)}${message}`);
}

function partitionRow({ id, fileSystem, start, end, mountPoint }: PartitionPlan): string[] {
  return ['partition', id, fileSystem, `${start}-${end === 0 ? 'end' : end} MiB`, mountPoint];
}

function systemRows(system: SystemPlan): string[][] {
  const { services } = system;
  const rows: [string, readonly string[]][] = [
    ['system', [system.name]],
    ['boot', [system.bootType]],
    ['host name', [system.hostname ?? '']],
    [`${system.packages.length} packages`, system.packages],
    ['users', system.users],
    ['groups', system.groups],
    ['files', system.files],
    ['scripts', system.scripts],
    ['services', [...services.enable, ...services.disable.map((unit) => `no ${unit}`)]],
  ];
  return rows.filter(([, values]) => values.join('') !== '').map(([what, values]) => [what, values.join(' ')]);
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
