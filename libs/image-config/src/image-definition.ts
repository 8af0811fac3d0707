/** An image definition with everything that it refers to, checked: what the image stage works from. */
import type { Diagnostic, SourceLocation } from '@kiln/diagnostics';
import { formatDependency } from '@kiln/rpm-package';
import { toContainer, type ContainerConfig } from './container-config.ts';
import {
  DefinitionReader,
  failOn,
  requestedPackages,
  type ReadText,
  type RequestedPackage,
} from './definition-reader.ts';
import { toArtifacts, unsupportedArtifacts, type ImageArtifact } from './image-artifacts.ts';
import { imageConfigSchema, type ImageConfig } from './image-config-schema.ts';
import { listItems, plainValue, valueAt, type LocatedJson } from './located-json.ts';
import { schemaProblems, unsupportedFeatures } from './validate-config.ts';

/** Plain data. */
export interface ImageDefinition {
  /** The file's name without extension. */
  readonly name: string;
  readonly file: string;
  /** Every file that was read, sorted: the definition, what it extends, package lists. */
  readonly files: readonly string[];
  readonly packages: readonly RequestedPackage[];
  readonly artifacts: readonly ImageArtifact[];
  readonly hostname?: string;
  readonly removeRpmDb: boolean;
  readonly disableRpmDocs: boolean;
  readonly container: ContainerConfig;
}

/**
 * Reads a definition, what it extends and its package lists.
 * @throws BuildError `JSON_MALFORMED`, `IMAGE_FILE_MISSING`, `IMAGE_EXTENDS_CYCLE`, `IMAGE_CONFIG_INVALID`, `IMAGE_FEATURE_UNSUPPORTED`;
 * each at the place in the text, all problems of a kind at once
 */
export function readImageDefinition(file: string, read: ReadText): ImageDefinition {
  const reader = new DefinitionReader(read);
  const json = reader.readConfig(file, []);
  failOn('IMAGE_CONFIG_INVALID', file, schemaProblems(json, imageConfigSchema));
  failOn('IMAGE_FEATURE_UNSUPPORTED', file, [
    ...unsupportedFeatures(json, imageConfigSchema),
    ...unsupportedShapes(json),
  ]);

  const config = plainValue(json) as ImageConfig;
  const system = config.SystemConfigs[0]!;
  const name = baseName(file).replace(/\.json$/, '');
  const packages = [
    ...reader.readPackageLists(json),
    ...requestedPackages(valueAt(json, ['SystemConfigs', '0', 'Packages'])),
  ];
  const artifacts = toArtifacts(config, name);
  failOn('IMAGE_CONFIG_INVALID', file, meaningProblems(json, { packages, artifacts }));
  return {
    name,
    file,
    files: reader.files(),
    packages: withoutRepetitions(packages),
    artifacts,
    ...(system.Hostname ? { hostname: system.Hostname } : {}),
    removeRpmDb: system.RemoveRpmDb ?? false,
    disableRpmDocs: system.DisableRpmDocs ?? false,
    container: toContainer(system),
  };
}

/** What the schema allows and the image stage can't do yet, beside single members. */
function unsupportedShapes(json: LocatedJson): Diagnostic[] {
  const single = ['SystemConfigs', 'Disks'].flatMap((key): Diagnostic[] => {
    const second = valueAt(json, [key, '1']);
    if (second === undefined) return [];
    const message = `more than one entry of '${key}' is not built yet`;
    return [{ severity: 'error', code: 'IMAGE_FEATURE_UNSUPPORTED', message, location: second.location }];
  });
  return [...single, ...unsupportedArtifacts(json)];
}

/** What is well-formed but makes no sense. */
function meaningProblems(
  json: LocatedJson,
  {
    packages,
    artifacts,
  }: { readonly packages: readonly RequestedPackage[]; readonly artifacts: readonly ImageArtifact[] },
): Diagnostic[] {
  const invalid = (message: string, location: SourceLocation): Diagnostic => ({
    severity: 'error',
    code: 'IMAGE_CONFIG_INVALID',
    message,
    location,
  });
  const problems: Diagnostic[] = [];
  if (artifacts.length === 0) problems.push(invalid("it makes nothing: 'Disks' has no 'Artifacts'", json.location));
  if (packages.length === 0)
    problems.push(invalid("it has no packages: neither 'Packages' nor 'PackageLists'", json.location));
  const places = listItems(valueAt(json, ['Disks', '0', 'Artifacts']));
  artifacts.forEach(({ fileName }, index) => {
    if (artifacts.findIndex((other) => other.fileName === fileName) === index) return;
    problems.push(invalid(`two artifacts are called '${fileName}'`, places[index]!.location));
  });
  for (const { dependency, location } of packages) {
    if (/^[^\s()<>=/][^\s()<>=]*$/.test(dependency.name)) continue;
    problems.push(
      invalid(`'${formatDependency(dependency)}' is neither a package name nor 'name op version'`, location),
    );
  }
  return problems;
}

function withoutRepetitions(packages: readonly RequestedPackage[]): RequestedPackage[] {
  const byText = new Map<string, RequestedPackage>();
  for (const one of packages) {
    const text = formatDependency(one.dependency);
    if (!byText.has(text)) byText.set(text, one);
  }
  return [...byText.values()];
}

function baseName(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1);
}
