/** Reading a tree: configuration, specs, images; evaluated and planned. Reading never runs the tree's code. */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BuildError, nearestWord } from '@kiln/diagnostics';
import {
  loadToolchain,
  type DebianFullToolchain,
  type LoadToolchainOptions,
  type PlannedToolchain as ToolchainPlan,
} from '@kiln/toolchain';
import { asDiagnostic } from './as-diagnostic.ts';
import { checkPolicyNames, readBootstrapPolicy } from './bootstrap-policy.ts';
import { bootstrapVariants } from './bootstrap-variants.ts';
import { checkDefines, checkVariants, evaluateForCheck } from './check-variants.ts';
import { DISTRO_FILE, type DistroConfig } from './distro-config.ts';
import { architecturesOf, forArchitecture, readDistroConfig } from './read-distro-config.ts';
import { evaluateTree, EVALUATION_CACHE } from './evaluate-tree.ts';
import { readImages } from './image-project.ts';
import { readMacroAnswers } from './macro-answers.ts';
import { macroEnvironment, readMacroFiles, type DistributionMacroFile } from './macro-files.ts';
import type { EvaluatedPackage, ImageProject, PackageProject } from './package-project.ts';
import { checkSettingsNames, readPackageSettings } from './package-settings.ts';
import { planPackages } from './plan.ts';
import { settlePackages } from './settle-packages.ts';
import { toolchainMembers } from './toolchain-members.ts';
import { createUniverse, TOOLCHAIN_ORIGIN } from './universe.ts';
import { readProvidesRecord, recordPath } from './provides-record.ts';
import type { Provider } from '@kiln/package-graph';

/** The toolchain as planning sees it: identity and capabilities, known without downloading anything. */
export type PlannedToolchain = ToolchainPlan & {
  readonly provider: Provider;
  /** Set in mode `debian-full`. */
  readonly full?: DebianFullToolchain;
};

export class Distribution {
  readonly root: string;
  /** As it is for the architecture that was asked for. */
  readonly config: DistroConfig;
  /** All that it is made for, its own first. */
  readonly architectures: readonly string[];
  readonly toolchain: PlannedToolchain;
  readonly macroFiles: readonly DistributionMacroFile[];
  /** In the order of their ids. */
  readonly packages: readonly PackageProject[];
  readonly images: readonly ImageProject[];
  /** Workspace-relative files that specs asked for while they were read, there or not. */
  readonly askedFiles: readonly string[];
  readonly #byId: ReadonlyMap<string, PackageProject>;

  constructor(parts: DistributionParts) {
    this.root = parts.root;
    this.config = parts.config;
    this.architectures = parts.architectures;
    this.toolchain = parts.toolchain;
    this.macroFiles = parts.macroFiles;
    this.packages = parts.packages;
    this.images = parts.images;
    this.askedFiles = parts.askedFiles;
    this.#byId = new Map(parts.packages.map((one) => [one.id, one]));
  }

