/** Specs as real rpm read them (tools/oracle/record-specs.ts). */
import { readdirSync, readFileSync } from 'node:fs';
import { targetMacros, type MacroEnvironment } from '@kiln/rpm-macro';
import { formatEvr, senseOf, type Dependency, type SourcePackage } from '@kiln/rpm-package';
import { evaluateSpec, parse, stringify, type EvaluatedSpec } from '@kiln/rpm-spec';
import { describe, expect, it } from 'vitest';

interface RecordedSpec {
  readonly refused?: true;
  readonly packages?: readonly string[];
  readonly source?: readonly string[];
  readonly built?: readonly string[];
  readonly parsed?: string;
}

const fixtures = new URL('fixtures/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, fixtures), 'utf8');

const environment: MacroEnvironment = {
  rpmVersion: '4.18',
  targetArch: 'x86_64',
  files: [{ file: 'macros', text: read('macros') }],
  targetMacros: targetMacros('x86_64'),
  defines: { dist: '.kl1' },
};

const names = readdirSync(fixtures, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

describe('evaluation', () => {
  it.each(names)('%s', (name) => {
    const expected = JSON.parse(read(`${name}/expected.json`)) as RecordedSpec;
    const text = read(`${name}/input.spec`);
    const evaluated = evaluateSpec({
      file: `${name}.spec`,
      text,
      environment,
      sourceDir: '/sources',
      ports: { exists: () => false },
    });
    if (expected.refused === true) {
      expect(evaluated.sourcePackage).toBeUndefined();
      expect(
        evaluated.diagnostics.some(({ severity, location }) => severity === 'error' && location !== undefined),
      ).toBe(true);
    } else {
      const { sourcePackage } = evaluated;
      expect(evaluated.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(sourcePackage?.packages.flatMap((binary) => [identity(binary), ...dependencies(binary)])).toEqual(
        expected.packages,
      );
      expect(sourcePackage?.packages.filter(({ built }) => built).map((binary) => binary.name)).toEqual(expected.built);
      expect(sourceLines(evaluated)).toEqual(expected.source);
      expect(evaluated.expandedText).toBe(expected.parsed);
    }
    expect(stringify(parse(text))).toBe(text);
  });
});

type Named = Pick<SourcePackage['packages'][number], 'name' | 'evr' | 'arch' | 'license' | 'summary' | 'group'>;

function identity({ name, evr, arch, license, summary, group }: Named): string {
  return `${name} ${formatEvr(evr)} ${arch} | ${license} | ${summary} | ${group}`;
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

function dependencies(binary: SourcePackage['packages'][number]): string[] {
  return KINDS.flatMap((kind) => binary[kind].map((dependency) => dependencyLine(kind, dependency)));
}

function dependencyLine(kind: string, dependency: Dependency): string {
  const { name, evr } = dependency;
  return `${kind} ${senseOf(dependency)} ${name} ${evr === undefined ? '' : formatEvr(evr)}`.trimEnd();
}

function sourceLines({ sourcePackage, changelog }: EvaluatedSpec): string[] {
  const source = sourcePackage!;
  const [main] = source.packages;
  const files = (kind: 'source' | 'patch'): string[] =>
    source.sources
      .filter((file) => file.kind === kind)
      .map(({ fileName }) => `${kind} ${fileName}`)
      .reverse();
  const self = source.packages.filter(({ built }) => built);
  return [
    identity({ ...main!, ...source }),
    ...self.map(({ name, evr }) => dependencyLine('provides', { name, operator: '=', evr })),
    ...source.buildRequires.map((dependency) => dependencyLine('requires', dependency)),
    ...source.buildConflicts.map((dependency) => dependencyLine('conflicts', dependency)),
    ...files('source'),
    ...files('patch'),
    ...source.buildArch.map((arch) => `buildarch ${arch}`),
    ...changelog.map(({ time, name }) => `changelog ${time} ${name}`.trimEnd()),
  ];
}
