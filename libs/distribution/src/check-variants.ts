/** The packages as their `check` targets evaluate them: with `with_check`, or what the distribution says instead. */
import { createLuaPort } from '@kiln/rpm-macro/lua';
import type { VariantInputs } from './bootstrap-variants.ts';
import type { DistroConfig } from './distro-config.ts';
import { evaluatePackage } from './evaluate-package.ts';
import { evaluateTree, type EvaluatedTree, type TreeToEvaluate } from './evaluate-tree.ts';
import { EvaluationInputs } from './evaluation-inputs.ts';
import { macroEnvironment } from './macro-files.ts';
import type { EvaluatedPackage } from './package-project.ts';
import { changesEvaluation } from './package-settings.ts';

/** These evaluations are kept beside the others. */
const CHECK_SUFFIX = '-for-check';

/** Macros of the check evaluation: Azure Linux's convention, unless the distribution has another one. */
export function checkDefines({ checkDefines: own = { with_check: '1' } }: DistroConfig): Record<string, string> {
  return own;
}

/** Those specs again that ask for one of these macros; the others say the same with them. By spec file. */
export async function evaluateForCheck(
  tree: TreeToEvaluate,
  { watchers }: Pick<EvaluatedTree, 'watchers'>,
): Promise<ReadonlyMap<string, EvaluatedPackage>> {
  const { config, macroFiles, cacheFile } = tree;
  const defines = { ...config.defines, ...checkDefines(config) };
  const { packages } = await evaluateTree({
    ...tree,
    environment: macroEnvironment({ ...config, defines }, macroFiles),
    specFiles: watchers,
    ...(cacheFile === undefined ? {} : { cacheFile: `${cacheFile}${CHECK_SUFFIX}` }),
  });
  return new Map(packages.map((one) => [one.specFile, one]));
}

/** Each usable package as its check sees it; by id. */
export async function checkVariants(
  inputs: VariantInputs,
  packages: readonly EvaluatedPackage[],
  evaluated: ReadonlyMap<string, EvaluatedPackage>,
): Promise<Map<string, EvaluatedPackage>> {
  const { config, macroFiles } = inputs;
  const own = packages.some(({ settings }) => settings !== undefined && changesEvaluation(settings));
  const lua = own ? await createLuaPort() : undefined;
  const variants = new Map<string, EvaluatedPackage>();
  for (const one of packages) {
    if (one.sourcePackage === undefined) continue;
    const defines = { ...(one.defines ?? config.defines), ...checkDefines(config) };
    const variant = { ...one, defines };
    if (one.defines === undefined || lua === undefined) {
      const found = evaluated.get(one.specFile);
      variants.set(one.id, found === undefined ? variant : withEvaluation(variant, found));
    } else {
      const environment = macroEnvironment({ ...config, defines }, macroFiles);
      const found = evaluatePackage(one, new EvaluationInputs({ ...inputs, environment }), lua);
      variants.set(one.id, withEvaluation(variant, { ...found, inputs: [] }));
    }
  }
  return variants;
}

function withEvaluation(
  one: EvaluatedPackage,
  { sourcePackage, diagnostics, inputs }: Pick<EvaluatedPackage, 'sourcePackage' | 'diagnostics' | 'inputs'>,
): EvaluatedPackage {
  const { sourcePackage: _, ...rest } = one;
  const all = [...new Set([...one.inputs, ...inputs])].sort();
  return { ...rest, diagnostics, inputs: all, ...(sourcePackage === undefined ? {} : { sourcePackage }) };
}
