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

export interface ProvidesRecord {
  /** By sub-package name; absent while the package was never built. */
  readonly packages?: ReadonlyMap<string, GeneratedDependencies>;
  /** What `%generate_buildrequires` added to the spec's BuildRequires; absent while it never ran. */
  readonly buildRequires?: readonly Dependency[];
}

interface RecordFile {
  readonly buildRequires?: string[];
  readonly packages?: Readonly<Record<string, { readonly provides: string[]; readonly requires: string[] }>>;
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
    return parseRecord(JSON.parse(text) as RecordFile);
  } catch (cause) {
    throw new BuildError('PROVIDES_RECORD_INVALID', `${file} is not a record of generated dependencies`, {
      location: { file, line: 1 },
      hint: 'remove the file and run `kiln provides` after a build',
      cause,
    });
  }
}

function parseRecord({ buildRequires, packages }: RecordFile): ProvidesRecord {
  const parse = (list: string[]) => list.map(parseDependency);
  if (typeof (packages ?? buildRequires) !== 'object')
    throw new Error("there is neither 'packages' nor 'buildRequires'");
  const parsed = Object.entries(packages ?? {}).map(
    ([name, { provides, requires }]): [string, GeneratedDependencies] => [
      name,
      { provides: parse(provides), requires: parse(requires) },
    ],
  );
  return {
    ...(packages === undefined ? {} : { packages: new Map(parsed) }),
    ...(buildRequires === undefined ? {} : { buildRequires: parse(buildRequires) }),
  };
}

/** The record of a build: generated dependencies per built sub-package, without those on rpm itself. */
export function recordOf(source: SourcePackage, result: PackageResult): NonNullable<ProvidesRecord['packages']> {
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
  const { buildRequires, packages } = record;
  const content: RecordFile = {
    ...(buildRequires === undefined ? {} : { buildRequires: texts(buildRequires) }),
    ...(packages === undefined
      ? {}
      : {
          packages: Object.fromEntries(
            [...packages]
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([name, { provides, requires }]) => [
                name,
                { provides: texts(provides), requires: texts(requires) },
              ]),
          ),
        }),
  };
  await writeFileAtomic(join(root, file), `${JSON.stringify(content, undefined, 2)}\n`);
}

/** What a record says beyond another: `+ name provides x`, `- name requires y`, sorted; empty when both say the same. */
export function recordChanges(before: ProvidesRecord | undefined, after: ProvidesRecord): string[] {
  const [old, now] = [new Set(statements(before ?? {})), new Set(statements(after))];
  return [
    ...[...old].filter((one) => !now.has(one)).map((one) => `- ${one}`),
    ...[...now].filter((one) => !old.has(one)).map((one) => `+ ${one}`),
  ];
}

function statements({ packages, buildRequires }: ProvidesRecord): string[] {
  const ofPackages = [...(packages ?? [])].flatMap(([name, { provides, requires }]) => [
    ...provides.map((one) => `${name} provides ${formatDependency(one)}`),
    ...requires.map((one) => `${name} requires ${formatDependency(one)}`),
  ]);
  return [...(buildRequires ?? []).map((one) => `BuildRequires ${formatDependency(one)}`), ...ofPackages].sort();
}

function added(built: readonly Dependency[], stated: BinaryPackage['provides'] = []): Dependency[] {
  const known = new Set(stated.map(formatDependency));
  const unique = new Map(built.map((one) => [formatDependency(one), one]));
  return [...unique]
    .filter(([text, { name }]) => !known.has(text) && !name.startsWith('rpmlib('))
    .map(([, dependency]) => dependency);
}
