/** A medium that installs: which systems it has, and what answers its questions. */
import type { Diagnostic } from '@kiln/diagnostics';
import type { ImageScript } from './customization.ts';
import type { DefinitionReader } from './definition-reader.ts';
import { resolvePath } from './definition-files.ts';
import { toInstalledDisk, type InstalledDisk } from './disk-definition.ts';
import type { ImageArtifact, RequestedArtifact } from './image-artifacts.ts';
import type { ImageConfig, SystemConfig } from './image-config-schema.ts';
import type { ImageDefinition } from './image-definition.ts';
import { checkInstalledDisk } from './installed-disk-problems.ts';
import { isInstaller, parsePart, systemReferences } from './installer-parts.ts';
import { valueAt, listItems, plainValue, type LocatedJson } from './located-json.ts';
import type { ProblemList } from './problem-list.ts';

/** Plain data. */
export interface InstallerDefinition {
  readonly systems: readonly InstalledSystem[];
  /** Text of the file that is on the medium; without it the installer asks, or looks for a volume. */
  readonly answers?: string;
}

/** An image whose root is on the medium. */
export interface InstalledSystem {
  /** Name of the image. */
  readonly image: string;
  /** What it is read from: a definition, or one system of it. */
  readonly reference: string;
  /** For people. */
  readonly title: string;
  /** Words of the kernel's command line, without the one for the root file system. */
  readonly commandLine: readonly string[];
  /** Of the image: its root's files. */
  readonly artifact: ImageArtifact;
  /** What its disk is divided into; the installer knows that itself when it is missing. */
  readonly disk?: InstalledDisk;
  /** Run before the disk is changed; they write the disk's partitions to /tmp/part-include, in the language of kickstart. */
  readonly partitionScripts?: readonly ImageScript[];
  /** Whether /proc hides other users' processes. */
  readonly hidepid?: true;
  /** Whether its files are labelled when it is installed, by its own policy. */
  readonly selinux?: true;
}

interface InstallerPlace {
  readonly file: string;
  readonly json: LocatedJson;
  readonly artifacts: readonly RequestedArtifact[];
}

/** A definition that was read for an installer, as it is written and as it is meant. */
export interface ReadSystem {
  readonly definition: ImageDefinition;
  readonly json: LocatedJson;
  /** What is asked for and not built. */
  readonly unsupported: readonly Diagnostic[];
}

export interface SystemReading {
  readonly reader: DefinitionReader;
  /** With the same files. @throws BuildError of the definition */
  readonly read: (reference: string) => ReadSystem;
}

/** What an installer takes from its systems. */
export interface ReadInstaller {
  readonly installer: InstallerDefinition;
  readonly unsupported: readonly Diagnostic[];
}

/** The first system's; undefined without one. What is wrong goes to `problems`. @throws BuildError of a system's definition */
export function readInstaller(
  { file: definitionFile, json, artifacts }: InstallerPlace,
  reading: SystemReading,
  problems: ProblemList,
): ReadInstaller | undefined {
  const place = valueAt(json, ['SystemConfigs', '0', 'Installer']);
  if (place === undefined) return undefined;
  if (!artifacts.some(({ kind }) => kind === 'iso'))
    problems.add("'Installer' has no effect", place.location, "add an artifact of type 'iso'");
  const { reader } = reading;
  const places = listItems(valueAt(place, ['Systems']));
  const unsupported: Diagnostic[] = [];
  const systems = places.flatMap((item): InstalledSystem[] => {
    const reference = resolvePath(item.location.file, String(plainValue(item)));
    const { file } = parsePart(reference);
    if (directoryOf(file) !== directoryOf(definitionFile)) {
      const hint = 'only definitions beside this one are images of the tree';
      problems.add(`'${file}' is not in the directory of '${definitionFile}'`, item.location, hint);
      return [];
    }
    const found = readSystem(item, { ...reading, reference }, problems);
    unsupported.push(...(found?.unsupported ?? []));
    return found?.system ?? [];
  });
  places.forEach((item, index) => {
    if (index !== places.findIndex((other) => plainValue(other) === plainValue(item)))
      problems.add(`'${resolvePath(item.location.file, String(plainValue(item)))}' is there twice`, item.location);
  });
  refuseEqualNames(systems, place, problems);
  const answers = readAnswers({ json, place, systems }, reader, problems);
  return { installer: { systems, ...(answers === undefined ? {} : { answers }) }, unsupported };
}

