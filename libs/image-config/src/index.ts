export { readImageDefinition } from './image-definition.ts';
export type {
  ContainerConfig,
  ImageArtifact,
  ImageDefinition,
  ReadText,
  RequestedPackage,
} from './image-definition.ts';
export { BUILT_ARTIFACTS, editorSchemas } from './image-config-schema.ts';
export type { ArtifactType, BuiltArtifactType, ImageConfig, SystemConfig } from './image-config-schema.ts';
