/** The `publish-image` target: an image's files as others download them, with the list of their checksums signed by the distribution's key. */
import { join } from 'node:path';
import { digestOf, sha256, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { CHECKSUM_FILE, verifyImage } from '@kiln/image-build';
import { withSigner } from '@kiln/rpm-repository';
import { makeWorkDirectory, removeWorkDirectory } from '@kiln/sandbox';
import { imageContents } from './image-target.ts';
import { secureBootCertificate } from './secure-boot-key.ts';
import type { Session } from './session.ts';
import { signedImage } from './signed-image.ts';
import { signingOf } from './signing-key.ts';
import type { Target } from './targets.ts';
import { isTrial, refuseInTrial } from './trial-toolchain.ts';
import { refuseUnpublishable } from './unpublishable.ts';

/** Raise it when the same image would be published in another way. */
const RECIPE_VERSION = 1;

export const publishImageTarget: Target = {
  before: ({ config }, id) => (isTrial(config) ? [] : [['image', id]]),

  async key(session, id): Promise<Sha256 | undefined> {
    refuseInTrial(session.distribution.config, `the publication of the image ${id}`);
    const { fingerprint, publicKey } = await signingOf(session);
    const { result: image } = await session.state('image', id);
    if (image === undefined) return undefined;
    await refuseUnpublishableParts(session, id);
    return digestOf({
      stage: 'publish-image',
      recipeVersion: RECIPE_VERSION,
      image: image.key,
      outputs: image.outputs,
      signing: { fingerprint, publicKey: sha256(publicKey) },
      ...(isSigned(session, id) ? { secureBoot: sha256(await secureBootCertificate(session)) } : {}),
    });
  },

  async build(session, id) {
    const { host, store, distribution } = session;
    const signing = await signingOf(session);
    const [contents, { result: image }] = [await imageContents(session, id), await session.state('image', id)];
    if (contents === undefined || image === undefined)
      throw new BuildError('PLAN_STALE', `the image ${id} is not made`);
    const work = await makeWorkDirectory(host, store, 'publish-image');
    try {
      const files = isSigned(session, id) ? await signedImage(session, contents, image.outputs) : image.outputs;
      for (const [name, blob] of Object.entries(files)) await store.materialize(blob, join(work, name));
      const sums = join(work, CHECKSUM_FILE);
      await withSigner(host, signing, (signer) => signer.signFile(sums, contents.sourceDateEpoch));
      await refuseWrong(session, { id, directory: work, publicKeyFile: signing.publicKeyFile });
      const outputs = {
        ...files,
        [`${CHECKSUM_FILE}.asc`]: await store.putFile(`${sums}.asc`),
        [`GPG-KEY-${distribution.config.name}`]: await store.putText(signing.publicKey),
      };
      return { outputs, facts: { fingerprint: signing.fingerprint } };
    } finally {
      await removeWorkDirectory(host, work);
    }
  },

  showAs: ({ config }, id, output) => join('dist', 'published-images', config.architecture, id, output),
  log: (id) => join('dist', 'logs', 'publish-image', `${id}.log`),
};

function isSigned({ distribution }: Session, id: string): boolean {
  return distribution.findImage(id).definition?.boot.unifiedKernel?.secureBoot === true;
}

async function refuseUnpublishableParts(session: Session, id: string): Promise<void> {
  const { distribution } = session;
  const packages = distribution.findImage(id).dependencies.map((dependency) => distribution.findPackage(dependency));
  await refuseUnpublishable(session, packages);
}

/** As those do who download it. @throws BuildError `VERIFY_FAILED` */
async function refuseWrong(
  { host }: Session,
  { id, ...request }: { readonly id: string; readonly directory: string; readonly publicKeyFile: string },
): Promise<void> {
  const failed = (await verifyImage(host, request)).filter(({ outcome }) => outcome === 'failed');
  if (failed.length === 0) return;
  throw new BuildError('VERIFY_FAILED', `the image ${id} does not verify as it would be published`, {
    diagnostics: failed.flatMap(({ name, problems }) =>
      problems.map((problem) => ({
        severity: 'error' as const,
        code: 'VERIFY_FAILED',
        message: `${name}: ${problem}`,
      })),
    ),
  });
}
