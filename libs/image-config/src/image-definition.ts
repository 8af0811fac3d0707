/** An image definition with everything that it refers to, checked: what the image stage works from. */
import type { Diagnostic, SourceLocation } from '@kiln/diagnostics';
import { formatDependency, parseDependency } from '@kiln/rpm-package';
import { checkMedium, loaderPackages, toBoot, type BootDefinition } from './boot-definition.ts';
import { checkContainer, toContainer, type ContainerConfig } from './container-config.ts';
import { readCustomization, type Customization } from './customization.ts';
import type { DefinitionFiles } from './definition-files.ts';
import { readPlaces, type DefinitionPlaces } from './definition-places.ts';
import { DefinitionReader, type RequestedPackage } from './definition-reader.ts';
import { readRawBinaries, toDisk, type DiskDefinition, type RawBinary } from './disk-definition.ts';
import { checkDisk, unsupportedDisk } from './disk-problems.ts';
import {
  builtArtifacts,
  fileNameOf,
  requestedArtifacts,
  unsupportedArtifacts,
  type ImageArtifact,
  type RequestedArtifact,
} from './image-artifacts.ts';
import { checkKickstart, readInstaller, type InstallerDefinition, type ReadSystem } from './installer-definition.ts';
import { definitionOf, imageName, parsePart, systemReferences } from './installer-parts.ts';
import { imageConfigSchema, type ImageConfig, type SystemConfig } from './image-config-schema.ts';
import { listItems, plainValue, valueAt, type LocatedJson } from './located-json.ts';
import { failOn, ProblemList } from './problem-list.ts';
import { readSeed, type SeedDefinition } from './seed-definition.ts';
import { schemaProblems, unsupportedFeatures } from './validate-config.ts';

/** Plain data. */
export interface ImageDefinition {
  /** The file's name without extension. */
  readonly name: string;
  readonly file: string;
  /** Every file that has a part in it, sorted: the definition, what it extends, package lists, scripts, additional files. */
  readonly files: readonly string[];
  readonly places: DefinitionPlaces;
  readonly packages: readonly RequestedPackage[];
  /** Of the whole; those of single partitions are with these. */
  readonly artifacts: readonly ImageArtifact[];
  /** Absent without partitions. */
  readonly disk?: DiskDefinition;
  readonly boot: BootDefinition;
  readonly hostname?: string;
  readonly removeRpmDb: boolean;
  readonly disableRpmDocs: boolean;
  /** Languages whose files are kept, as rpm's macro `_install_langs` has them; all when it is missing. */
  readonly languages?: string;
  /** Whether /proc hides other users' processes. */
  readonly hidepid: boolean;
  readonly customization: Customization;
  readonly container: ContainerConfig;
  /** What the artifact of type `seed` holds. */
  readonly seed?: SeedDefinition;
  /** What the artifact of type `iso` installs. */
  readonly installer?: InstallerDefinition;
}

/** A definition that was read and is right, whether we can build it or not. */
export interface LoadedDefinition {
  readonly name: string;
  /** Without the name of a system. */
  readonly file: string;
  readonly files: readonly string[];
  readonly json: LocatedJson;
  /** Its systems, when it is an installer as Azure Linux has it. */
  readonly parts: readonly string[];
  readonly config: ImageConfig;
  readonly systems: readonly LoadedSystem[];
  readonly artifacts: readonly RequestedArtifact[];
  readonly installer?: InstallerDefinition;
  readonly rawBinaries: readonly RawBinary[];
  /** What is asked for and not built. */
  readonly unsupported: readonly Diagnostic[];
}

export interface LoadedSystem {
  readonly config: SystemConfig;
  readonly packages: readonly RequestedPackage[];
  readonly customization: Customization;
  readonly seed?: SeedDefinition;
}

/**
 * Reads a definition (`full.json`) or a system of an installer (`full.json#Core`), what it extends, its package lists and what lies beside it.
 * @throws BuildError `JSON_MALFORMED`, `IMAGE_FILE_MISSING`, `IMAGE_FILE_TYPE`, `IMAGE_PATH_ESCAPES`, `IMAGE_EXTENDS_CYCLE`,
 * `IMAGE_CONFIG_INVALID`, `IMAGE_SYSTEM_UNKNOWN`, `IMAGE_FEATURE_UNSUPPORTED`; each at the place in the text, all problems of a kind at once
 */
export function readImageDefinition(file: string, files: DefinitionFiles): ImageDefinition {
  const loaded = loadDefinition(file, files);
  failOn('IMAGE_FEATURE_UNSUPPORTED', file, loaded.unsupported);
  return toDefinition(loaded);
}

function toDefinition(loaded: LoadedDefinition): ImageDefinition {
  const { config, packages, customization, seed } = loaded.systems[0]!;
  const { rawBinaries } = loaded;
  const disk = toDisk(loaded.config, loaded.artifacts);
  return {
    name: loaded.name,
    file: loaded.file,
    files: loaded.files,
    places: readPlaces(loaded.json),
    packages,
    artifacts: builtArtifacts(loaded.artifacts),
    ...(disk === undefined ? {} : { disk: rawBinaries.length === 0 ? disk : { ...disk, rawBinaries } }),
    boot: toBoot(config),
    ...(config.Hostname ? { hostname: config.Hostname } : {}),
    removeRpmDb: config.RemoveRpmDb ?? false,
    disableRpmDocs: config.DisableRpmDocs ?? false,
    ...(config.OverrideRpmLocales ? { languages: config.OverrideRpmLocales } : {}),
    hidepid: config.EnableHidepid ?? false,
    customization,
    container: toContainer(config),
    ...(seed === undefined ? {} : { seed }),
    ...(loaded.installer === undefined ? {} : { installer: loaded.installer }),
  };
}

