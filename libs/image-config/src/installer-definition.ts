/** A medium that installs: which systems it has, and what answers its questions. */
import { valueAt, listItems, plainValue, type LocatedJson } from './located-json.ts';
import type { DefinitionReader } from './definition-reader.ts';
import { resolvePath } from './definition-files.ts';
import type { ImageArtifact, RequestedArtifact } from './image-artifacts.ts';
import type { ImageDefinition } from './image-definition.ts';
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
  /** For people. */
  readonly title: string;
  /** Words of the kernel's command line, without the one for the root file system. */
  readonly commandLine: readonly string[];
  /** Of the image: its root's files. */
  readonly artifact: ImageArtifact;
}

interface InstallerPlace {
  readonly file: string;
  readonly json: LocatedJson;
  readonly artifacts: readonly RequestedArtifact[];
}

/** How a definition is read with the same files. */
export type ReadDefinition = (file: string) => ImageDefinition;

/** The first system's; undefined without one. What is wrong goes to `problems`. @throws BuildError of a system's definition */
export function readInstaller(
  { file: definitionFile, json, artifacts }: InstallerPlace,
  { reader, read }: { readonly reader: DefinitionReader; readonly read: ReadDefinition },
  problems: ProblemList,
): InstallerDefinition | undefined {
  const place = valueAt(json, ['SystemConfigs', '0', 'Installer']);
  if (place === undefined) return undefined;
  if (!artifacts.some(({ kind }) => kind === 'iso'))
    problems.add("'Installer' has no effect", place.location, "add an artifact of type 'iso'");
  const places = listItems(valueAt(place, ['Systems']));
  const systems = places.flatMap((item, index): InstalledSystem[] => {
    const file = resolvePath(item.location.file, String(plainValue(item)));
    if (directoryOf(file) !== directoryOf(definitionFile)) {
      const hint = 'only definitions beside this one are images of the tree';
      problems.add(`'${file}' is not in the directory of '${definitionFile}'`, item.location, hint);
      return [];
    }
    const config = reader.readConfig(file, [], item.location);
    if (valueAt(config, ['SystemConfigs', '0', 'Installer']) !== undefined) {
      problems.add(`'${file}' is an installer itself`, item.location);
      return [];
    }
    const definition = read(file);
    reader.note(definition.files);
    const artifact = definition.artifacts.find(
      ({ type, compression }) => type === 'tar.zst' && compression === undefined,
    );
    const report = (lack: string) => problems.add(`'${file}' ${lack}`, item.location);
    if (artifact === undefined) report("has no artifact of type 'tar.zst', of which a system is installed");
    if (valueAt(config, ['SystemConfigs', '0', 'KernelOptions', 'default']) === undefined) report('has no kernel');
    if (definition.customization.selinux !== undefined) report('has a mode of SELinux, whose labels no archive has');
    if (index !== places.findIndex((other) => plainValue(other) === plainValue(item))) report('is there twice');
    if (artifact === undefined) return [];
    const title = String(plainValue(valueAt(config, ['SystemConfigs', '0', 'Name'])!));
    return [{ image: definition.name, title, commandLine: definition.boot.commandLine, artifact }];
  });
  const answers = readAnswers({ json, place }, reader, problems);
  return { systems, ...(answers === undefined ? {} : { answers }) };
}

function directoryOf(file: string): string {
  return file.slice(0, file.lastIndexOf('/') + 1);
}

/** A file beside the definition, or the disk that it names. */
function readAnswers(
  { json, place }: { readonly json: LocatedJson; readonly place: LocatedJson },
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
  return target === '' ? undefined : `disk ${target}\noverwrite yes\n`;
}
