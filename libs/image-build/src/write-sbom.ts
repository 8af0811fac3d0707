/** Writes the bill of materials of an image from the packages that it was made of. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Sha256 } from '@kiln/build-identity';
import { readRpmHeader } from '@kiln/rpm-repository';
import type { ImageRequest } from './image-request.ts';
import { sbomKey } from './local-files.ts';
import { spdxDocument, type SbomPackage, type SbomReference } from './sbom.ts';

export interface SbomImage {
  readonly rootDigest: Sha256;
  readonly osRelease: Readonly<Record<string, string>>;
}

/** An SPDX document; equal requests give equal bytes. */
export async function writeSbom(request: ImageRequest, image: SbomImage, path: string): Promise<void> {
  const packages: SbomPackage[] = [];
  for (const { path: file, sha256, origin } of request.rpms)
    packages.push({ rpm: (await readRpmHeader(file)).package, sha256, origin });
  const { definition, sourceDateEpoch } = request;
  const images = await containedImages(request);
  await writeFile(path, spdxDocument({ name: definition.name, sourceDateEpoch, packages, images, ...image }));
}

async function containedImages({ definition, localFiles }: ImageRequest): Promise<SbomReference[]> {
  const references: SbomReference[] = [];
  for (const { image: name } of definition.installer?.systems ?? []) {
    const { path, sha256 } = localFiles[sbomKey(name)]!;
    const { documentNamespace } = JSON.parse(await readFile(path, 'utf8')) as { readonly documentNamespace: string };
    references.push({ name, namespace: documentNamespace, sha256 });
  }
  return references;
}
