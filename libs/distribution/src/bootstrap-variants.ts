/** The packages that the policy names, as their bootstrap builds evaluate them: other conditionals, a marked release. */
import type { Diagnostic } from '@kiln/diagnostics';
import { createLuaPort } from '@kiln/rpm-macro/lua';
import type { BootstrapBuild, BootstrapPolicy } from './bootstrap-policy.ts';
import type { DistroConfig } from './distro-config.ts';
import { evaluatePackage } from './evaluate-package.ts';
import { EvaluationInputs } from './evaluation-inputs.ts';
import type { MacroAnswers } from './macro-answers.ts';
import { macroEnvironment, type DistributionMacroFile } from './macro-files.ts';
import type { EvaluatedPackage } from './package-project.ts';

/** Marks the release of a bootstrap build: it sorts before the final one. */
export const BOOTSTRAP_MARK = '~bootstrap';

export interface VariantInputs {
  readonly root: string;
  readonly config: DistroConfig;
  readonly macroFiles: readonly DistributionMacroFile[];
  readonly answers: MacroAnswers;
}

/** Evaluates them; by package id. */
export async function bootstrapVariants(
  inputs: VariantInputs,
  packages: readonly EvaluatedPackage[],
  { packages: builds }: Pick<BootstrapPolicy, 'packages'>,
): Promise<Map<string, EvaluatedPackage>> {
  const variants = new Map<string, EvaluatedPackage>();
  if (builds.size === 0) return variants;
  const lua = await createLuaPort();
  for (const one of packages) {
    const build = builds.get(one.id);
    if (build === undefined) continue;
    const defines = bootstrapDefines(one.defines ?? inputs.config.defines, build);
    const environment = macroEnvironment({ ...inputs.config, defines }, inputs.macroFiles);
    const found = evaluatePackage(one, new EvaluationInputs({ ...inputs, environment }), lua);
    const { id, specRoot, directory, specFile, spec, record, settings } = one;
    const own = { id, specRoot, directory, specFile, spec, inputs: one.inputs, defines };
    variants.set(id, {
      ...own,
      ...(settings === undefined ? {} : { settings }),
      diagnostics: [...found.diagnostics, ...variantProblems(one, build, found.sourcePackage?.evr.release)],
      ...(found.sourcePackage === undefined ? {} : { sourcePackage: found.sourcePackage }),
      ...(record?.buildRequires === undefined ? {} : { record: { buildRequires: record.buildRequires } }),
    });
  }
  return variants;
}

/** `--with x` and `--without x` of rpmbuild, and the mark in `%dist`. */
export function bootstrapDefines(
  defines: Readonly<Record<string, string>>,
  { with: switchedOn, without }: BootstrapBuild,
): Record<string, string> {
  return {
    ...defines,
    dist: `${defines['dist'] ?? ''}${BOOTSTRAP_MARK}`,
    ...Object.fromEntries(switchedOn.map((name) => [`_with_${name}`, `--with-${name}`])),
    ...Object.fromEntries(without.map((name) => [`_without_${name}`, `--without-${name}`])),
  };
}

/** Names of the build conditionals of a spec: `%bcond x 1`, `%bcond_with x`, `%bcond_without x`. */
export function buildConditionals(specText: string): { readonly name: string; readonly isOn: boolean }[] {
  const found = specText.matchAll(/^\s*%bcond(_with|_without)?[ \t]+([A-Za-z0-9_]+)(?:[ \t]+(\S+))?/gm);
  return [...found].map(([, kind, name, value]) => ({
    name: name!,
    isOn: kind === '_without' || (kind === undefined && value !== '0'),
  }));
}

function variantProblems(
  { specFile, spec }: EvaluatedPackage,
  build: BootstrapBuild,
  release: string | undefined,
): Diagnostic[] {
  const known = new Set(buildConditionals(spec.text).map(({ name }) => name));
  const unknown = [...build.with, ...build.without].filter((name) => !known.has(name));
  const problem = (code: string, message: string, hint: string): Diagnostic => ({
    severity: 'error',
    code,
    message,
    location: { file: specFile, line: 1 },
    hint,
  });
  return [
    ...unknown.map((name) =>
      problem(
        'BOOTSTRAP_CONDITIONAL_UNKNOWN',
        `the spec has no build conditional '${name}'`,
        `write %bcond_without ${name} into the spec, or correct toolkit/bootstrap.json`,
      ),
    ),
    ...(release === undefined || release.includes(BOOTSTRAP_MARK)
      ? []
      : [
          problem(
            'BOOTSTRAP_RELEASE_UNMARKED',
            `the Release '${release}' of its bootstrap build has no '${BOOTSTRAP_MARK}'`,
            'end the Release with %{?dist}',
          ),
        ]),
  ];
}
