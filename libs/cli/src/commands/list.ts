/** `kiln list`: the projects of the tree. */
import type { isBroken } from '@kiln/distribution';
import type { Command } from 'commander';
import { distributionOf, print, type CommandContext } from '../context.ts';
import { formatEvr } from '@kiln/rpm-package';
import { formatTable } from '../table.ts';

export function addList(program: Command, context: () => CommandContext): void {
  program
    .command('list')
    .description('list the packages and images of the tree')
    .option('--json', 'as JSON')
    .action(({ json }: { json?: boolean }) => list(context(), json === true));
}

async function list(context: CommandContext, json: boolean): Promise<void> {
  const { packages, images } = await distributionOf(context);
  const rows = [
    ...packages.map((one) => ({
      kind: 'package',
      id: one.id,
      file: one.specFile,
      version: one.sourcePackage === undefined ? '' : formatEvr(one.sourcePackage.evr),
      problem: problemOf(one),
    })),
    ...images.map((one) => ({ kind: 'image', id: one.name, file: one.file, version: '', problem: problemOf(one) })),
  ];
  if (json) return print(context, JSON.stringify(rows, undefined, 2));
  print(context, formatTable(rows.map(({ kind, id, version, problem }) => [kind, id, version, problem])));
}

function problemOf(project: Parameters<typeof isBroken>[0]): string {
  const error = project.diagnostics.find(({ severity }) => severity === 'error');
  return error === undefined ? '' : `${error.code}: ${error.message}`;
}
