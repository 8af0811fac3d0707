/** `kiln unresolved`: requirements that nothing in the tree satisfies, and those that only a prediction satisfies. */
import type { Distribution } from '@kiln/distribution';
import type { Command } from 'commander';
import { distributionOf, print, type CommandContext } from '../context.ts';

interface UnresolvedOptions {
  readonly json?: boolean;
  readonly predicted?: boolean;
}

export function addUnresolved(program: Command, context: () => CommandContext): void {
  program
    .command('unresolved')
    .description(
      'list the requirements that nothing in the tree provides, with the place where they are written, and how many rest on predictions',
    )
    .option('--predicted', 'list the predictions that plans rest on, instead')
    .option('--json', 'both as JSON')
    .action((options: UnresolvedOptions) => unresolved(context(), options));
}

async function unresolved(context: CommandContext, options: UnresolvedOptions): Promise<void> {
  const distribution = await distributionOf(context);
  const [lacks, predicted] = [lacksOf(distribution), predictedOf(distribution)];
  if (options.json === true) return print(context, JSON.stringify([...lacks, ...predicted], undefined, 2));
  if (options.predicted === true) {
    for (const { capability, by, rule, evidence, neededBy } of predicted)
      print(context, `${capability}: ${by} (predicted from ${rule} '${evidence}'), needed by ${neededBy.join(' ')}`);
  } else {
    for (const { file, line, message } of lacks)
      print(context, `${file}${line === undefined ? '' : `:${line}`}: ${message}`);
  }
  const count = new Set(lacks.map((one) => one.package)).size;
  context.terminal.err.write(
    `${lacks.length} unresolved requirements in ${count} packages, ${predicted.length} predicted capabilities\n`,
  );
}

function lacksOf({ packages }: Distribution) {
  return packages.flatMap(({ id, specFile, diagnostics }) =>
    diagnostics
      .filter(({ code }) => code === 'DEPENDENCY_UNRESOLVED')
      .map(({ message, location, hint }) => ({
        kind: 'unresolved',
        package: id,
        file: location?.file ?? specFile,
        line: location?.line,
        message,
        hint,
      })),
  );
}

/** Each prediction once, with the packages whose plans rest on it. */
function predictedOf({ packages }: Distribution) {
  const found = new Map<
    string,
    {
      kind: 'predicted';
      capability: string;
      by: string;
      of: string;
      rule: string;
      evidence: string;
      neededBy: string[];
    }
  >();
  for (const { id, predictions } of packages) {
    for (const { capability, package: by, origin, rule, evidence } of predictions) {
      const key = `${capability} ${origin} ${by}`;
      const known = found.get(key) ?? { kind: 'predicted', capability, by, of: origin, rule, evidence, neededBy: [] };
      known.neededBy.push(id);
      found.set(key, known);
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}
