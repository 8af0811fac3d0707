/** Source packages of a checkout of Azure Linux, from their specs or from a file of recorded facts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { filesSections, type Provider } from '@kiln/package-graph';
import { parseEvr, rpmFileName, type Dependency, type SourcePackage } from '@kiln/rpm-package';
import { specsBelow } from '../azurelinux/macro-environment/evaluate-tree.ts';
import type { FactDependency, SpecFacts } from '../oracle/facts.ts';
import { openConformanceTree } from './conformance-tree.ts';

/** A source package with the packages that are really built from it. */
export interface GraphSource {
  /** Path of the spec in the tree. */
  readonly id: string;
  readonly buildRequires: readonly Dependency[];
  readonly packages: readonly Provider[];
  /** Paths and globs of the %files sections, by package; empty for recorded facts. */
  readonly files: ReadonlyMap<string, readonly string[]>;
}

export interface GraphSourcesOptions {
  readonly tree: string;
  readonly roots: readonly string[];
  readonly targetArch: string;
  readonly rpmDirectory: string;
}

/** Evaluates all specs below the roots. Specs for other architectures are left out; so are broken ones, which `broken` names. */
export async function evaluateSources(
  options: GraphSourcesOptions,
): Promise<{ readonly sources: GraphSource[]; readonly broken: string[] }> {
  const { tree, roots, targetArch, rpmDirectory } = options;
  const evaluator = await openConformanceTree({ tree, rpmDirectory, targetArch });
  const sources: GraphSource[] = [];
  const broken: string[] = [];
  for (const path of roots.flatMap((root) => specsBelow(tree, root))) {
    const { sourcePackage, expandedText } = evaluator.evaluate(path);
    if (sourcePackage === undefined) broken.push(path);
    else if (isFor(targetArch, sourcePackage)) sources.push(toSource(path, sourcePackage, expandedText));
  }
  return { sources, broken };
}

/** The same from recorded facts. */
export function readFactSources(file: string, targetArch: string): GraphSource[] {
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as SpecFacts)
    .filter(({ source }) =>
      isFor(targetArch, { exclusiveArch: source.exclusivearch ?? [], excludeArch: source.excludearch ?? [] }),
    )
    .map((facts) => ({
      id: facts.path,
      files: new Map(),
      buildRequires: toDependencies(facts.source.dep['requires']),
      packages: facts.packages
        .filter(({ name }) => facts.built.includes(name))
        .map(({ name, epoch, version, release, arch, dep }) => ({
          name,
          evr: { version, release, ...(epoch === undefined ? {} : { epoch: Number(epoch) }) },
          arch,
          origin: facts.path,
          sourceName: facts.source.name,
          provides: toDependencies(dep['provides']),
          requires: toDependencies(dep['requires']),
          conflicts: toDependencies(dep['conflicts']),
          obsoletes: toDependencies(dep['obsoletes']),
        })),
    }));
}

/** File names of the RPMs that the tree's toolchain consists of. */
export function readToolchainManifest(tree: string, targetArch: string): ReadonlySet<string> {
  const file = join(tree, `toolkit/resources/manifests/package/toolchain_${targetArch}.txt`);
  return new Set(readFileSync(file, 'utf8').split('\n').filter(Boolean));
}

/** The packages of a source; those that the manifest names get another origin. */
export function withPrebuilt(source: GraphSource, manifest: ReadonlySet<string>, origin: string): readonly Provider[] {
  return source.packages.map((one) => (manifest.has(rpmFileName(one)) ? { ...one, origin } : one));
}

function isFor(arch: string, limits: Pick<SourcePackage, 'exclusiveArch' | 'excludeArch'>): boolean {
  const { exclusiveArch, excludeArch } = limits;
  const included = exclusiveArch.length === 0 || exclusiveArch.includes(arch) || exclusiveArch.includes('noarch');
  return included && !excludeArch.includes(arch);
}

function toSource(path: string, { name, buildRequires, packages }: SourcePackage, expanded: string): GraphSource {
  const built = packages.filter((one) => one.built);
  return {
    id: path,
    buildRequires,
    packages: built.map((one) => ({ ...one, origin: path, sourceName: name })),
    files: filesSections(expanded, name),
  };
}

function toDependencies(list: readonly FactDependency[] = []): Dependency[] {
  return list.map(([name, operator, evr]) =>
    operator === '' ? { name } : { name, operator: operator as '<' | '<=' | '=' | '>=' | '>', evr: parseEvr(evr) },
  );
}
