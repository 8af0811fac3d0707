/** Dependencies among Debian packages: each clause is decided once, so that every closure is a walk. Pure. */
import type { ArchivePackage } from './debian-archive-index.ts';

export interface ClosureContext {
  readonly archive: ReadonlyMap<string, ArchivePackage>;
  /** Packages of the base layer: they are there. */
  readonly base: ReadonlySet<string>;
  /** Packages that are left out: what only administers a Debian system. */
  readonly exclude: ReadonlySet<string>;
}

/** What each of the packages and of those that they need depends on, by name; names in order. */
export function resolveDepends(roots: Iterable<string>, context: ClosureContext): Map<string, string[]> {
  const providers = providersByName(context.archive);
  const depends = new Map<string, string[]>();
  const open = [...roots];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (depends.has(name)) continue;
    const clauses = context.archive.get(name)?.depends ?? [];
    const needed = new Set(clauses.flatMap((clause) => chooseAlternative(clause, context, providers) ?? []));
    needed.delete(name);
    const list = [...needed].filter((one) => !context.exclude.has(one)).sort();
    depends.set(name, list);
    open.push(...list);
  }
  return depends;
}

/** All packages that must be unpacked above the base layer to have these; sorted. */
export function closureOf(
  roots: Iterable<string>,
  dependsOf: (name: string) => readonly string[],
  base: ReadonlySet<string>,
): string[] {
  const members = new Set<string>();
  const open = [...roots];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (base.has(name) || members.has(name)) continue;
    members.add(name);
    open.push(...dependsOf(name));
  }
  return [...members].sort();
}

/** One of the base layer; else the first package of that name; else the first by name of those that provide the first name. */
function chooseAlternative(
  clause: readonly string[],
  { archive, base }: ClosureContext,
  providers: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const candidates = clause.flatMap((name) => (archive.has(name) ? [name] : (providers.get(name) ?? [])));
  return candidates.find((name) => base.has(name)) ?? candidates[0];
}

function providersByName(archive: ReadonlyMap<string, ArchivePackage>): Map<string, string[]> {
  const providers = new Map<string, string[]>();
  for (const { name, provides } of archive.values())
    for (const one of provides) providers.set(one, [...(providers.get(one) ?? []), name]);
  for (const list of providers.values()) list.sort();
  return providers;
}

/** How many packages depend on each: the first name of a clause counts. */
export function countDependents(archive: ReadonlyMap<string, ArchivePackage>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { depends } of archive.values())
    for (const [first] of depends) if (first !== undefined) counts.set(first, (counts.get(first) ?? 0) + 1);
  return counts;
}
