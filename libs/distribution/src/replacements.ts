/** How packages of the tree stand to the upstream packages that they replace. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { compareEvr, formatEvr, type Evr } from '@kiln/rpm-package';
import { evaluateSpec } from '@kiln/rpm-spec';
import type { DistroConfig } from './distro-config.ts';
import { specsBelow } from './evaluate-tree.ts';
import { specEvaluation } from './spec-evaluation.ts';
import type { TreeContent } from './upstream-lock.ts';

/** One entry of `replaces`. A version is absent when its spec can't be evaluated. */
export interface ReplacedSpec {
  readonly spec: string;
  readonly by: string;
  readonly upstreamVersion?: string;
  readonly localVersion?: string;
  /** `behind`: upstream's version is higher. `gone`: upstream has the spec no longer, so that the entry must go. */
  readonly state: 'current' | 'behind' | 'gone' | 'unknown';
}

export interface ReplacementsToCompare {
  readonly root: string;
  readonly config: DistroConfig;
  /** Directory of the upstream tree. */
  readonly upstream: string;
  /** What it has below the imported roots. */
  readonly fromUpstream: TreeContent;
}

/** Versions as rpm orders them, with the macros of the workspace. */
export async function compareReplacements(trees: ReplacementsToCompare): Promise<ReplacedSpec[]> {
  const { root, config, upstream, fromUpstream } = trees;
  const replaces = config.replaces ?? [];
  if (replaces.length === 0) return [];
  const versionOf = await versionReader(root);
  return replaces.map(({ spec, by }) => {
    if (!fromUpstream.has(spec)) return { spec, by, state: 'gone' };
    const [theirs, ours] = [versionOf(upstream, spec), versionOf(root, by)];
    if (theirs === undefined || ours === undefined) return { spec, by, state: 'unknown' };
    const state = compareEvr(theirs, ours) > 0 ? 'behind' : 'current';
    return { spec, by, upstreamVersion: formatEvr(theirs), localVersion: formatEvr(ours), state };
  });
}

async function versionReader(root: string): Promise<(directory: string, spec: string) => Evr | undefined> {
  try {
    const evaluation = await specEvaluation({ root });
    return (directory, spec) => {
      const file = join(directory, spec);
      if (!existsSync(file)) return undefined;
      return evaluateSpec({ file: spec, text: readFileSync(file, 'utf8'), ...evaluation }).sourcePackage?.evr;
    };
  } catch (error) {
    // Before the first import the macro files may be missing: they come with it.
    if (error instanceof BuildError && error.code === 'MACRO_FILE_MISSING') return () => undefined;
    throw error;
  }
}

/** Local specs named like an upstream one, of which `replaces` says nothing. */
export function unreplacedNames(
  root: string,
  { specRoots, replaces = [] }: DistroConfig,
  upstream: TreeContent,
): { readonly spec: string; readonly upstream: string }[] {
  const theirs = new Map([...upstream.keys()].filter(isSpec).map((spec) => [basename(spec), spec]));
  const known = new Set(replaces.map(({ by }) => by));
  return specRoots
    .flatMap((specRoot) => specsBelow(root, specRoot))
    .filter((spec) => !upstream.has(spec) && !known.has(spec) && theirs.has(basename(spec)))
    .map((spec) => ({ spec, upstream: theirs.get(basename(spec))! }));
}

function isSpec(path: string): boolean {
  return path.endsWith('.spec');
}
