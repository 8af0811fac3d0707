/**
 * Predictions compared with built RPMs:
 * `npx tsx tools/conformance/predictions.ts --rpms <directory> [--tree <workspace>] [--json]`.
 *
 * Asked is for every capability of a predictable kind that the workspace's specs or the RPMs need, and, as more questions, for every one
 * that the RPMs provide. A prediction can be checked when the RPM of the predicted package is in the directory; it is right when that RPM
 * provides the capability, or has the file. What is predicted for no package is no prediction.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadDistribution, type Distribution } from '@kiln/distribution';
import { parseRequirement, predictProvides, type Prediction } from '@kiln/package-graph';
import { simpleDependencies, type Dependency } from '@kiln/rpm-package';
import { readRpmHeader } from '@kiln/rpm-repository';

export interface PredictionFigures {
  readonly asked: number;
  readonly predicted: number;
  readonly checked: number;
  readonly right: number;
  /** By rule: right and checked. */
  readonly rules: Readonly<Record<string, readonly [right: number, checked: number]>>;
  readonly wrong: readonly Prediction[];
}

/** What an RPM has: names of capabilities and paths. */
export interface BuiltFacts {
  readonly name: string;
  readonly provides: ReadonlySet<string>;
  readonly requires: readonly Dependency[];
}

export async function reportPredictions(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rpms: { type: 'string', multiple: true },
      tree: { type: 'string', default: process.cwd() },
      json: { type: 'boolean', default: false },
    },
  });
  if (values.rpms === undefined) throw new Error('--rpms is missing: a directory of built RPMs');
  const rpms = await readRpms(values.rpms);
  const figures = checkPredictions(await loadDistribution(values.tree), rpms);
  if (values.json) return console.log(JSON.stringify(figures, undefined, 2));
  const { asked, predicted, checked, right, rules, wrong } = figures;
  const percent = checked === 0 ? 'nothing to check' : `${((100 * right) / checked).toFixed(1)} % right`;
  console.log(`${asked} asked, ${predicted} predicted, ${checked} checked, ${right} right: ${percent}`);
  for (const [rule, [good, all]] of Object.entries(rules)) console.log(`${rule}: ${good} of ${all}`);
  for (const one of wrong) console.log(`wrong: ${one.capability} by ${one.package} (${one.rule}: ${one.evidence})`);
}

async function readRpms(directories: readonly string[]): Promise<BuiltFacts[]> {
  const files = directories.flatMap((directory) =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.rpm') && !name.endsWith('.src.rpm'))
      .map((name) => join(directory, name)),
  );
  const headers = await Promise.all(files.map(async (file) => (await readRpmHeader(file)).package));
  return headers.map(({ name, provides, requires, files: paths }) => ({
    name,
    requires,
    provides: new Set([...provides.map((one) => one.name), ...paths.map(({ path }) => path)]),
  }));
}

/** Kinds that predictions are made for. */
const PREDICTABLE = /^(?:pkgconfig|perl|python3(?:\.\d+)?dist|rubygem)\(|^\//;

export function checkPredictions(
  { packages }: Pick<Distribution, 'packages'>,
  rpms: readonly BuiltFacts[],
): PredictionFigures {
  const built = new Map(rpms.map((rpm) => [rpm.name, rpm]));
  const predictable = packages.flatMap(({ id, sourcePackage }) =>
    (sourcePackage?.packages ?? [])
      .filter((one) => one.built)
      .map(({ name }) => ({
        name,
        origin: id,
        sourceName: sourcePackage!.name,
        files: sourcePackage!.packagedPaths?.[name] ?? [],
      })),
  );
  const needed = packages.flatMap(({ sourcePackage: source }) => [
    ...(source?.buildRequires ?? []),
    ...(source?.packages ?? []).flatMap(({ requires }) => requires),
  ]);
  const names = [...needed, ...rpms.flatMap(({ requires }) => requires)].flatMap((one) =>
    simpleDependencies(parseRequirement(one)).map(({ name }) => name),
  );
  const offered = rpms.flatMap(({ provides }) => [...provides].filter((name) => !name.startsWith('/')));
  const asked = new Set([...names, ...offered].filter((name) => PREDICTABLE.test(name)));
  const predictions = predictProvides(predictable, asked);
  const checked = predictions.filter((one) => built.has(one.package));
  const isRight = (one: Prediction): boolean => built.get(one.package)!.provides.has(one.capability);
  const rules: Record<string, [number, number]> = {};
  for (const one of checked) {
    const counts = (rules[one.rule] ??= [0, 0]);
    counts[1] += 1;
    if (isRight(one)) counts[0] += 1;
  }
  const wrong = checked.filter((one) => !isRight(one));
  return {
    asked: asked.size,
    predicted: predictions.length,
    checked: checked.length,
    right: checked.length - wrong.length,
    rules,
    wrong,
  };
}
