/** The facts that an oracle file has about a spec, made from an evaluation. */
import { formatEvr, senseOf, type Dependency, type SourcePackage } from '@kiln/rpm-package';
import type { EvaluatedSpec } from '@kiln/rpm-spec';

/** `[name, operator, version, flags]`. */
export type FactDependency = readonly [string, string, string, number];

export interface PackageFacts {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly epoch?: string | number;
  readonly arch: string;
  readonly license: string;
  readonly changelog_n: number;
  readonly dep: Readonly<Record<string, readonly FactDependency[]>>;
}

export interface SpecFacts {
  readonly path: string;
  readonly built: readonly string[];
  readonly buildrequiresWithCheck?: readonly FactDependency[];
  readonly packages: readonly PackageFacts[];
  readonly source: PackageFacts & {
    readonly source?: readonly string[];
    readonly patch?: readonly string[];
    readonly exclusivearch?: readonly string[];
    readonly excludearch?: readonly string[];
    readonly buildarchs?: readonly string[];
  };
}

const KINDS = [
  'provides',
  'requires',
  'conflicts',
  'obsoletes',
  'recommends',
  'suggests',
  'supplements',
  'enhances',
] as const;

/** The facts of an evaluated spec, in the order and form of the oracle's file. */
export function factsOf(path: string, { sourcePackage, changelog }: EvaluatedSpec): SpecFacts | undefined {
  if (sourcePackage === undefined) return undefined;
  const main = sourcePackage.packages[0]!;
  const built = sourcePackage.packages.filter((candidate) => candidate.built);
  return {
    path,
    built: built.map(({ name }) => name),
    packages: sourcePackage.packages.map((binary, index) => ({
      ...identity(binary),
      license: binary.license,
      changelog_n: index === 0 || binary.inheritsChangelog === true ? changelog.length : 0,
      dep: dependencies(binary),
    })),
    source: {
      ...identity(sourcePackage),
      arch: main.arch,
      license: sourcePackage.license,
      changelog_n: changelog.length,
      dep: {
        ...(built.length === 0 ? {} : { provides: built.map((binary) => self(binary)) }),
        ...(sourcePackage.buildRequires.length === 0 ? {} : { requires: sourcePackage.buildRequires.map(toFact) }),
        ...(sourcePackage.buildConflicts.length === 0 ? {} : { conflicts: sourcePackage.buildConflicts.map(toFact) }),
      },
      ...files(sourcePackage, 'source'),
      ...files(sourcePackage, 'patch'),
      ...list('exclusivearch', sourcePackage.exclusiveArch),
      ...list('excludearch', sourcePackage.excludeArch),
      ...list('buildarchs', sourcePackage.buildArch),
    },
  };
}

/** BuildRequires alone, for the second evaluation with checks. */
export function buildRequiresFacts({ sourcePackage }: EvaluatedSpec): readonly FactDependency[] {
  return sourcePackage?.buildRequires.map(toFact) ?? [];
}

function identity(named: {
  name: string;
  evr: SourcePackage['evr'];
  arch?: string;
}): Omit<PackageFacts, 'dep' | 'license' | 'changelog_n'> {
  const { epoch, version, release = '' } = named.evr;
  return {
    name: named.name,
    version,
    release,
    arch: named.arch ?? '',
    ...(epoch === undefined ? {} : { epoch: String(epoch) }),
  };
}

function dependencies(binary: SourcePackage['packages'][number]): Record<string, readonly FactDependency[]> {
  return Object.fromEntries(
    KINDS.flatMap((kind) => (binary[kind].length === 0 ? [] : [[kind, binary[kind].map(toFact)]])),
  );
}

function self({ name, evr }: { name: string; evr: SourcePackage['evr'] }): FactDependency {
  return [name, '=', formatEvr(evr), 8];
}

function toFact(dependency: Dependency): FactDependency {
  const { name, operator = '', evr, evrText } = dependency;
  return [name, operator, evrText ?? (evr === undefined ? '' : formatEvr(evr)), senseOf(dependency)];
}

/** rpm lists sources newest first. */
function files(source: SourcePackage, kind: 'source' | 'patch'): Record<string, readonly string[]> {
  return list(
    kind,
    source.sources
      .filter((file) => file.kind === kind)
      .map(({ fileName }) => fileName)
      .reverse(),
  );
}

function list(key: string, values: readonly string[]): Record<string, readonly string[]> {
  return values.length === 0 ? {} : { [key]: values };
}
