/** `kiln affected`: what may rebuild since a revision, and why. Exact: it compares plan keys, not file names. */
import { BuildError } from '@kiln/diagnostics';
import { comparePlans, loadDistribution, planKeys, type PlanChange, type PlanKey } from '@kiln/distribution';
import type { Command } from 'commander';
import { distributionOf, hostOf, print, type CommandContext } from '../context.ts';
import { formatDigraph } from '../digraph.ts';
import { withTreeAt } from '../tree-at-revision.ts';

interface AffectedOptions {
  readonly base: string;
  readonly json?: boolean;
  readonly dot?: boolean;
}

export function addAffected(program: Command, context: () => CommandContext): void {
  program
    .command('affected')
    .description('list the tasks that may rebuild because of what changed since a revision, with the reasons')
    .requiredOption('--base <revision>', 'the revision to compare the work tree with')
    .option('--json', 'as JSON')
    .option('--dot', 'as a graph for Graphviz: from each reason to the tasks that may rebuild because of it')
    .action((options: AffectedOptions) => affected(context(), options));
}

async function affected(context: CommandContext, { base, json, dot }: AffectedOptions): Promise<void> {
  const distribution = await distributionOf(context);
  const before = await withTreeAt(hostOf(context), { root: distribution.root, revision: base }, plansFor(context));
  const changes = comparePlans(before, planKeys(distribution));
  if (json === true) return print(context, JSON.stringify(changes, undefined, 2));
  if (dot === true) return print(context, dotOf(changes));
  const { dim } = context.terminal.colors;
  for (const change of changes) print(context, `${change.task}${dim(reasonText(change))}`);
  const count = changes.filter(({ kind }) => kind !== 'removed').length;
  context.terminal.err.write(`${count} ${count === 1 ? 'task' : 'tasks'} may rebuild since ${base}\n`);
}

/** Tells the plan keys of a tree; one from before the distribution existed, or was for the architecture, has no plans. */
export function plansFor({ architecture }: CommandContext): (tree: string) => Promise<Map<string, PlanKey>> {
  return async (tree) => {
    try {
      return planKeys(await loadDistribution(tree, architecture === undefined ? {} : { architecture }));
    } catch (error) {
      const none = ['DISTRO_CONFIG_MISSING', 'ARCHITECTURE_UNKNOWN'];
      if (error instanceof BuildError && none.includes(error.code)) return new Map();
      throw error;
    }
  };
}

function reasonText({ kind, reasons }: PlanChange): string {
  return kind === 'changed' ? `  because of ${reasons.join(', ')}` : `  ${kind}`;
}

const COLORS: Readonly<Record<PlanChange['kind'], string>> = { added: 'green', changed: 'orange', removed: 'gray' };

/** What is no task has a box: files and other parts of plan keys. */
function dotOf(changes: readonly PlanChange[]): string {
  const tasks = new Map(changes.map(({ task, kind }) => [task, { color: COLORS[kind] }]));
  const parts = new Set(changes.flatMap(({ reasons }) => reasons).filter((reason) => !tasks.has(reason)));
  const nodes = new Map<string, Record<string, string>>(tasks);
  for (const part of parts) nodes.set(part, { shape: 'box' });
  const edges = changes.flatMap(({ task, reasons }) => reasons.map((reason) => ({ from: reason, to: task })));
  return formatDigraph('affected', nodes, edges);
}
