/** Stage A as planning sees it: each step with its sources, its script and its identity; nothing is downloaded. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { digestOf, type Sha256 } from '@kiln/build-identity';
import { BuildError, nearestWord } from '@kiln/diagnostics';
import { readSignatures } from '@kiln/sources';
import { BOOTSTRAP_RECIPE_VERSION, STEP_PRELUDE } from './bootstrap-recipe.ts';
import { parseBootstrapSteps, type BootstrapStep, type BootstrapSteps } from './bootstrap-steps.ts';
import { loadDebianToolchain, type DebianToolchain } from './debian-toolchain.ts';

/** A tarball of a package. */
export interface StepSource {
  /** The package's name. */
  readonly name: string;
  readonly fileName: string;
  readonly sha256: Sha256;
}

export interface PlannedStep extends Omit<BootstrapStep, 'sources'> {
  readonly sources: readonly StepSource[];
  /** Everything that runs, after the prelude. */
  readonly text: string;
  /** Steps whose files it sees, those that need others first. */
  readonly sees: readonly string[];
  /** Digest of all that decides its files. */
  readonly identity: Sha256;
}

export interface BootstrapPlan {
  /** The workspace. */
  readonly root: string;
  readonly table: BootstrapSteps;
  /** What stands for the host: its compiler and its tools. */
  readonly seed: DebianToolchain;
  /** In an order in which they can be done. */
  readonly steps: readonly PlannedStep[];
}

/**
 * Reads the table and what it names; `file` is relative to the workspace.
 * @throws BuildError `BOOTSTRAP_STEPS_MISSING`, `BOOTSTRAP_STEPS_INVALID`, `BOOTSTRAP_SOURCE_UNKNOWN` and those of the seed's lock.
 */
export function loadBootstrapPlan(root: string, file: string): BootstrapPlan {
  const table = readBootstrapSteps(root, file);
  const seed = loadDebianToolchain(root, table.seed);
  const planned = new Map<string, PlannedStep>();
  for (const step of table.steps) {
    const sees = seenSteps(step, planned);
    const sources = step.sources.map((name) => sourceOf(root, table, { name, step }));
    const text = step.scripts.map((name) => readScript(root, join(dirname(file), 'scripts'), { name, step })).join('');
    const usesSeed = step.root === 'seed' || sees.some((name) => planned.get(name)!.root === 'seed');
    const identity = digestOf({
      recipeVersion: BOOTSTRAP_RECIPE_VERSION,
      prelude: STEP_PRELUDE,
      ...{ text, target: table.target, root: step.root, options: [...step.options] },
      sources: sources.map(({ name, sha256 }) => [name, sha256]),
      sees: sees.map((name) => planned.get(name)!.identity),
      ...(usesSeed ? { seed: seed.layerIdentity } : {}),
    });
    planned.set(step.name, { ...step, sources, text, sees, identity });
  }
  return { root, table, seed, steps: [...planned.values()] };
}

/** The table alone: names and order of the steps. @throws BuildError `BOOTSTRAP_STEPS_MISSING`, `BOOTSTRAP_STEPS_INVALID` */
export function readBootstrapSteps(root: string, file: string): BootstrapSteps {
  return parseBootstrapSteps(readStepFile(root, file), file);
}

/** All that a step needs, directly or not: later steps, which lie over earlier ones, come first. */
function seenSteps({ needs }: BootstrapStep, planned: ReadonlyMap<string, PlannedStep>): string[] {
  const seen = new Set(needs.flatMap((name) => [name, ...planned.get(name)!.sees]));
  return [...planned.keys()].filter((name) => seen.has(name)).reverse();
}

const ARCHIVE = /\.(tar\.\w+|tgz)$/;

/** What a step names. */
interface Named {
  readonly name: string;
  readonly step: BootstrapStep;
}

/** The one tarball that the package's signatures pin. */
function sourceOf(root: string, { specs }: BootstrapSteps, { name, step }: Named): StepSource {
  const { location } = step;
  if (!existsSync(join(root, specs, name))) {
    throw new BuildError(
      'BOOTSTRAP_SOURCE_UNKNOWN',
      `the step '${step.name}' takes the sources of '${name}', which ${specs} doesn't have`,
      {
        location,
        hint: suggestion(name, namesIn(join(root, specs))) ?? 'name a package of the tree',
      },
    );
  }
  const signatures = join(specs, name, `${name}.signatures.json`);
  const archives = [...readSignatures(join(root, signatures), signatures)].filter(([one]) => ARCHIVE.test(one));
  const [found] = archives;
  if (found !== undefined && archives.length === 1) return { name, fileName: found[0], sha256: found[1] };
  throw new BuildError(
    'BOOTSTRAP_SOURCE_UNKNOWN',
    `${signatures} pins ${archives.length} tarballs; a step takes the one of '${name}'`,
    { location, hint: 'take the sources of a package that has one tarball' },
  );
}

/** @throws BuildError `BOOTSTRAP_STEPS_MISSING` */
function readScript(root: string, directory: string, { name, step }: Named): string {
  if (existsSync(join(root, directory, name))) return readStepFile(root, join(directory, name));
  throw new BuildError(
    'BOOTSTRAP_STEPS_MISSING',
    `the step '${step.name}' runs ${join(directory, name)}, which isn't there`,
    {
      location: step.location,
      hint: suggestion(name, namesIn(join(root, directory))) ?? 'write it, or name another one',
    },
  );
}

function suggestion(name: string, known: readonly string[]): string | undefined {
  const near = nearestWord(name, known);
  return near === undefined ? undefined : `did you mean '${near}'?`;
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

/** The version that a package's spec states. @throws BuildError `BOOTSTRAP_SOURCE_UNKNOWN` */
export function statedVersion(root: string, { specs }: BootstrapSteps, name: string): string {
  const spec = join(specs, name, `${name}.spec`);
  const version = /^Version:[ \t]*([\w.+~]+)$/m.exec(readStepFile(root, spec))?.[1];
  if (version !== undefined) return version;
  throw new BuildError('BOOTSTRAP_SOURCE_UNKNOWN', `${spec} states its version with macros`, {
    hint: 'name another package of that version in "provides"',
  });
}

function readStepFile(root: string, file: string): string {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch (cause) {
    throw new BuildError('BOOTSTRAP_STEPS_MISSING', `${file} can't be read`, {
      hint: 'restore the file: the steps of a bootstrap name it',
      cause,
    });
  }
}
