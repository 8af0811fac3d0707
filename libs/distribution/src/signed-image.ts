/** An image's files with a unified kernel image that is signed for Secure Boot. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { certificateFile, CHECKSUM_FILE, signImage } from '@kiln/image-build';
import { digestFile, type Blob } from '@kiln/store';
import { imagePorts, imageRequest, type ImageContents } from './image-target.ts';
import { secureBootCertificate, secureBootPrivateKey } from './secure-boot-key.ts';
import type { Session } from './session.ts';

/**
 * All files of the image: the unsigned ones replaced, the certificate beside them, the list of checksums made again.
 * @throws BuildError those of the key and of `signImage`
 */
export async function signedImage(
  session: Session,
  contents: ImageContents,
  outputs: Readonly<Record<string, Blob>>,
): Promise<Record<string, Blob>> {
  const { host, store, distribution } = session;
  const certificate = await secureBootCertificate(session);
  const privateKey = secureBootPrivateKey(host, distribution.config.secureBoot!.certificate, certificate);
  const outputDirectory = await store.temporaryPath('signed-image');
  const files: Record<string, Blob> = { ...outputs };
  delete files[CHECKSUM_FILE];
  try {
    const { artifacts } = contents.definition;
    const names = await signImage(host, await imagePorts(session), {
      image: { ...imageRequest(session, contents), outputDirectory },
      files: new Map(artifacts.map((one) => [one, store.blobPath(outputs[one.fileName]!.sha256)])),
      key: { certificate, privateKey },
    });
    for (const name of names) {
      const path = join(outputDirectory, name);
      files[name] = await store.moveFile(path, await digestFile(path));
    }
  } finally {
    await rm(outputDirectory, { recursive: true, force: true });
  }
  files[certificateFile(distribution.config.name)] = await store.putText(certificate);
  const sums = Object.entries(files).map(([name, { sha256 }]) => `${sha256}  ${name}\n`);
  return { ...files, [CHECKSUM_FILE]: await store.putText(sums.join('')) };
}