  /**
   * A package by its id, or by its source name when only one has that.
   * @throws BuildError `PACKAGE_UNKNOWN`, `PACKAGE_AMBIGUOUS`.
   */
  findPackage(nameOrId: string): PackageProject {
    const byId = this.#byId.get(nameOrId);
    if (byId !== undefined) return byId;
    const named = this.packages.filter(
      ({ sourcePackage, specFile }) => (sourcePackage?.name ?? basename(specFile, '.spec')) === nameOrId,
    );
    if (named.length === 1) return named[0]!;
    if (named.length > 1) {
      throw new BuildError(
        'PACKAGE_AMBIGUOUS',
        `'${nameOrId}' is the name of several packages: ${named.map(({ id }) => id).join(', ')}`,
        {
          hint: 'use one of these ids',
        },
      );
    }
    const near = nearestWord(nameOrId, this.#byId.keys());
    throw new BuildError('PACKAGE_UNKNOWN', `the tree has no package '${nameOrId}'`, {
      hint: near === undefined ? 'list the packages with `kiln list`' : `did you mean '${near}'?`,
    });
  }

  /** @throws BuildError `IMAGE_UNKNOWN`. */
  findImage(name: string): ImageProject {
    const image = this.images.find((one) => one.name === name);
    if (image !== undefined) return image;
    const near = nearestWord(
      name,
      this.images.map((one) => one.name),
    );
    throw new BuildError('IMAGE_UNKNOWN', `${this.config.imageDirectory} has no image '${name}'`, {
      hint:
        near === undefined
          ? `the images are: ${this.images.map((one) => one.name).join(', ')}`
          : `did you mean '${near}'?`,
    });
  }
}

interface DistributionParts {
  readonly root: string;
  readonly config: DistroConfig;
  readonly architectures: readonly string[];
  readonly toolchain: PlannedToolchain;
  readonly macroFiles: readonly DistributionMacroFile[];
  readonly packages: readonly PackageProject[];
  readonly images: readonly ImageProject[];
  readonly askedFiles: readonly string[];
}

export interface LoadOptions extends LoadToolchainOptions {
  /** Instead of the distribution's own; one of those that it names. */
  readonly architecture?: string;
  /** Where earlier results are, instead of where the configuration says: an address or an absolute path. */
  readonly results?: string;
}

/**
 * Reads the tree at `root`. Broken specs and images become projects with diagnostics; only a bad configuration throws.
 * @throws BuildError `DISTRO_CONFIG_MISSING`, `DISTRO_CONFIG_INVALID`, `ARCHITECTURE_UNKNOWN`, `BOOTSTRAP_POLICY_INVALID`, `PACKAGE_SETTINGS_INVALID`,
 * `MACRO_FILE_MISSING`, `MACRO_ANSWERS_INVALID`, and those of the toolchain's lock.
 */
export async function loadDistribution(root: string, options: LoadOptions = {}): Promise<Distribution> {
  const own = readDistroConfig(root);
  const config = withResults(forArchitecture(own, options.architecture ?? own.architecture), options.results);
  const macroFiles = readMacroFiles(root, config);
  const environment = macroEnvironment(config, macroFiles);
  const answers = readMacroAnswers(root, config);
  const toolchain = planToolchain(root, config, options);
  const tree = { root, config, macroFiles, environment, answers };
  const cache = usesCache() ? { cacheFile: join(root, cacheFileOf(own, config)) } : {};
  const evaluated = await evaluateTree({ ...tree, ...cache, watched: Object.keys(checkDefines(config)) });
  const recorded = withUniqueIds(evaluated.packages).map((one) => withRecord(root, config, one));
  const settings = readPackageSettings(root);
  checkSettingsNames(settings, new Set(recorded.map(({ id }) => id)));
  const unique = await settlePackages(tree, recorded, settings);
  // In mode debian-full nothing of the tree is in a build root.
  const universe = createUniverse(toolchain.full === undefined ? unique : [], toolchain.provider);
  const policy = readBootstrapPolicy(root);
  checkPolicyNames(policy, new Set(unique.map(({ id }) => id)));
  const variants = await bootstrapVariants({ root, config, macroFiles, answers }, unique, policy);
  const checks = await checkVariants(tree, unique, await evaluateForCheck({ ...tree, ...cache }, evaluated));
  const declared = new Map(Object.entries(config.choices ?? {}));
  const members = toolchainMembers(root, toolchain, options.isLocking === true ? [] : unique);
  const packages = planPackages(unique, universe, { policy, variants, checks, declared, members });
  const images = readImages({ root, config, universe, packages });
  const { askedFiles } = evaluated;
  const architectures = architecturesOf(own);
  return new Distribution({ root, config, architectures, toolchain, macroFiles, packages, images, askedFiles });
}

function withResults(config: DistroConfig, from: string | undefined): DistroConfig {
  return from === undefined ? config : { ...config, results: { ...config.results, from } };
}

/** Each architecture has a file, so that asking for another one forgets nothing. */
function cacheFileOf(own: DistroConfig, { architecture }: DistroConfig): string {
  return architecture === own.architecture ? EVALUATION_CACHE : `${EVALUATION_CACHE}-${architecture}`;
}

function planToolchain(root: string, { toolchain }: DistroConfig, options: LoadToolchainOptions): PlannedToolchain {
  const plan = loadToolchain(root, toolchain, options);
  const provider = { ...plan.package, origin: TOOLCHAIN_ORIGIN };
  return 'requirements' in plan ? { ...plan, provider, full: plan } : { ...plan, provider };
}

/** `KILN_EVALUATION_CACHE=off` evaluates every spec anew and keeps nothing. */
function usesCache(): boolean {
  return process.env['KILN_EVALUATION_CACHE'] !== 'off';
}

/** Equal ids in several roots get the root before them, so that all stay addressable. */
function withUniqueIds(packages: readonly EvaluatedPackage[]): EvaluatedPackage[] {
  const counts = new Map<string, number>();
  for (const { id } of packages) counts.set(id, (counts.get(id) ?? 0) + 1);
  return packages
    .map((one) => (counts.get(one.id) === 1 ? one : { ...one, id: `${one.specRoot}/${one.id}` }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function withRecord(root: string, { provides }: DistroConfig, one: EvaluatedPackage): EvaluatedPackage {
  try {
    const record = readProvidesRecord(root, recordPath(provides, one.id));
    return record === undefined ? one : { ...one, record };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return { ...one, diagnostics: [...one.diagnostics, asDiagnostic(error)] };
  }
}

/** The workspace that a directory is in: the nearest one upwards with a `toolkit/distro.json`. @throws BuildError `DISTRO_CONFIG_MISSING`. */
export function findWorkspaceRoot(start: string): string {
  for (let directory = start; ; directory = dirname(directory)) {
    try {
      readFileSync(join(directory, DISTRO_FILE));
      return directory;
    } catch {
      if (directory === dirname(directory)) {
        throw new BuildError(
          'DISTRO_CONFIG_MISSING',
          `neither ${start} nor a directory above it has a ${DISTRO_FILE}`,
          {
            hint: 'run inside a Kiln workspace',
          },
        );
      }
    }
  }
}
