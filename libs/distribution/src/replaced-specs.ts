/** `replaces` in distro.json: the only way in which a package of the tree takes the place of another. */
import { BuildError, nearestWord } from '@kiln/diagnostics';
import { DISTRO_FILE, type DistroConfig } from './distro-config.ts';

/**
 * The specs of the tree without those that others replace; a replaced spec is not even read.
 * @throws BuildError `REPLACES_INVALID` when an entry names a spec that the tree doesn't have, or contradicts another.
 */
export function withoutReplaced<T extends { readonly specFile: string }>(
  specs: readonly T[],
  { replaces = [] }: Pick<DistroConfig, 'replaces'>,
): T[] {
  if (replaces.length === 0) return [...specs];
  const known = new Set(specs.map(({ specFile }) => specFile));
  const replaced = new Set<string>();
  for (const { spec, by } of replaces) {
    const unknown = [spec, by].find((one) => !known.has(one));
    if (unknown !== undefined) {
      const near = nearestWord(unknown, known);
      throw invalid(`the tree has no spec '${unknown}'`, near === undefined ? undefined : `did you mean '${near}'?`);
    }
    if (spec === by) throw invalid(`'${spec}' is said to replace itself`);
    if (replaced.has(spec)) throw invalid(`'${spec}' is replaced twice`);
    replaced.add(spec);
  }
  const chained = replaces.find(({ by }) => replaced.has(by));
  if (chained !== undefined) {
    throw invalid(`'${chained.by}' replaces '${chained.spec}' and is itself replaced`);
  }
  return specs.filter(({ specFile }) => !replaced.has(specFile));
}

function invalid(found: string, hint = `correct 'replaces' in ${DISTRO_FILE}`): BuildError {
  return new BuildError('REPLACES_INVALID', found, { location: { file: DISTRO_FILE, line: 1 }, hint });
}
