/** All specs of a tree to evaluated packages; what was evaluated before and reads the same now is not evaluated again. */
import { readdirSync, type Dirent } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { MacroEnvironment } from '@kiln/rpm-macro';
import type { SourcePackage } from '@kiln/rpm-package';
import { DISTRO_FILE, type DistroConfig } from './distro-config.ts';
import { evaluatePackage, type PackageEvaluation } from './evaluate-package.ts';
import {
  EvaluationCache,
  openEvaluationCache,
  writeEvaluationCache,
  type CachedEvaluation,
  type NewEvaluation,
} from './evaluation-cache.ts';
import { EvaluationInputs, textDigest, type Read } from './evaluation-inputs.ts';
import { EVALUATOR_VERSION } from './evaluator-version.ts';
import { LuaOnDemand } from './lua-on-demand.ts';
import type { MacroAnswers } from './macro-answers.ts';
import type { DistributionMacroFile } from './macro-files.ts';
import type { EvaluatedPackage } from './package-project.ts';
import { signaturesPath } from './pinned-sources.ts';
import { withoutReplaced } from './replaced-specs.ts';
import { SpecOnDisk } from './spec-on-disk.ts';

/** Where evaluations are kept, relative to the workspace: in Nx's cache directory, which CI keeps and `nx reset` removes. */
export const EVALUATION_CACHE = '.nx/cache/kiln-evaluations';

export interface TreeToEvaluate {
  readonly root: string;
  readonly config: DistroConfig;
  readonly macroFiles: readonly DistributionMacroFile[];
  readonly environment: MacroEnvironment;
  readonly answers: MacroAnswers;
  /** Without it everything is evaluated and nothing is kept. */
  readonly cacheFile?: string;
  /** Only these specs. */
  readonly specFiles?: ReadonlySet<string>;
  /** Macros whose readers shall be told. */
  readonly watched?: readonly string[];
}

export interface EvaluatedTree {
  /** By spec root, then by path. */
  readonly packages: EvaluatedPackage[];
  /** Specs that the cache had no answer for. */
  readonly evaluated: readonly string[];
  /** Files that specs asked for, there or not. */
  readonly askedFiles: readonly string[];
  /** Specs that looked up a watched macro, or of which nobody can tell. */
  readonly watchers: ReadonlySet<string>;
}

/** Evaluates what has changed, and brings the cache up to date. */
export async function evaluateTree(tree: TreeToEvaluate): Promise<EvaluatedTree> {
  const { root, cacheFile } = tree;
  const inputs = new EvaluationInputs(tree);
  const key = commonKey(inputs);
  const cache = cacheFile === undefined ? new EvaluationCache() : openEvaluationCache(cacheFile, key, inputs);
  const listing = new DirectoryListing(root);
  const specs = specsOfTree(listing, tree);
  const found = specs.map(({ spec }) => cache.find(spec));
  const lua = new LuaOnDemand();
  const evaluated: string[] = [];
  const kept: (NewEvaluation | CachedEvaluation)[] = [];
  const exists = (path: string): boolean => listing.has(path);
  let restamped = 0;
  const packages: EvaluatedPackage[] = [];
  const watched = new Set((tree.watched ?? []).map((name): Read => `macro ${name}`));
  const watchers = new Set<string>();
  const isReader = watched.size === 0 ? () => false : cache.readersOf(watched);
  for (const [at, place] of specs.entries()) {
    const { specFile, spec } = place;
    const known = found[at];
    if (known !== undefined) {
      const isRestamped = spec.stamp !== '' && known.specStamp !== spec.stamp;
      if (isRestamped) restamped += 1;
      if (isReader(known)) watchers.add(specFile);
      kept.push(isRestamped ? { ...known, specStamp: spec.stamp } : known);
      packages.push(toPackage(tree, { ...place, exists }, fromStored(known)));
      continue;
    }
    const problem = spec.encodingProblem;
    if (problem !== undefined) {
      packages.push(toPackage(tree, { ...place, exists }, { diagnostics: [problem], sourceFiles: [] }));
      continue;
    }
    const evaluation = await lua.use((port) => evaluatePackage(place, inputs, port));
    evaluated.push(specFile);
    if (evaluation.reads?.some((read) => watched.has(read)) ?? true) watchers.add(specFile);
    if (cacheFile !== undefined && evaluation.reads !== undefined) kept.push(toStored(spec, evaluation));
    packages.push(toPackage(tree, { ...place, exists }, { ...evaluation, sourceFiles: sourceFilesOf(evaluation) }));
  }
  if (cacheFile !== undefined)
    await writeEvaluationCache(cacheFile, { key, inputs, cache, evaluations: kept, restamped });
  return { packages, evaluated, askedFiles: inputs.askedFiles, watchers };
}

