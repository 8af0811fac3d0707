/** The files of the workspace that an image is made of. */
import { constants, copyFile } from 'node:fs/promises';
import type { Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import type { ImageDefinition, InstalledSystem } from '@kiln/image-config';
import { digestFile } from '@kiln/store';
import { SBOM_SUFFIX } from './image-files.ts';
import type { ImageRequest } from './image-request.ts';

/** `path` is absolute; the content has the digest. */
export interface LocalFileInput {
  readonly path: string;
  readonly sha256: Sha256;
}

/** The files, relative to the workspace, that the image is made of; sorted. */
export function localSources({
  customization,
  seed,
  installer,
  disk,
}: Pick<ImageDefinition, 'customization' | 'seed' | 'installer' | 'disk'>): string[] {
  const { files, postInstallScripts, finalizeScripts } = customization;
  const sources = [
    ...files.flatMap((file) => (file.type === 'file' ? [file.source] : [])),
    ...[...postInstallScripts, ...finalizeScripts].map(({ source }) => source),
    ...Object.values(seed?.files ?? {}),
    ...(disk?.rawBinaries ?? []).map(({ source }) => source),
    ...(installer?.systems ?? []).flatMap(({ partitionScripts = [] }) => partitionScripts.map(({ source }) => source)),
  ];
  return [...new Set(sources)].sort();
}

/** Where the root of another image is among the local files: no path of a workspace. */
export function rootKey(image: string): string {
  return `image:${image}`;
}

/** The same of its bill of materials. */
export function sbomKey(image: string): string {
  return `sbom:${image}`;
}

/** What an installer takes of a system's image: file names by their keys among the local files. */
export function carriedFiles({ image, artifact }: InstalledSystem): ReadonlyMap<string, string> {
  return new Map([
    [rootKey(image), artifact.fileName],
    [sbomKey(image), `${image}${SBOM_SUFFIX}`],
  ]);
}

/** Copies a file, and checks the copy, so that what is checked is what is used. @throws BuildError `INPUT_CHANGED` */
export async function placeLocalFile({ localFiles }: ImageRequest, source: string, copy: string): Promise<void> {
  const input = localFiles[source];
  if (input === undefined) throw new Error(`the request has no file '${source}'`);
  await copyFile(input.path, copy, constants.COPYFILE_FICLONE);
  if ((await digestFile(copy)) === input.sha256) return;
  throw new BuildError('INPUT_CHANGED', `'${source}' was changed while the image was being made`, {
    hint: 'run the same command again',
  });
}
