/** The groups of packages in `toolkit/groups`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createUniverse, loadDistribution } from '@kiln/distribution';
import { resolveClosure } from '@kiln/package-graph';
import { formatDependency, parseDependency } from '@kiln/rpm-package';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const directory = join(root, 'toolkit/groups');

/** Paths are known when packages are built. */
const NOT_KNOWN = /^\//;

test('all that the packages of a group need comes from this tree', { timeout: 120_000 }, async () => {
  const { packages, toolchain } = await loadDistribution(root);
  const { imageIndex } = createUniverse(packages, toolchain.provider);
  const groups = readdirSync(directory).sort();
  expect(groups).toEqual(['builder.json', 'container.json', 'minimal.json', 'server.json']);
  for (const group of groups) {
    const { packages: names } = JSON.parse(readFileSync(join(directory, group), 'utf8')) as { packages: string[] };
    expect(names, group).toEqual([...new Set(names)].sort());
    const { unresolved, conflicts } = resolveClosure(imageIndex, names.map(parseDependency));
    const lacks = unresolved
      .map(({ dependency, requiredBy = group }) => ({ what: formatDependency(dependency), requiredBy }))
      .filter(({ what }) => !NOT_KNOWN.test(what));
    expect(lacks, group).toEqual([]);
    expect(conflicts, group).toEqual([]);
  }
});
