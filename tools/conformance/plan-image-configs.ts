/** All image definitions of a directory, read as they are: which load, which plan in full, and what the others ask for in vain. */
import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BuildError } from '@kiln/diagnostics';
import { definitionFilesOnDisk } from '@kiln/distribution';
import { planDefinition, type DefinitionPlan } from '@kiln/image-config';

interface Outcome {
  readonly file: string;
  readonly plan?: DefinitionPlan;
  /** Why it doesn't load. */
  readonly error?: string;
}

export function planImageConfigs(argv: readonly string[]): void {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { json: { type: 'boolean' } },
  });
  const [directory] = positionals;
  if (directory === undefined) throw new Error('name a directory of image definitions');
  const outcomes = readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => outcomeOf(join(realpathSync(directory), name)));
  if (values.json === true) console.log(JSON.stringify(outcomes, undefined, 1));
  else report(outcomes);
  if (outcomes.length === 0 || outcomes.some(({ plan }) => plan === undefined)) process.exitCode = 1;
}

function outcomeOf(file: string): Outcome {
  try {
    return { file, plan: planDefinition(file, definitionFilesOnDisk('/')) };
  } catch (error) {
    if (error instanceof BuildError) return { file, error: error.format() };
    throw error;
  }
}

function report(outcomes: readonly Outcome[]): void {
  const refusals = new Map<string, number>();
  let complete = 0;
  for (const { file, plan, error } of outcomes) {
    const name = file.slice(file.lastIndexOf('/') + 1);
    if (plan === undefined) {
      console.log(`${name}: does not load: ${error}`);
      continue;
    }
    const packages = plan.systems.map((system) => system.packages.length).join('+');
    const reasons = [...new Set(plan.refused.map(({ message }) => message))];
    if (reasons.length === 0) complete += 1;
    for (const reason of reasons) refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
    const artifacts = plan.artifacts.map(({ kind }) => kind).join(', ') || 'no artifacts';
    console.log(
      `${name}: ${packages} packages, ${plan.partitions.length} partitions, ${artifacts}; ${reasons.length} parts not built`,
    );
  }
  for (const [reason, count] of [...refusals].sort((a, b) => b[1] - a[1]))
    console.log(`${String(count).padStart(4)}  ${reason}`);
  const loaded = outcomes.filter(({ plan }) => plan !== undefined).length;
  console.log(`${loaded} of ${outcomes.length} load, ${loaded} plan, ${complete} with all that they ask for`);
}
