/** Brings the RPMs of a manifest into the store: from where they are said to be, and only as what they are said to be. */
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { digestOf } from '@kiln/build-identity';
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import { inParallel } from '@kiln/host';
import { formatNevra } from '@kiln/rpm-package';
import { readRpmHeader, verifyRpm, withVerifier, type SignatureVerifier } from '@kiln/rpm-repository';
import { download, FetchProgress } from '@kiln/sources';
import { offeredCapabilities } from './make-manifest.ts';
import { addressOf, localDirectory, type ManifestPlace } from './offered-rpms.ts';
import type { ManifestPackage, ToolchainManifest } from './toolchain-manifest.ts';

const PARALLEL = 6;
const TASK = { action: 'toolchain', subject: 'toolchain' } as const;

/** Raise it when more is checked. */
const CHECK_VERSION = 1;

/**
 * Downloads what isn't in the store, by digest: the RPMs of the layer, or those that are named. Then signatures, digests of the content, names and capabilities are checked: once for the same
 * packages, keys and statements, wherever the files came from.
 * @throws BuildError `TOOLCHAIN_RPM_MISSING`, `TOOLCHAIN_RPM_CHANGED`, `TOOLCHAIN_RPM_REFUSED`, each with all packages that it is about;
 * `SIGNATURE_KEY_INVALID`, `DISK_FULL`.
 */
export async function fetchManifestRpms(
  place: ManifestPlace,
  manifest: ToolchainManifest,
  packages: readonly ManifestPackage[] = manifest.packages,
): Promise<void> {
  const missing: ManifestPackage[] = [];
  for (const one of packages) if (!(await place.store.hasBlob(one))) missing.push(one);
  const failures = await fetchAll(place, manifest, missing);
  if (failures.length > 0) throw failure(failures);
  const { keys, provides } = manifest;
  const checked = digestOf({
    checkVersion: CHECK_VERSION,
    keys: Object.entries(keys).map(([fingerprint, file]) => [fingerprint, keyText(place.root, file)]),
    packages: packages.map(({ nevra, sha256, key = '' }) => [nevra, sha256, key]),
    provides: { ...provides },
  });
  await place.store.layer(`toolchain-checked-${checked}`, async () => {
    const refused = await refusals(place, manifest, packages);
    if (refused.length > 0) throw failure(refused);
  });
}

/** Empty when it can't be read, which is told when it is used. */
function keyText(root: string, file: string): string {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch {
    return '';
  }
}

interface Failure {
  readonly code: 'TOOLCHAIN_RPM_MISSING' | 'TOOLCHAIN_RPM_CHANGED' | 'TOOLCHAIN_RPM_REFUSED';
  readonly rpm: ManifestPackage;
  readonly reason: string;
}

async function fetchAll(
  place: ManifestPlace,
  { repositories }: ToolchainManifest,
  packages: readonly ManifestPackage[],
): Promise<Failure[]> {
  const { host, store, stallSeconds } = place;
  const urls = new Map(repositories.map(({ name, url }) => [name, url]));
  const progress = new FetchProgress(host, TASK, 'packages');
  const tellers = new Map(packages.map((one) => [one, progress.file(one.nevra, one.size)]));
  const failures: Failure[] = [];
  /** Repositories that answer no more: with hundreds of packages, each of them would be waited for. */
  const silent = new Set<string>();
  await inParallel(packages, PARALLEL, async (rpm) => {
    if (silent.has(rpm.repository)) return;
    const url = fileAddress(place, urls.get(rpm.repository)!, rpm.path);
    const tell = tellers.get(rpm)!;
    const { nevra, sha256, size } = rpm;
    const outcome = await download(host, store, { url, fileName: nevra, sha256, sizeLimit: size, tell, stallSeconds });
    if ('blob' in outcome) {
      tell(size, size);
      if (outcome.blob.size !== size) failures.push(otherSize(rpm, outcome.blob.size));
      return;
    }
    if (outcome.isPassing === true) {
      if (silent.has(rpm.repository)) return;
      silent.add(rpm.repository);
    }
    const code = outcome.isOther ? 'TOOLCHAIN_RPM_CHANGED' : 'TOOLCHAIN_RPM_MISSING';
    failures.push({ code, rpm, reason: outcome.reason });
  });
  return failures;
}

function otherSize(rpm: ManifestPackage, found: number): Failure {
  return { code: 'TOOLCHAIN_RPM_CHANGED', rpm, reason: `it has ${found} bytes, the manifest says ${rpm.size}` };
}

