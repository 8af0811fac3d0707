/** The files that an image is made into. */
import type { Diagnostic } from '@kiln/diagnostics';
import { BUILT_ARTIFACTS, type BuiltArtifactType } from './disk-schema.ts';
import type { ImageConfig } from './image-config-schema.ts';
import { listItems, valueAt, type LocatedJson } from './located-json.ts';

export interface ImageArtifact {
  readonly type: BuiltArtifactType;
  readonly fileName: string;
}

/** The artifacts of the first disk; `definition` is what they are called by default. */
export function toArtifacts(config: ImageConfig, definition: string): ImageArtifact[] {
  return (config.Disks?.[0]?.Artifacts ?? []).map(({ Name, Type }) => {
    const type = Type as BuiltArtifactType;
    return { type, fileName: `${Name ?? definition}${BUILT_ARTIFACTS[type]}` };
  });
}

/** Artifacts whose type isn't built yet. */
export function unsupportedArtifacts(json: LocatedJson): Diagnostic[] {
  return listItems(valueAt(json, ['Disks', '0', 'Artifacts'])).flatMap((artifact): Diagnostic[] => {
    const type = valueAt(artifact, ['Type']);
    if (type?.kind !== 'scalar' || String(type.value) in BUILT_ARTIFACTS) return [];
    const built = Object.keys(BUILT_ARTIFACTS).join(', ');
    return [
      {
        severity: 'error',
        code: 'IMAGE_FEATURE_UNSUPPORTED',
        message: `artifacts of type '${type.value}' are not built yet`,
        location: type.location,
        hint: `use one of: ${built}`,
      },
    ];
  });
}
