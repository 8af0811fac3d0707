/** The files that an image is made into. */
import type { Diagnostic } from '@kiln/diagnostics';
import {
  BUILT_ARTIFACTS,
  COMPRESSIONS,
  DISK_ARTIFACTS,
  PARTITION_ARTIFACTS,
  type BuiltArtifactType,
  type Compression,
} from './disk-schema.ts';
import { listItems, plainValue, valueAt, type LocatedJson } from './located-json.ts';

export interface ImageArtifact {
  readonly type: BuiltArtifactType;
  readonly fileName: string;
  /** What packs the file afterwards. */
  readonly compression?: Compression;
}

/** An artifact as it is asked for, whether we can make it or not. */
export interface RequestedArtifact {
  /** The type and the compression, such as `vhd`, `raw.xz`, `tar.gz`; `directory` when there is neither. */
  readonly kind: string;
  /** File name without extension. */
  readonly name: string;
  /** ID of the partition that it is made from; of the whole when it is missing. */
  readonly partition?: string;
  readonly place: LocatedJson;
}

/** The artifacts of the first disk and of its partitions; `definition` is what they are called by default. */
export function requestedArtifacts(json: LocatedJson, definition: string): RequestedArtifact[] {
  const read = (owner: LocatedJson | undefined, partition?: string): RequestedArtifact[] =>
    listItems(owner === undefined ? undefined : valueAt(owner, ['Artifacts'])).map((place) => {
      const { Type = '', Compression = '', Name = definition } = plainValue(place) as Record<string, string>;
      const kind = [Type, Compression].filter((one) => one !== '').join('.') || 'directory';
      return { kind, name: Name, place, ...(partition === undefined ? {} : { partition }) };
    });
  const disk = valueAt(json, ['Disks', '0']);
  const partitions = listItems(valueAt(json, ['Disks', '0', 'Partitions']));
  return [...read(disk), ...partitions.flatMap((one) => read(one, (plainValue(one) as { readonly ID: string }).ID))];
}

/** Those that are built of the whole, or of the partition with this ID. */
export function builtArtifacts(requested: readonly RequestedArtifact[], ofPartition?: string): ImageArtifact[] {
  return requested.flatMap((artifact): ImageArtifact[] => {
    const form = builtForm(artifact.kind, ofPartition);
    if (form === undefined || artifact.partition !== ofPartition) return [];
    return [{ ...form, fileName: fileNameOf(artifact) }];
  });
}

/** What its file is called; of one that isn't built, by its kind. */
export function fileNameOf({ kind, name, partition }: RequestedArtifact): string {
  const { type, compression } = builtForm(kind, partition) ?? {};
  if (type === undefined) return `${name}.${kind}`;
  return `${name}${BUILT_ARTIFACTS[type]}${compression === undefined ? '' : COMPRESSIONS[compression]}`;
}

/** Those that are not built yet. */
export function unsupportedArtifacts(requested: readonly RequestedArtifact[]): Diagnostic[] {
  return requested
    .filter(({ kind, partition }) => builtForm(kind, partition) === undefined)
    .map(({ kind, partition, place }): Diagnostic => {
      const { location } = valueAt(place, ['Type']) ?? valueAt(place, ['Compression']) ?? place;
      const owner = partition === undefined ? '' : ` of a single partition ('${partition}')`;
      const built = Object.keys(partition === undefined ? BUILT_ARTIFACTS : PARTITION_ARTIFACTS);
      return {
        severity: 'error',
        code: 'IMAGE_FEATURE_UNSUPPORTED',
        message: `artifacts of type '${kind}'${owner} are not built yet`,
        location,
        hint: `use one of: ${built.join(', ')}`,
      };
    });
}

/** Those that only a disk with partitions can give. */
export function ofWholeDisk(requested: readonly RequestedArtifact[]): RequestedArtifact[] {
  return requested.filter(({ kind, partition }) => {
    const form = builtForm(kind, partition);
    return partition === undefined && form !== undefined && Object.hasOwn(DISK_ARTIFACTS, form.type);
  });
}

/** The two parts of a kind that is built: `tar.gz` is a type, `raw.gz` a type with a compression. */
function builtForm(kind: string, partition: string | undefined): Omit<ImageArtifact, 'fileName'> | undefined {
  const types: object = partition === undefined ? BUILT_ARTIFACTS : PARTITION_ARTIFACTS;
  if (Object.hasOwn(types, kind)) return { type: kind as BuiltArtifactType };
  const dot = kind.lastIndexOf('.');
  const [type, compression] = [kind.slice(0, dot), kind.slice(dot + 1)];
  if (!Object.hasOwn(types, type) || !Object.hasOwn(COMPRESSIONS, compression)) return undefined;
  return { type: type as BuiltArtifactType, compression: compression as Compression };
}
