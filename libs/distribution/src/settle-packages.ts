/** Packages with settings of their own, as these evaluate them. */
import type { Diagnostic } from '@kiln/diagnostics';
import { createLuaPort } from '@kiln/rpm-macro/lua';
import type { VariantInputs } from './bootstrap-variants.ts';
import { evaluatePackage } from './evaluate-package.ts';
import { EvaluationInputs } from './evaluation-inputs.ts';
import { macroEnvironment } from './macro-files.ts';
import type { EvaluatedPackage } from './package-project.ts';
import { changesEvaluation, definesWith, SETTINGS_FILE, type PackageSettings } from './package-settings.ts';

/** Adds the settings to the packages that have some; evaluates those anew whose macros differ by them. */
export async function settlePackages(
  inputs: VariantInputs,
  packages: readonly EvaluatedPackage[],
  settings: ReadonlyMap<string, PackageSettings>,
): Promise<EvaluatedPackage[]> {
  const lua = settings.size === 0 ? undefined : await createLuaPort();
  return packages.map((one) => {
    const own = settings.get(one.id);
    if (own === undefined || lua === undefined) return one;
    const files = [...new Set([...one.inputs, SETTINGS_FILE])].sort();
    if (!changesEvaluation(own)) return { ...one, settings: own, inputs: files };
    const defines = definesWith(inputs.config.defines, own);
    const environment = macroEnvironment({ ...inputs.config, defines }, inputs.macroFiles);
    const found = evaluatePackage(one, new EvaluationInputs({ ...inputs, environment }), lua);
    const { id, specRoot, directory, specFile, spec, record } = one;
    return {
      ...{ id, specRoot, directory, specFile, spec, defines, inputs: files, settings: own },
      ...(record === undefined ? {} : { record }),
      ...(found.sourcePackage === undefined ? {} : { sourcePackage: found.sourcePackage }),
      diagnostics: [...found.diagnostics, ...unknownConditionals(one, own)],
    };
  });
}

/** A conditional that the spec's text doesn't name anywhere has no effect: a slip. */
function unknownConditionals({ specFile, spec }: EvaluatedPackage, settings: PackageSettings): Diagnostic[] {
  const words = new Set(spec.text.match(/[A-Za-z0-9_]+/g));
  return [...(settings.with ?? []), ...(settings.without ?? [])]
    .filter((name) => !words.has(name))
    .map((name) => ({
      severity: 'error',
      code: 'PACKAGE_SETTINGS_INVALID',
      message: `${SETTINGS_FILE} switches the build conditional '${name}', which the spec doesn't have`,
      location: { file: specFile, line: 1 },
      hint: `correct ${SETTINGS_FILE}, or write %bcond ${name} 1 into the spec`,
    }));
}