function readSystem(
  item: LocatedJson,
  { reader, read, reference }: SystemReading & { readonly reference: string },
  problems: ProblemList,
): { readonly system: InstalledSystem[]; readonly unsupported: readonly Diagnostic[] } | undefined {
  const { file, system } = parsePart(reference);
  const whole = reader.readConfig(file, [], item.location);
  const isNamed = system === undefined && valueAt(whole, ['SystemConfigs'])?.kind === 'list' && isInstaller(whole);
  if (isNamed || valueAt(whole, ['SystemConfigs', '0', 'Installer']) !== undefined) {
    const parts = systemReferences(file.slice(file.lastIndexOf('/') + 1), whole);
    const hint = parts.length === 0 ? undefined : `name its systems: ${parts.join(', ')}`;
    problems.add(`'${file}' is an installer itself`, item.location, hint);
    return undefined;
  }
  const { definition, json, unsupported } = read(reference);
  reader.note(definition.files);
  const artifact = definition.artifacts.find(
    ({ type, compression }) => type === 'tar.zst' && compression === undefined,
  );
  const report = (lack: string) => problems.add(`'${reference}' ${lack}`, item.location);
  if (artifact === undefined) report("has no artifact of type 'tar.zst', of which a system is installed");
  if (valueAt(json, ['SystemConfigs', '0', 'KernelOptions', 'default']) === undefined) report('has no kernel');
  if (definition.boot.unifiedKernel !== undefined) report('has a unified kernel image, which is not installed');
  if (artifact === undefined) return { system: [], unsupported };
  const config = plainValue(json) as ImageConfig;
  const [written] = config.SystemConfigs as [SystemConfig];
  const disk = toInstalledDisk(config);
  if (disk !== undefined) checkInstalledDisk(disk, report);
  const one: InstalledSystem = {
    image: definition.name,
    reference,
    title: written.Name,
    commandLine: definition.boot.commandLine,
    artifact,
    ...(disk === undefined ? {} : { disk }),
    ...(written.IsKickStartBoot === true ? { partitionScripts: readPartitionScripts(json, reader) } : {}),
    ...(definition.hidepid ? { hidepid: true } : {}),
    ...(definition.customization.selinux === undefined ? {} : { selinux: true }),
  };
  return { system: [one], unsupported };
}

function readPartitionScripts(json: LocatedJson, reader: DefinitionReader): ImageScript[] {
  return listItems(valueAt(json, ['SystemConfigs', '0', 'PreInstallScripts'])).map((place) => {
    const { Path, Args = '' } = plainValue(place) as { readonly Path: string; readonly Args?: string };
    const { location } = valueAt(place, ['Path'])!;
    return { source: reader.inspectBeside({ path: Path, location }, 'file').path, arguments: Args };
  });
}

/** Notes scripts of a kickstart that nobody would run, or that nothing else may contradict. */
export function checkKickstart(
  json: LocatedJson,
  artifacts: readonly RequestedArtifact[],
  problems: ProblemList,
): void {
  const { Disks, SystemConfigs } = plainValue(json) as ImageConfig;
  const [system] = SystemConfigs as [SystemConfig];
  const at = (member: string) => (valueAt(json, ['SystemConfigs', '0', member]) ?? json).location;
  const scripts = system.PreInstallScripts ?? [];
  if (system.IsKickStartBoot !== true) {
    if (scripts.length > 0)
      problems.add("'PreInstallScripts' have no effect", at('PreInstallScripts'), "add 'IsKickStartBoot': true");
    return;
  }
  if (!artifacts.some(({ kind }) => kind === 'tar.zst'))
    problems.add(
      "'IsKickStartBoot' is for systems that are installed, which need an artifact of type 'tar.zst'",
      at('IsKickStartBoot'),
    );
  if (scripts.length === 0)
    problems.add("'IsKickStartBoot' needs 'PreInstallScripts', which write the partitions", at('IsKickStartBoot'));
  if ((Disks?.[0]?.Partitions ?? []).length > 0)
    problems.add("'IsKickStartBoot' and 'Partitions' both divide the disk", at('IsKickStartBoot'));
}

/** Two systems of one definition may differ in nothing but signs that names of images don't have. */
function refuseEqualNames(systems: readonly InstalledSystem[], place: LocatedJson, problems: ProblemList): void {
  for (const [index, { image, reference }] of systems.entries()) {
    const first = systems.findIndex((other) => other.image === image);
    if (first !== index && systems[first]!.reference !== reference)
      problems.add(`'${reference}' and '${systems[first]!.reference}' are both called '${image}'`, place.location);
  }
}

function directoryOf(file: string): string {
  return file.slice(0, file.lastIndexOf('/') + 1);
}

interface AnswerPlace {
  readonly json: LocatedJson;
  readonly place: LocatedJson;
  readonly systems: readonly InstalledSystem[];
}

/** A file beside the definition, the disk that it names, or the scripts of the only system. */
function readAnswers(
  { json, place, systems }: AnswerPlace,
  reader: DefinitionReader,
  problems: ProblemList,
): string | undefined {
  const path = valueAt(place, ['Answers']);
  const disk = valueAt(json, ['Disks', '0', 'TargetDisk', 'Value']);
  const target = disk?.kind === 'scalar' ? String(disk.value) : '';
  if (path?.kind === 'scalar') {
    if (target !== '') problems.add("'Answers' and 'TargetDisk' both say where to install", path.location);
    return reader.readBeside({ path: String(path.value), location: path.location });
  }
  if (target !== '') {
    if (systems.length > 1)
      problems.add("'TargetDisk' installs without asking, and there are several systems", disk!.location);
    return `disk ${target}\noverwrite yes\n`;
  }
  const isScripted = systems.length === 1 && systems[0]!.partitionScripts !== undefined;
  return isScripted ? 'disk by-script\noverwrite yes\n' : undefined;
}
