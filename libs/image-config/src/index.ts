export type { ContainerConfig } from './container-config.ts';
export type { ReadText, RequestedPackage } from './definition-reader.ts';
export { BUILT_ARTIFACTS, type ArtifactType, type BuiltArtifactType } from './disk-schema.ts';
export type { ImageArtifact } from './image-artifacts.ts';
export { readImageDefinition, type ImageDefinition } from './image-definition.ts';
export { editorSchemas, type ImageConfig, type SystemConfig } from './image-config-schema.ts';
