/**
 * Figures of the dependency graph of a checkout of Azure Linux:
 * `npx tsx tools/conformance/graph.ts --tree <azurelinux> --roots SPECS [--roots SPECS-EXTENDED]… [--only-stated] [--json]`.
 *
 * `--only-stated`       only what specs state; without it also predicted provides
 * `--facts <file>`      recorded facts instead of the specs
 * `--rpm <directory>`   rpm's own macro files as installed (default: /usr/lib/rpm)
 * `--list`              the unresolved BuildRequires and the members of cycles too
 *
 * Nodes are source packages; edges go to the sources of what satisfies the BuildRequires, closure edges to those of everything in
 * the build root, without the package itself. Unresolved are names. With a prebuilt toolchain its sources are no nodes.
 */
import { parseArgs } from 'node:util';
import {
  findCycles,
  predictProvides,
  originsBeside,
  ProviderIndex,
  relateSources,
  type Prediction,
  type SourceRelations,
} from '@kiln/package-graph';
import type { Dependency } from '@kiln/rpm-package';
import {
  evaluateSources,
  readFactSources,
  readToolchainManifest,
  withPrebuilt,
  type GraphSource,
} from './graph-sources.ts';

export interface GraphFigures {
  readonly nodes: number;
  readonly edges: number;
  readonly closureEdges: number;
  /** Sizes of the cycles, the largest first. */
  readonly components: readonly number[];
  readonly componentsWithClosure: readonly number[];
  readonly componentsToolchainPrebuilt: readonly number[];
  readonly unresolved: number;
}

const DEFAULT_ROOTS = ['SPECS'];
const OPTIONS = {
  tree: { type: 'string' },
  roots: { type: 'string', multiple: true, default: DEFAULT_ROOTS },
  facts: { type: 'string' },
  rpm: { type: 'string', default: '/usr/lib/rpm' },
  arch: { type: 'string', default: 'x86_64' },
  'only-stated': { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

const PREBUILT = 'prebuilt';

/** Runs the computation and prints its result. */
export async function reportGraph(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  const { tree, facts, arch } = values;
  if (tree === undefined) throw new Error('--tree is missing: the checkout of Azure Linux');
  const { sources, broken } =
    facts === undefined
      ? await evaluateSources({ tree, roots: values.roots, targetArch: arch, rpmDirectory: values.rpm })
      : { sources: readFactSources(facts, arch), broken: [] };
  for (const path of broken) console.error(`${path}: can't be evaluated`);
  const stated = relate(sources);
  const predictions = values['only-stated'] ? [] : predict(sources, stated);
  const known = withPredictions(sources, predictions);
  const relations = predictions.length === 0 ? stated : relate(known);
  const figures = figuresOf(known, relations, readToolchainManifest(tree, arch));
  if (values.json) console.log(JSON.stringify(figures));
  else for (const [name, value] of Object.entries(figures)) console.log(`${name}: ${JSON.stringify(value)}`);
  if (!values.list) return;
  list(relations);
  for (const one of predictions)
    console.log(`predicted: ${one.capability} ${one.package} (${one.rule}: ${one.evidence})`);
}

function relate(sources: readonly GraphSource[]): SourceRelations[] {
  return relateSources(sources, new ProviderIndex(sources.flatMap(({ packages }) => packages)));
}

/** Predictions for every capability that is needed and that nothing states. */
function predict(sources: readonly GraphSource[], relations: readonly SourceRelations[]): Prediction[] {
  const index = new ProviderIndex(sources.flatMap(({ packages }) => packages));
  const ofPackages = sources.flatMap(({ packages }) => packages.flatMap(({ requires }) => requires));
  const lacking = ofPackages.filter((one) => index.offers(one.name).length === 0).map(({ name }) => name);
  const packages = sources.flatMap(({ id, packages: built, files }) =>
    built.map(({ name, sourceName = name }) => ({ name, origin: id, sourceName, files: files.get(name) ?? [] })),
  );
  return predictProvides(packages, [...unresolvedNames(relations), ...lacking]);
}

function withPredictions(sources: readonly GraphSource[], predictions: readonly Prediction[]): GraphSource[] {
  const byPackage = new Map<string, Dependency[]>();
  for (const { origin, package: name, capability } of predictions) {
    const key = `${origin} ${name}`;
    byPackage.set(key, [...(byPackage.get(key) ?? []), { name: capability }]);
  }
  return sources.map((source) => ({
    ...source,
    packages: source.packages.map((one) => ({
      ...one,
      provides: [...one.provides, ...(byPackage.get(`${source.id} ${one.name}`) ?? [])],
    })),
  }));
}

function figuresOf(
  sources: readonly GraphSource[],
  relations: readonly SourceRelations[],
  manifest: ReadonlySet<string>,
): GraphFigures {
  const direct = relations.map(({ id, direct: packages }) => [id, originsBeside(id, packages)] as const);
  const closure = relations.map(({ id, closure: { members } }) => [id, originsBeside(id, members)] as const);
  const count = (edges: readonly (readonly [string, readonly string[]])[]): number =>
    edges.reduce((sum, [, targets]) => sum + targets.length, 0);
  return {
    nodes: sources.length,
    edges: count(direct),
    closureEdges: count(closure),
    components: cycleSizes(new Map(direct)),
    componentsWithClosure: cycleSizes(new Map(closure)),
    componentsToolchainPrebuilt: cycleSizes(withToolchain(sources, manifest)),
    unresolved: unresolvedNames(relations).length,
  };
}

/** Closure edges when the toolchain's packages are there before anything is built. */
function withToolchain(sources: readonly GraphSource[], manifest: ReadonlySet<string>): Map<string, string[]> {
  const packages = sources.flatMap((source) => withPrebuilt(source, manifest, PREBUILT));
  const needed = new Set(packages.filter(({ origin }) => origin !== PREBUILT).map(({ origin }) => origin));
  const open = sources.filter(({ id, packages: built }) => needed.has(id) || built.length === 0);
  const relations = relateSources(open, new ProviderIndex(packages), { preferredOrigin: PREBUILT });
  return new Map(
    relations.map(({ id, closure }) => [id, originsBeside(id, closure.members).filter((one) => one !== PREBUILT)]),
  );
}

function cycleSizes(dependencies: ReadonlyMap<string, readonly string[]>): number[] {
  return findCycles(dependencies)
    .map(({ length }) => length)
    .sort((a, b) => b - a);
}

/** Names of the BuildRequires that nothing satisfies. */
function unresolvedNames(relations: readonly SourceRelations[]): string[] {
  const names = relations.flatMap(({ closure }) =>
    closure.unresolved.filter(({ requiredBy }) => requiredBy === undefined).map(({ dependency }) => dependency.name),
  );
  return [...new Set(names)].sort();
}

function list(relations: readonly SourceRelations[]): void {
  for (const name of unresolvedNames(relations)) console.log(`unresolved: ${name}`);
  const closure = new Map(relations.map(({ id, closure: { members } }) => [id, originsBeside(id, members)]));
  for (const members of findCycles(closure)) console.log(`cycle: ${members.join(' ')}`);
}
