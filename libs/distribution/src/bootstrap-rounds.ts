/** Rounds after stage A: workspaces that build the toolchain's RPMs on what the round before has made. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { resolveClosure } from '@kiln/package-graph';
import { formatDependency, parseDependency } from '@kiln/rpm-package';
import {
  type BootstrapPlan,
  formatToolchainManifest,
  parseToolchainManifest,
  type ToolchainManifest,
} from '@kiln/toolchain';
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import { DISTRO_FILE, type DistroConfig } from './distro-config.ts';
import { readDistroConfig } from './read-distro-config.ts';
import type { Distribution } from './distribution.ts';
import { originsOf } from './plan.ts';
import { createUniverse } from './universe.ts';

/**
 * `seeded` builds on the root of stage A, `self` on the RPMs of `seeded`, so that nothing of stage A is left, `proof` on those of `self`, to
 * compare.
 */
export type BootstrapRound = 'seeded' | 'self' | 'proof';

export const ROUNDS: readonly BootstrapRound[] = ['seeded', 'self', 'proof'];

/** Manifest that a round's RPMs are written into, relative to its workspace. */
export const ROUND_MANIFEST = 'toolkit/manifests/result.json';

/** Manifest of the RPMs that it builds on. */
const BASE_MANIFEST = 'toolkit/manifests/toolchain.json';

/** Where a workspace shows the RPMs that it has built. */
const RPMS = 'dist/rpms';

/** Absolute path of a round's workspace. */
export function roundWorkspace(root: string, round: BootstrapRound): string {
  return join(root, 'dist', 'bootstrap', round);
}

/**
 * Makes the round's workspace anew from the tree as it is; what it has built before stays in the store.
 * @throws BuildError `BOOTSTRAP_ROUND_MISSING` when the round before has no result.
 */
export async function makeRoundWorkspace(root: string, round: BootstrapRound): Promise<string> {
  const config = readDistroConfig(root);
  const place = roundWorkspace(root, round);
  for (const tree of [...config.specRoots, config.imageDirectory, dirname(DISTRO_FILE)]) {
    await rm(join(place, tree), { recursive: true, force: true });
    // A tree may have no images yet, or no packages of a root of specs.
    if (existsSync(join(root, tree)))
      await cp(join(root, tree), join(place, tree), { recursive: true, preserveTimestamps: true });
  }
  const before = ROUNDS[ROUNDS.indexOf(round) - 1];
  await mkdir(join(place, dirname(ROUND_MANIFEST)), { recursive: true });
  if (before !== undefined) await takeManifest(root, before, join(place, BASE_MANIFEST));
  await writeFile(join(place, DISTRO_FILE), `${JSON.stringify(roundConfig(root, config, round), undefined, 2)}\n`);
  return place;
}

/** Without the packages that its RPMs stand for: a round builds them from their specs. */
async function takeManifest(root: string, before: BootstrapRound, to: string): Promise<void> {
  const file = join(roundWorkspace(root, before), ROUND_MANIFEST);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new BuildError('BOOTSTRAP_ROUND_MISSING', `the round '${before}' has no toolchain yet`, {
      hint: 'do the stages in their order: `kiln bootstrap --stage B`, then `--stage C`',
      cause,
    });
  }
  const manifest = parseToolchainManifest(text, file);
  const url = pathToFileURL(join(roundWorkspace(root, before), RPMS)).href;
  const repositories = manifest.repositories.map((one) => ({ ...one, url }));
  await writeFile(to, formatToolchainManifest({ ...manifest, repositories, specs: {}, others: [] }));
}

/** Without find-debuginfo, which comes from debugedit, there are no packages of debug information. */
function roundConfig(root: string, config: DistroConfig, round: BootstrapRound): DistroConfig {
  const { bootstrap, results, ...rest } = config;
  const fromSource = config.toolchain.provider === 'bootstrap' ? config.toolchain : bootstrap;
  const toolchain =
    round === 'seeded' && fromSource !== undefined
      ? ({ ...fromSource, provider: 'bootstrap' } as const)
      : ({ provider: 'repository', manifest: BASE_MANIFEST } as const);
  return {
    ...rest,
    ...(results === undefined ? {} : { results: { ...results, ...placeOfResults(root, results) } }),
    toolchain,
    defines: { ...config.defines, debug_package: '%{nil}' },
    checks: { ...config.checks, severities: { ...config.checks?.severities, DEBUGINFO_MISSING: 'off' } },
  };
}

/** A directory of the workspace isn't one of the round's. */
function placeOfResults(root: string, { from }: Required<DistroConfig>['results']): { readonly from?: string } {
  if (from === undefined || from.includes('://')) return {};
  return { from: pathToFileURL(resolve(root, from)).href };
}

/**
 * Ids of the packages whose RPMs are the toolchain: all that its members need to run, from the tree alone.
 * @throws BuildError `TOOLCHAIN_UNRESOLVED` with everything that the tree doesn't have.
 */
export function memberPackages(
  { packages, toolchain }: Distribution,
  { table }: Pick<BootstrapPlan, 'table'>,
): string[] {
  const { imageIndex } = createUniverse(packages, toolchain.provider);
  const closure = resolveClosure(imageIndex, table.members.map(parseDependency));
  // Who has a file is known when it is built; then the manifest says what is missing.
  const missing = closure.unresolved.filter(
    ({ dependency }) => !('name' in dependency && dependency.name.startsWith('/')),
  );
  if (missing.length > 0) {
    throw new BuildError('TOOLCHAIN_UNRESOLVED', 'the tree has not all that the toolchain needs', {
      diagnostics: missing.map(({ dependency, requiredBy }): Diagnostic => ({
        severity: 'error',
        code: 'TOOLCHAIN_UNRESOLVED',
        message: `nothing provides ${formatDependency(dependency)}${requiredBy === undefined ? '' : `, which ${requiredBy} requires`}`,
      })),
      hint: "add the packages, or correct 'members' of the table of steps",
    });
  }
  return originsOf(closure);
}

/** What `kiln toolchain-manifest` resolves for a round. */
export function roundRequest(architecture: string, { table }: Pick<BootstrapPlan, 'table'>): string {
  const request = {
    architecture,
    keys: {},
    repositories: [{ name: 'own', url: RPMS }],
    roots: table.members,
    lists: [],
  };
  return `${JSON.stringify(request, undefined, 2)}\n`;
}

export interface RoundComparison {
  /** How many RPMs are the same, bit for bit. */
  readonly equal: number;
  /** NEVRA of each other one and what is the matter with it, sorted. */
  readonly differing: readonly { readonly nevra: string; readonly what: string }[];
}

type RoundRpms = Pick<ToolchainManifest, 'packages' | 'others'>;

/** All RPMs of two rounds: those of their roots and the other ones of the same source packages. */
export function compareRounds(self: RoundRpms, proof: RoundRpms): RoundComparison {
  const digests = ({ packages, others }: RoundRpms) =>
    new Map([...packages, ...others].map(({ nevra, sha256 }) => [nevra, sha256]));
  const [own, again] = [digests(self), digests(proof)];
  const names = [...new Set([...own.keys(), ...again.keys()])].sort();
  const differing = names.flatMap((nevra) => {
    if (own.get(nevra) === again.get(nevra)) return [];
    if (!again.has(nevra)) return [{ nevra, what: "was not built by the round 'proof'" }];
    return [{ nevra, what: own.has(nevra) ? 'has other contents' : "was not built by the round 'self'" }];
  });
  return { equal: names.length - differing.length, differing };
}