/** As `readImageDefinition`, but what isn't built yet is no error. */
export function loadDefinition(reference: string, files: DefinitionFiles): LoadedDefinition {
  const reader = new DefinitionReader(files);
  const part = parsePart(reference);
  const { file } = part;
  const whole = reader.readConfig(file, []);
  failOn('IMAGE_CONFIG_INVALID', file, schemaProblems(whole, imageConfigSchema));
  const json = definitionOf(part, whole);
  const name = imageName(part);
  const problems = new ProblemList();
  const artifacts = requestedArtifacts(json, name);
  const systems = listItems(valueAt(json, ['SystemConfigs'])).map((place) =>
    loadSystem({ place, artifacts }, reader, problems),
  );
  refuseEqualNames(artifacts, problems);
  const config = plainValue(json) as ImageConfig;
  checkDisk({ json, config, artifacts }, problems);
  checkMedium(config, artifacts, problems);
  checkKickstart(json, artifacts, problems);
  const rawBinaries = readRawBinaries(json, reader, problems);
  const read = (other: string): ReadSystem => {
    const loaded = loadDefinition(other, files);
    return { ...loaded, definition: toDefinition(loaded) };
  };
  const found = readInstaller({ file, json, artifacts }, { reader, read }, problems);
  failOn('IMAGE_CONFIG_INVALID', file, problems.all());
  return {
    name,
    file,
    files: reader.files(),
    json,
    parts: part.system === undefined ? systemReferences(file, whole) : [],
    config,
    systems,
    artifacts,
    rawBinaries,
    ...(found === undefined ? {} : { installer: found.installer }),
    unsupported: [
      ...(found?.unsupported ?? []),
      ...unsupportedFeatures(json, imageConfigSchema),
      ...unsupportedShapes(json, artifacts),
      ...unsupportedDisk(json),
    ],
  };
}

function loadSystem(
  { place, artifacts }: { readonly place: LocatedJson; readonly artifacts: readonly RequestedArtifact[] },
  reader: DefinitionReader,
  problems: ProblemList,
): LoadedSystem {
  const config = plainValue(place) as SystemConfig;
  const packages = [...reader.readPackages(place), ...kernel(place, problems), ...loaderPackages(place, artifacts)];
  if (packages.length === 0) problems.add("it has no packages: neither 'Packages' nor 'PackageLists'", place.location);
  for (const { dependency, location } of packages) {
    if (/^[^\s()<>=/][^\s()<>=]*$/.test(dependency.name)) continue;
    problems.add(`'${formatDependency(dependency)}' is neither a package name nor 'name op version'`, location);
  }
  checkContainer(place, problems);
  const seed = readSeed({ place, artifacts }, reader, problems);
  return {
    config,
    packages: withoutRepetitions(packages),
    customization: readCustomization(place, reader, problems),
    ...(seed === undefined ? {} : { seed }),
  };
}

/** The kernel that is installed; the others of `KernelOptions` are for an installer to choose from. */
function kernel(system: LocatedJson, problems: ProblemList): RequestedPackage[] {
  const options = valueAt(system, ['KernelOptions']);
  if (options?.kind !== 'object' || options.members.size === 0) return [];
  for (const [key, { value }] of options.members)
    if (!key.startsWith('_') && String(plainValue(value)).trim() === '')
      problems.add(`the kernel '${key}' has no package`, value.location);
  const standard = valueAt(options, ['default']);
  if (standard?.kind !== 'scalar') {
    problems.add("'KernelOptions' has no member 'default'", options.location);
    return [];
  }
  return [{ dependency: parseDependency(String(standard.value)), location: standard.location }];
}

/** What the schema allows and the image stage can't do yet, beside single members. */
function unsupportedShapes(json: LocatedJson, artifacts: readonly RequestedArtifact[]): Diagnostic[] {
  const unsupported = (message: string, location: SourceLocation): Diagnostic => ({
    severity: 'error',
    code: 'IMAGE_FEATURE_UNSUPPORTED',
    message,
    location,
    hint: "for an installer leave out 'Artifacts', or name definitions of single systems in 'Installer'",
  });
  const several = ['SystemConfigs', 'Disks'].flatMap((key) => {
    const second = valueAt(json, [key, '1']);
    return second === undefined
      ? []
      : [unsupported(`more than one entry of '${key}' is not built yet`, second.location)];
  });
  const none =
    artifacts.length === 0
      ? [
          unsupported(
            "it makes nothing: 'Disks' has no 'Artifacts'; it has one system, and no 'TargetDisk' to install it on",
            json.location,
          ),
        ]
      : [];
  return [...several, ...none, ...unsupportedArtifacts(artifacts)];
}

function refuseEqualNames(artifacts: readonly RequestedArtifact[], problems: ProblemList): void {
  const names = artifacts.map(fileNameOf);
  artifacts.forEach(({ place }, index) => {
    if (names.indexOf(names[index]!) !== index)
      problems.add(`two artifacts are called '${names[index]}'`, place.location, "give one of them another 'Name'");
  });
}

function withoutRepetitions(packages: readonly RequestedPackage[]): RequestedPackage[] {
  const byText = new Map<string, RequestedPackage>();
  for (const one of packages) {
    const text = formatDependency(one.dependency);
    if (!byText.has(text)) byText.set(text, one);
  }
  return [...byText.values()];
}
