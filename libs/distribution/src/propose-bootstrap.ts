/** Proposes entries of `toolkit/bootstrap.json` for the cycles of a plan. */
import { findCycles, resolveClosure } from '@kiln/package-graph';
import { readBootstrapPolicy, type BootstrapBuild, type BootstrapPolicy } from './bootstrap-policy.ts';
import { bootstrapVariants, buildConditionals } from './bootstrap-variants.ts';
import type { Distribution } from './distribution.ts';
import { readMacroAnswers } from './macro-answers.ts';
import type { PackageProject } from './package-project.ts';
import { createUniverse, idOfBootstrapOrigin, TOOLCHAIN_ORIGIN } from './universe.ts';

/** What the file would say; members without a value are left out. */
export interface ProposedPolicy {
  readonly packages: Readonly<Record<string, Partial<BootstrapBuild>>>;
  readonly edges: readonly {
    readonly package: string;
    readonly requires: string;
    readonly from: string;
    readonly rpms?: [];
  }[];
}

/**
 * The present policy with what is missing to break all cycles: for each, a package whose build conditional, turned round, frees it of
 * the cycle; else an edge from a seed whose RPMs are to be filled in.
 */
export async function proposeBootstrap(distribution: Distribution): Promise<ProposedPolicy> {
  const policy = readBootstrapPolicy(distribution.root);
  const draft = new Draft(policy);
  const roots = plannedRoots(distribution);
  for (const members of findCycles(roots)) {
    const ids = [...new Set(members.map((name) => idOfBootstrapOrigin(name) ?? name))].sort();
    await breakCycle({ distribution, ids, roots }, draft);
  }
  return draft.policy();
}

/** Which packages' RPMs are planned in which root, cycles included; of bootstrap builds too. */
export function plannedRoots({ packages }: Pick<Distribution, 'packages'>): Map<string, string[]> {
  const originsOf = ({ rootPackages }: PackageProject): string[] => [
    ...new Set(rootPackages.map((text) => /\((.*)\)$/.exec(text)![1]!).filter((origin) => !origin.startsWith('seed:'))),
  ];
  return new Map(
    packages.flatMap((one) => [
      [one.id, originsOf(one)] as const,
      ...(one.bootstrap === undefined ? [] : [[`rpm-bootstrap:${one.id}`, originsOf(one.bootstrap)] as const]),
    ]),
  );
}

interface CycleToBreak {
  readonly distribution: Distribution;
  readonly ids: readonly string[];
  readonly roots: ReadonlyMap<string, readonly string[]>;
}

class Draft {
  readonly #packages: Map<string, Partial<BootstrapBuild>>;
  readonly #edges: ProposedPolicy['edges'][number][];

  constructor({ packages, edges }: BootstrapPolicy) {
    const filled = ({ with: on, without }: BootstrapBuild): Partial<BootstrapBuild> => ({
      ...(on.length === 0 ? {} : { with: on }),
      ...(without.length === 0 ? {} : { without }),
    });
    this.#packages = new Map([...packages].map(([id, build]) => [id, filled(build)]));
    this.#edges = edges.map(({ location: _, rpms, ...edge }) => ({
      ...edge,
      ...(rpms.length === 0 ? {} : { rpms: rpms as unknown as [] }),
    }));
  }

  build(id: string, build: Partial<BootstrapBuild>): void {
    if (!this.#packages.has(id)) this.#packages.set(id, build);
  }

  has(id: string): boolean {
    return this.#packages.has(id);
  }

  edge(edge: ProposedPolicy['edges'][number]): void {
    const isThere = this.#edges.some((one) => one.package === edge.package && one.requires === edge.requires);
    if (!isThere) this.#edges.push(edge);
  }

  policy(): ProposedPolicy {
    return {
      packages: Object.fromEntries([...this.#packages].sort(([a], [b]) => (a < b ? -1 : 1))),
      edges: this.#edges,
    };
  }
}

async function breakCycle(cycle: CycleToBreak, draft: Draft): Promise<void> {
  const { ids, roots } = cycle;
  const within = (id: string): string[] => (roots.get(id) ?? []).filter((name) => ids.includes(name));
  for (const id of ids) {
    if (!breaksWithout(ids, within, id)) continue;
    const build = await freeingBuild(cycle, id);
    if (build === undefined) continue;
    draft.build(id, build);
    for (const need of within(id)) if (need !== id) draft.edge({ package: id, requires: need, from: 'bootstrap' });
    const open = within(id).filter((need) => need !== id);
    for (const need of open) {
      draft.build(need, {});
      for (const next of within(need)) if (next !== id && !open.includes(next)) open.push(next);
    }
    return;
  }
  const [first] = ids.filter((id) => breaksWithout(ids, within, id));
  const id = first ?? ids[0]!;
  for (const need of within(id)) draft.edge({ package: id, requires: need, from: 'seed', rpms: [] });
}

/** Whether the rest of the cycle has none when this package needs nobody of it. */
function breaksWithout(ids: readonly string[], within: (id: string) => readonly string[], id: string): boolean {
  const rest = new Map(
    ids.filter((one) => one !== id).map((one) => [one, within(one).filter((need) => need !== one && need !== id)]),
  );
  return findCycles(rest).length === 0;
}

/** The build with one conditional turned round, in whose root nobody of the cycle is. */
async function freeingBuild(
  { distribution, ids }: CycleToBreak,
  id: string,
): Promise<Partial<BootstrapBuild> | undefined> {
  const { root, config, macroFiles, packages, toolchain } = distribution;
  const project = distribution.findPackage(id);
  const inputs = { root, config, macroFiles, answers: readMacroAnswers(root, config) };
  const { buildIndex } = createUniverse(packages, toolchain.provider);
  for (const { name, isOn } of buildConditionals(project.spec.text)) {
    const build = isOn ? { without: [name] } : { with: [name] };
    const variants = await bootstrapVariants(inputs, [project], {
      packages: new Map([[id, { with: [], without: [], ...build }]]),
    });
    const requirements = variants.get(id)?.sourcePackage?.buildRequires;
    if (requirements === undefined) continue;
    const { members } = resolveClosure(buildIndex, requirements, { preferredOrigin: TOOLCHAIN_ORIGIN });
    if (members.every(({ origin }) => !ids.includes(origin))) return build;
  }
  return undefined;
}
