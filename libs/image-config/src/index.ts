export type { Accounts, GroupAccount, UserAccount } from './accounts.ts';
export type { AddedDirectory, AddedFile, AddedLink, AddedRegularFile } from './additional-files.ts';
export type { BootDefinition, UnifiedKernel } from './boot-definition.ts';
export type { ContainerConfig } from './container-config.ts';
export type { Customization, ImageScript, PackageRepository, SelinuxMode } from './customization.ts';
export type { DefinitionFiles, LocalEntry, LocalFile } from './definition-files.ts';
export type { DefinitionPlaces } from './definition-places.ts';
export { planDefinition } from './definition-plan.ts';
export type { ArtifactPlan, DefinitionPlan, PartitionPlan, SystemPlan } from './definition-plan.ts';
export type { RequestedPackage } from './definition-reader.ts';
export type { DiskDefinition, InstalledDisk, PartitionDefinition, PartitionMount } from './disk-definition.ts';
export {
  BUILT_ARTIFACTS,
  DISK_ARTIFACTS,
  LEAST_XFS_MIB,
  type ArtifactType,
  type BuiltArtifactType,
  type Compression,
  type DiskArtifactType,
  type FileSystem,
} from './disk-schema.ts';
export type { ImageArtifact } from './image-artifacts.ts';
export { readImageDefinition, type ImageDefinition } from './image-definition.ts';
export type { InstalledSystem, InstallerDefinition } from './installer-definition.ts';
export { imageName, parsePart, type DefinitionPart } from './installer-parts.ts';
export { editorSchemas, type ImageConfig, type SystemConfig } from './image-config-schema.ts';
export { parseLocatedJson, plainValue, valueAt, type LocatedJson } from './located-json.ts';
export type { NetworkDevice } from './network-config.ts';
export type { VerityRoot } from './verity-root.ts';
