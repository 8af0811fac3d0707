/** The `publish` target: the repository as others install from it, signed with the distribution's key. What was built stays unsigned. */
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, sha256, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { inParallel, shellQuote } from '@kiln/host';
import { artifactDigest, createRepository, withSigner, type Signer } from '@kiln/rpm-repository';
import { makeWorkDirectory, removeWorkDirectory } from '@kiln/sandbox';
import type { Blob } from '@kiln/store';
import type { BuiltProvider } from './built-providers.ts';
import { signingOf, type Signing } from './signing-key.ts';
import { refuseUnpublishable } from './unpublishable.ts';
import { recordPublished, refuseReused } from './published-ledger.ts';
import { allRpms } from './repository-target.ts';
import type { Session } from './session.ts';
import type { Target } from './targets.ts';
import { isTrial, refuseInTrial } from './trial-toolchain.ts';

/** Raise it when the same RPMs would be published in another way. */
const RECIPE_VERSION = 1;
const SIGN_RECIPE_VERSION = 1;
const PARALLEL = 4;

export const publishTarget: Target = {
  before: ({ config }) => (isTrial(config) ? [] : [['repository', config.name]]),

  async key(session, id): Promise<Sha256 | undefined> {
    refuseInTrial(session.distribution.config, 'a publication');
    const { fingerprint, publicKey } = await signingOf(session);
    const [{ result: repository }, rpms] = [await session.state('repository', id), await allRpms(session)];
    if (repository === undefined || rpms === undefined) return undefined;
    await refuseUnpublishable(session, session.distribution.packages);
    await refuseReused(session.distribution, rpms);
    return digestOf({
      stage: 'publish',
      recipeVersion: RECIPE_VERSION,
      repository: repository.key,
      rpms: rpms.map(({ fileName, artifact }) => ({ fileName, artifact })),
      signing: { fingerprint, publicKey: sha256(publicKey), recipeVersion: SIGN_RECIPE_VERSION },
    });
  },

  async build(session, id) {
    const { host, store, distribution } = session;
    const signing = await signingOf(session);
    const rpms = (await allRpms(session)) ?? [];
    const revision = Math.max(0, ...rpms.map(({ buildTime }) => buildTime));
    const work = await makeWorkDirectory(host, store, 'publish');
    try {
      return await withSigner(host, signing, async (signer) => {
        const outputs: Record<string, Blob> = {};
        const signed = await signAll(session, rpms, { signer, signing, work, id });
        const directory = join(work, 'repository');
        const { repomdDigest } = await createRepository(host, session.runTool, {
          directory,
          rpms: signed.map(({ sha256: digest }) => store.blobPath(digest)),
          reusedNevra: 'refuse',
        });
        const repomd = join(work, 'repomd.xml');
        await copyFile(join(directory, 'repodata', 'repomd.xml'), repomd);
        await signer.signFile(repomd, revision);
        outputs['repodata/repomd.xml.asc'] = await store.putFile(`${repomd}.asc`);
        for (const name of await readdir(join(directory, 'repodata')))
          outputs[`repodata/${name}`] = await store.putFile(join(directory, 'repodata', name));
        rpms.forEach(({ fileName }, at) => (outputs[`Packages/${fileName}`] = signed[at]!));
        outputs[`RPM-GPG-KEY-${distribution.config.name}`] = await store.putText(signing.publicKey);
        return { outputs, facts: { repomdDigest, fingerprint: signing.fingerprint } };
      });
    } finally {
      await removeWorkDirectory(host, work);
    }
  },

  async whenThere(session) {
    await recordPublished(session.distribution, (await allRpms(session)) ?? []);
  },

  showAs: ({ config }, _, output) => join('dist', 'published', config.architecture, output),
  log: () => join('dist', 'logs', 'publish.log'),
};

interface SignRequest {
  readonly signer: Signer;
  readonly signing: Signing;
  readonly work: string;
  readonly id: string;
}

/** The signed RPMs in the same order. Each is signed once; the store remembers it. */
async function signAll(session: Session, rpms: readonly BuiltProvider[], request: SignRequest): Promise<Blob[]> {
  let done = 0;
  return inParallel(rpms, PARALLEL, async (rpm) => {
    const signed = await signedRpm(session, rpm, request);
    done += 1;
    const progress = { type: 'progress', action: 'publish', subject: request.id, message: 'signing' } as const;
    session.host.emit({ ...progress, done, total: rpms.length, unit: 'packages' });
    return signed;
  });
}

async function signedRpm(session: Session, rpm: BuiltProvider, { signer, signing, work }: SignRequest): Promise<Blob> {
  const { store } = session;
  const { fingerprint, publicKey } = signing;
  const key = digestOf({
    stage: 'sign',
    recipeVersion: SIGN_RECIPE_VERSION,
    rpm: rpm.blob.sha256,
    signing: { fingerprint, publicKey: sha256(publicKey) },
  });
  const known = (await store.readAction(key))?.outputs[rpm.fileName];
  if (known !== undefined) return known;
  const directory = join(work, rpm.blob.sha256);
  await mkdir(directory);
  const copy = join(directory, rpm.fileName);
  await store.materialize(rpm.blob, copy);
  await signer.signRpm(copy, rpm.buildTime);
  await verifySignature(session, { directory, fileName: rpm.fileName, publicKeyFile: signing.publicKeyFile });
  if ((await artifactDigest(copy)) !== rpm.artifact)
    throw new BuildError('SIGNING_FAILED', `signing changed more of ${rpm.fileName} than its signature`);
  const blob = await store.putFile(copy);
  await store.writeAction({ key, outputs: { [rpm.fileName]: blob }, facts: null });
  return blob;
}

const VERIFY_SCRIPT = 'rpmkeys --dbpath /tmp/keys --import "$1" && rpmkeys --dbpath /tmp/keys --checksig "$2"';

/** With the rpm of the toolchain and nothing but the public key. @throws BuildError `SIGNING_FAILED`. */
async function verifySignature(
  { runTool }: Session,
  { directory, fileName, publicKeyFile }: Readonly<Record<'directory' | 'fileName' | 'publicKeyFile', string>>,
): Promise<void> {
  const argv: [string, ...string[]] = ['bash', '-c', VERIFY_SCRIPT, 'verify', '/key', `/signed/${fileName}`];
  const { status, stdout, stderr } = await runTool({
    argv,
    mounts: [
      { source: publicKeyFile, target: '/key', writable: false },
      { source: directory, target: '/signed', writable: false },
    ],
    environment: { LC_ALL: 'C.UTF-8' },
  });
  if (status === 0 && /: digests signatures OK$/m.test(stdout)) return;
  throw new BuildError(
    'SIGNING_FAILED',
    `rpm does not accept the signature of ${fileName}: ${(stdout + stderr).trim()}`,
    {
      hint: 'see whether rpm 4.18 knows the algorithm of the key, and whether the key may sign',
      command: shellQuote(argv),
    },
  );
}
