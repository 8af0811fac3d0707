/** The files that an image is made into. */
import type { Diagnostic } from '@kiln/diagnostics';
import { BUILT_ARTIFACTS, type BuiltArtifactType } from './disk-schema.ts';
import { listItems, plainValue, valueAt, type LocatedJson } from './located-json.ts';

export interface ImageArtifact {
  readonly type: BuiltArtifactType;
  readonly fileName: string;
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

/** Those that are built. */
export function builtArtifacts(requested: readonly RequestedArtifact[]): ImageArtifact[] {
  return requested.flatMap(({ kind, name, partition }) =>
    partition === undefined && isBuilt(kind) ? [{ type: kind, fileName: `${name}${BUILT_ARTIFACTS[kind]}` }] : [],
  );
}

/** Those that are not built yet. */
export function unsupportedArtifacts(requested: readonly RequestedArtifact[]): Diagnostic[] {
  return requested
    .filter(({ kind, partition }) => partition !== undefined || !isBuilt(kind))
    .map(({ kind, partition, place }): Diagnostic => {
      const { location } = valueAt(place, ['Type']) ?? valueAt(place, ['Compression']) ?? place;
      return {
        severity: 'error',
        code: 'IMAGE_FEATURE_UNSUPPORTED',
        message:
          partition === undefined
            ? `artifacts of type '${kind}' are not built yet`
            : `artifacts of a single partition ('${partition}') are not built yet`,
        location,
        ...(partition === undefined ? { hint: `use one of: ${Object.keys(BUILT_ARTIFACTS).join(', ')}` } : {}),
      };
    });
}

function isBuilt(kind: string): kind is BuiltArtifactType {
  return Object.hasOwn(BUILT_ARTIFACTS, kind);
}
