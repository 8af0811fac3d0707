/** What only a build can tell of a package's dependencies, recorded in the tree so that plans are exact before building. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { writeFileAtomic } from '@kiln/host';
import type { PackageResult } from '@kiln/package-build';
import {
  formatDependency,
  parseDependency,
  type BinaryPackage,
  type Dependency,
  type SourcePackage,
} from '@kiln/rpm-package';

/** Generated dependencies of one sub-package: those of the built RPM that the spec doesn't state. */
export interface GeneratedDependencies {
  readonly provides: readonly Dependency[];
  readonly requires: readonly Dependency[];
}

/** By sub-package name. */
export type ProvidesRecord = ReadonlyMap<string, GeneratedDependencies>;

interface RecordFile {
  readonly packages: Readonly<Record<string, { readonly provides: string[]; readonly requires: string[] }>>;
}

/** Path of the record of a package, relative to the workspace. */
export function recordPath(directory: string, id: string): string {
  return join(directory, `${id}.json`);
}

/**
 * Reads a record; undefined when the package was never recorded.
 * @throws BuildError `PROVIDES_RECORD_INVALID`.
 */
export function readProvidesRecord(root: string, file: string): ProvidesRecord | undefined {
  let text: string;
  try {
    text = readFileSync(join(root, file), 'utf8');
  } catch {
    return undefined;
  }
  try {
    const { packages } = JSON.parse(text) as RecordFile;
    if (typeof packages !== 'object') throw new Error("there is no object 'packages'");
    const parse = (list: string[]) => list.map(parseDependency);
    return new Map(
      Object.entries(packages).map(([name, { provides, requires }]) => [
        name,
        { provides: parse(provides), requires: parse(requires) },
      ]),
    );
  } catch (cause) {
    throw new BuildError('PROVIDES_RECORD_INVALID', `${file} is not a record of generated dependencies`, {
      location: { file, line: 1 },
      hint: 'remove the file and run `kiln provides` after a build',
      cause,
    });
  }
}

/** The record of a build: generated dependencies per built sub-package, without those on rpm itself. */
export function recordOf(source: SourcePackage, result: PackageResult): ProvidesRecord {
  const stated = new Map(source.packages.map((one) => [one.name, one]));
  return new Map(
    result.rpms
      .filter(({ kind }) => kind === 'binary')
      .map((rpm) => [
        rpm.name,
        {
          provides: added(rpm.provides, stated.get(rpm.name)?.provides),
          requires: added(rpm.requires, stated.get(rpm.name)?.requires),
        },
      ]),
  );
}

/** Writes a record in a form that differs only where its content does. */
export async function writeProvidesRecord(root: string, file: string, record: ProvidesRecord): Promise<void> {
  const texts = (list: readonly Dependency[]) => list.map(formatDependency).sort();
  const packages = Object.fromEntries(
    [...record]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { provides, requires }]) => [name, { provides: texts(provides), requires: texts(requires) }]),
  );
  await writeFileAtomic(join(root, file), `${JSON.stringify({ packages }, undefined, 2)}\n`);
}

/** Whether two records say the same. */
export function sameRecord(a: ProvidesRecord, b: ProvidesRecord): boolean {
  const flatten = (record: ProvidesRecord) =>
    [...record]
      .flatMap(([name, { provides, requires }]) => [
        ...provides.map((one) => `${name} provides ${formatDependency(one)}`),
        ...requires.map((one) => `${name} requires ${formatDependency(one)}`),
      ])
      .sort()
      .join('\n');
  return flatten(a) === flatten(b);
}

function added(built: readonly Dependency[], stated: BinaryPackage['provides'] = []): Dependency[] {
  const known = new Set(stated.map(formatDependency));
  const unique = new Map(built.map((one) => [formatDependency(one), one]));
  return [...unique]
    .filter(([text, { name }]) => !known.has(text) && !name.startsWith('rpmlib('))
    .map(([, dependency]) => dependency);
}