function fileAddress(place: ManifestPlace, url: string, path: string): string {
  const directory = localDirectory(place, url);
  return directory === undefined ? addressOf(url, path) : pathToFileURL(join(directory, path)).href;
}

/** What arrived with the right digest and is not what the manifest says all the same. */
async function refusals(
  { host, store, root }: ManifestPlace,
  manifest: ToolchainManifest,
  packages: readonly ManifestPackage[],
): Promise<Failure[]> {
  const keys = Object.entries(manifest.keys).map(([fingerprint, file]) => ({
    fingerprint,
    publicKeyFile: join(root, file),
  }));
  const failures: Failure[] = [];
  const checkAll = (verifier: SignatureVerifier | undefined) =>
    inParallel(packages, PARALLEL, async (rpm) => {
      try {
        await store.requireIntact(rpm, rpm.nevra);
        await checkRpm(store.blobPath(rpm.sha256), rpm, { verifier, manifest });
      } catch (error) {
        if (!(error instanceof BuildError) || RETHROWN.includes(error.code)) throw error;
        failures.push({ code: 'TOOLCHAIN_RPM_REFUSED', rpm, reason: error.message });
      }
    });
  const isSigned = packages.some(({ key }) => key !== undefined);
  await (isSigned ? withVerifier(host, keys, checkAll) : checkAll(undefined));
  return failures;
}

/** About the machine or the store, not about a package. */
const RETHROWN = ['PROGRAM_NOT_FOUND', 'BLOB_UNUSABLE'];

interface Check {
  readonly verifier: SignatureVerifier | undefined;
  readonly manifest: ToolchainManifest;
}

async function checkRpm(path: string, rpm: ManifestPackage, { verifier, manifest }: Check): Promise<void> {
  if (rpm.key !== undefined) await verifier?.checkRpm(path, rpm.key, 'it');
  await verifyRpm(path);
  const { package: found } = await readRpmHeader(path);
  const nevra = formatNevra(found);
  if (nevra !== rpm.nevra) throw new BuildError('TOOLCHAIN_MANIFEST_STALE', `it is ${nevra}`);
  if (manifest.others.includes(rpm)) return;
  const stated = manifest.provides[rpm.nevra] ?? [];
  const offered = offeredCapabilities({ ...found, files: found.files.map((file) => file.path) });
  const lack = stated.find((one) => !offered.includes(one));
  const excess = offered.find((one) => !stated.includes(one));
  if (lack !== undefined) throw new BuildError('TOOLCHAIN_MANIFEST_STALE', `it doesn't provide '${lack}'`);
  if (excess !== undefined)
    throw new BuildError('TOOLCHAIN_MANIFEST_STALE', `it provides '${excess}' beside what is stated`);
}

const KINDS: Readonly<
  Record<Failure['code'], { readonly one: string; readonly several: string; readonly hint: string }>
> = {
  TOOLCHAIN_RPM_CHANGED: {
    one: 'is another file than the manifest pins',
    several: 'are other files than the manifest pins',
    hint: 'find out who changed them; `kiln toolchain-manifest` pins what the repositories have now',
  },
  TOOLCHAIN_RPM_REFUSED: {
    one: 'is not what the manifest says of it',
    several: 'are not what the manifest says of them',
    hint: 'check the keys of the manifest; `kiln toolchain-manifest` writes names and capabilities anew',
  },
  TOOLCHAIN_RPM_MISSING: {
    one: "can't be had",
    several: "can't be had",
    hint: 'check the network; when a repository has newer packages only, `kiln toolchain-manifest` makes the manifest again',
  },
};

/** One error, of the worst kind, with all that failed. */
function failure(failures: readonly Failure[]): BuildError {
  const sorted = [...failures].sort((a, b) => (a.rpm.nevra < b.rpm.nevra ? -1 : 1));
  const code = (Object.keys(KINDS) as Failure['code'][]).find((kind) => sorted.some((one) => one.code === kind))!;
  const same = sorted.filter((one) => one.code === code).map(({ rpm }) => rpm);
  const { one, several, hint } = KINDS[code];
  const message =
    same.length === 1
      ? `${same[0]!.nevra} of the toolchain ${one}`
      : `${same.length} packages of the toolchain ${several}`;
  const diagnostics = sorted.map(({ code: kind, rpm, reason }): Diagnostic => ({
    ...{ severity: 'error', code: kind, message: `${rpm.nevra}: ${reason}` },
    ...(rpm.location === undefined ? {} : { location: rpm.location }),
  }));
  return new BuildError(code, message, { diagnostics, hint, location: same[0]!.location });
}
