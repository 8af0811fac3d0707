export { buildImage, CHECKSUM_FILE, rpmDatabaseFileName, type BuiltImage, type ImageOutput } from './build-image.ts';
export { IMAGE_RECIPE_VERSION, imageActionRequest } from './image-request.ts';
export type { ImageIdentity, ImageRequest, ImageRpm } from './image-request.ts';
export { localSources, type LocalFileInput } from './local-files.ts';
export type { ImagePorts, ToolMount, ToolRequest, ToolResult } from './image-ports.ts';
export { readOciArchive, type OciArchive, type OciRuntimeConfig } from './oci-archive.ts';
export { parseOsRelease } from './os-release.ts';
export { bootTest, type BootReport, type BootTestRequest } from './boot-test.ts';
export type { ImageCheck } from './image-checks.ts';