/** What every evaluation depends on, beside what it reads. */
function commonKey({ environment, environmentDiagnostics }: EvaluationInputs): string {
  const { rpmVersion, targetArch } = environment;
  const parts = [EVALUATOR_VERSION, rpmVersion, targetArch, environmentDiagnostics];
  return textDigest(JSON.stringify(parts));
}

function specsOfTree(listing: DirectoryListing, { root, config, specFiles }: TreeToEvaluate): SpecPlace[] {
  const specs = config.specRoots.flatMap((specRoot) =>
    specsIn(listing, specRoot)
      .sort()
      .map((specFile) => ({ specRoot, specFile })),
  );
  const started = Date.now();
  return withoutReplaced(specs, config)
    .filter(({ specFile }) => specFiles?.has(specFile) ?? true)
    .map(({ specRoot, specFile }) => ({ specRoot, specFile, spec: new SpecOnDisk(root, specFile, started) }));
}

/** Paths of specs. Links are not followed; what is hidden or not there is passed over. */
export function specsBelow(root: string, directory: string): string[] {
  return specsIn(new DirectoryListing(root), directory);
}

function specsIn(listing: DirectoryListing, directory: string): string[] {
  return [...listing.entries(directory).values()].flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    if (entry.name.startsWith('.')) return [];
    if (entry.isDirectory()) return specsIn(listing, path);
    return entry.isFile() && entry.name.endsWith('.spec') ? [path] : [];
  });
}

function toStored({ file, digest, stamp }: SpecOnDisk, evaluation: PackageEvaluation): NewEvaluation {
  const { sourcePackage, diagnostics, reads } = evaluation;
  return {
    specFile: file,
    specDigest: digest,
    specStamp: stamp,
    reads: reads!,
    sourceFiles: sourceFilesOf(evaluation),
    diagnostics,
    sourcePackage: Buffer.from(sourcePackage === undefined ? '' : JSON.stringify(sourcePackage)),
  };
}

function sourceFilesOf({ sourcePackage }: PackageEvaluation): string[] {
  return (sourcePackage?.sources ?? []).map(({ fileName }) => fileName);
}

type KnownEvaluation = Pick<EvaluatedPackage, 'sourcePackage' | 'diagnostics'> & Pick<CachedEvaluation, 'sourceFiles'>;

/** The source package is parsed when it is asked for: most commands need few. */
function fromStored({ diagnostics, sourceFiles, sourcePackage: json }: CachedEvaluation): KnownEvaluation {
  if (json.length === 0) return { diagnostics, sourceFiles };
  let parsed: SourcePackage | undefined;
  return {
    diagnostics,
    sourceFiles,
    get sourcePackage() {
      return (parsed ??= JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.length).toString('utf8')));
    },
  };
}

/** Directories of a tree, each listed once: most sources don't lie beside their spec, so that asking for each costs more. */
class DirectoryListing {
  readonly #root: string;
  readonly #directories = new Map<string, ReadonlyMap<string, Dirent>>();

  constructor(root: string) {
    this.#root = root;
  }

  /** By name; none for a directory that can't be listed. */
  entries(directory: string): ReadonlyMap<string, Dirent> {
    let entries = this.#directories.get(directory);
    if (entries === undefined) this.#directories.set(directory, (entries = entriesOf(join(this.#root, directory))));
    return entries;
  }

  has(path: string): boolean {
    return this.entries(dirname(path)).has(basename(path));
  }
}

function entriesOf(directory: string): ReadonlyMap<string, Dirent> {
  try {
    return new Map(readdirSync(directory, { withFileTypes: true }).map((entry) => [entry.name, entry]));
  } catch {
    return new Map();
  }
}

interface SpecPlace {
  readonly specRoot: string;
  readonly specFile: string;
  readonly spec: SpecOnDisk;
}

function toPackage(
  { macroFiles }: TreeToEvaluate,
  { specRoot, specFile, spec, exists }: SpecPlace & { readonly exists: (path: string) => boolean },
  known: KnownEvaluation,
): EvaluatedPackage {
  const directory = dirname(specFile);
  let inputs: readonly string[] | undefined;
  const findInputs = (): readonly string[] => {
    const local = known.sourceFiles.map((fileName) => join(directory, fileName));
    const own = [specFile, signaturesPath({ specFile, directory }), ...local].filter(exists);
    return [...new Set([...own, ...macroFiles.map(({ file }) => file), DISTRO_FILE])].sort();
  };
  const common = {
    id: relative(specRoot, specFile).replace(/\.spec$/, ''),
    specRoot,
    directory,
    specFile,
    diagnostics: known.diagnostics,
    spec,
    get inputs() {
      return (inputs ??= findInputs());
    },
  };
  if (!('sourcePackage' in known)) return common;
  return Object.defineProperty(common, 'sourcePackage', { enumerable: true, get: () => known.sourcePackage });
}
