/** What a repository of a manifest offers: its metadata, or the RPMs of a directory that has none. */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256, type Sha256 } from '@kiln/build-identity';
import { BuildError, type SourceLocation } from '@kiln/diagnostics';
import { inParallel, type Host } from '@kiln/host';
import type { Provider } from '@kiln/package-graph';
import {
  readPrimary,
  readRepomd,
  readRepository,
  repositoryDirectory,
  verifyRpm,
  withVerifier,
  type RepodataPackage,
  type RepodataSource,
} from '@kiln/rpm-repository';
import { download, withoutCredentials } from '@kiln/sources';
import type { Store } from '@kiln/store';
import type { ManifestRepository, ManifestRequest } from './toolchain-manifest.ts';

/** A binary RPM that can be taken. Its origin is its source RPM. */
export interface OfferedRpm extends Provider {
  readonly repository: ManifestRepository;
  /** Below the repository's address. */
  readonly path: string;
  readonly size: number;
  readonly sha256: Sha256;
  /** File name. */
  readonly source?: string;
  /** When it came into the world, as far as the repository says: the later of build time and time of the file; seconds since the epoch. */
  readonly published: number;
}

/** Where a manifest is worked on. */
export interface ManifestPlace {
  readonly host: Host;
  readonly store: Store;
  /** The workspace: what paths are relative to. */
  readonly root: string;
  /** After how long a silent server is given up; see `download`. */
  readonly stallSeconds?: number;
}

const REPOMD = 'repodata/repomd.xml';
const PARALLEL = 4;

/** Bytes of a file of metadata; that of the files of all of Fedora's packages has a tenth of it. */
const MOST_METADATA = 1024 ** 3;

/** Which files of packages are read: programs and `/etc`, as `primary` has them, or all. The lists of all are many times as large. */
export type OfferedFiles = 'primary' | 'all';

interface Wanted extends Pick<ManifestRequest, 'keys'> {
  readonly files: OfferedFiles;
}

/**
 * All binary RPMs of a repository.
 * @throws BuildError `TOOLCHAIN_REPOSITORY_UNREACHABLE`, `SIGNATURE_MISSING`, `SIGNATURE_INVALID`, `SIGNATURE_KEY_INVALID`, `REPODATA_*`, `RPM_*`;
 * where the manifest names the repository, unless it is about a place of the metadata.
 */
export async function offeredRpms(
  place: ManifestPlace,
  repository: ManifestRepository,
  wanted: Wanted,
): Promise<OfferedRpm[]> {
  try {
    return await readOffers(place, repository, wanted);
  } catch (error) {
    if (error instanceof BuildError) throw error.at(repository.location);
    const { code, syscall, message } = error as NodeJS.ErrnoException;
    if (syscall === undefined || code === 'ENOSPC') throw error;
    throw unreachable(`the repository ${repository.name} can't be read: ${message}`, repository.location);
  }
}

async function readOffers(
  place: ManifestPlace,
  repository: ManifestRepository,
  { keys, files }: Wanted,
): Promise<OfferedRpm[]> {
  const directory = localDirectory(place, repository.url);
  if (directory !== undefined && !existsSync(join(directory, REPOMD)))
    return directoryRpms(directory, repository, keys);
  const source = directory === undefined ? remoteSource(place, repository.url) : repositoryDirectory(directory);
  const digest =
    repository.metadataKey === undefined ? undefined : await checkedRepomd(place, source, { repository, keys });
  const packages = files === 'all' ? await readRepository(source, digest) : await primaryPackages(source, digest);
  return packages.filter(({ arch }) => arch !== 'src' && arch !== 'nosrc').map((one) => offered(one, repository));
}

async function primaryPackages(source: RepodataSource, digest: Sha256 | undefined): Promise<RepodataPackage[]> {
  const packages: RepodataPackage[] = [];
  for await (const one of readPrimary(source, await readRepomd(source, digest))) packages.push(one);
  return packages;
}

/** The directory of a repository on this machine; undefined for a server's. */
export function localDirectory({ root }: Pick<ManifestPlace, 'root'>, url: string): string | undefined {
  if (url.startsWith('file:')) return fileURLToPath(url);
  return url.includes('://') ? undefined : join(root, url);
}

/** The address of a file of a repository. */
export function addressOf(url: string, path: string): string {
  const escaped = path.split('/').map(encodeURIComponent).join('/');
  return `${url.endsWith('/') ? url : `${url}/`}${escaped}`;
}

function remoteSource({ host, store, stallSeconds }: ManifestPlace, url: string): RepodataSource {
  return {
    origin: withoutCredentials(url).replace(/\/$/, ''),
    read: async (path) => {
      const address = addressOf(url, path);
      const outcome = await download(host, store, {
        url: address,
        fileName: path,
        sizeLimit: MOST_METADATA,
        stallSeconds,
      });
      if ('blob' in outcome) return readFile(store.blobPath(outcome.blob.sha256));
      throw unreachable(`a repository can't be read: ${outcome.reason}`);
    },
  };
}

function unreachable(message: string, location?: SourceLocation): BuildError {
  return new BuildError('TOOLCHAIN_REPOSITORY_UNREACHABLE', message, {
    location,
    hint: 'check the address in the manifest and the network',
  });
}

interface Signed {
  readonly repository: ManifestRepository;
  readonly keys: ManifestRequest['keys'];
}

/** The digest of a repomd.xml whose signature is good: it names the digests of everything else. */
async function checkedRepomd(
  { host, root }: ManifestPlace,
  source: RepodataSource,
  { repository: { metadataKey = '' }, keys }: Signed,
): Promise<Sha256> {
  const what = `${source.origin}/${REPOMD}`;
  const content = await source.read(REPOMD);
  const signature = await source.read(`${REPOMD}.asc`).catch((cause: unknown) => {
    throw signatureMissing(what, metadataKey, cause);
  });
  if (content === undefined || signature === undefined) throw signatureMissing(what, metadataKey);
  const scratch = await mkdtemp(join(tmpdir(), 'kiln-repomd-'));
  try {
    const [file, signatureFile] = [join(scratch, 'repomd.xml'), join(scratch, 'repomd.xml.asc')];
    await writeFile(file, content);
    await writeFile(signatureFile, signature);
    const key = { fingerprint: metadataKey, publicKeyFile: join(root, keys[metadataKey]!) };
    await withVerifier(host, [key], (verifier) =>
      verifier.checkFile(file, signatureFile, { fingerprint: metadataKey, what }),
    );
  } finally {
    await rm(scratch, { recursive: true });
  }
  return sha256(content);
}

/** `cause` is why it can't be had, when that is known. */
function signatureMissing(what: string, key: string, cause?: unknown): BuildError {
  const why = cause instanceof BuildError ? `: ${cause.message}` : '';
  return new BuildError('SIGNATURE_MISSING', `${what} has no signature; it must be signed by ${key}${why}`, {
    hint: 'name no "metadataKey" for a repository that signs its packages alone',
    cause,
  });
}

function offered(one: RepodataPackage, repository: ManifestRepository): OfferedRpm {
  const { name, evr, arch, provides, requires, conflicts, obsoletes, files, checksum, path, sourceRpm } = one;
  if (one.base !== undefined || checksum.algorithm !== 'sha256') {
    const what = one.base === undefined ? `a digest by ${checksum.algorithm}` : 'another place (xml:base)';
    throw new BuildError('REPODATA_UNSUPPORTED', `${withoutCredentials(repository.url)}: ${name} has ${what}`, {
      hint: 'make the metadata with createrepo_c --checksum=sha256, without --baseurl',
    });
  }
  return {
    ...{ name, evr, arch, provides, requires, conflicts, obsoletes, files, repository, path },
    ...originOf(sourceRpm, name),
    size: one.size.package,
    sha256: checksum.value as Sha256,
    published: Math.max(one.buildTime, one.fileTime),
  };
}

/** Reads each RPM below the directory, source RPMs aside. */
async function directoryRpms(
  directory: string,
  repository: ManifestRepository,
  keys: ManifestRequest['keys'],
): Promise<OfferedRpm[]> {
  if (!existsSync(directory)) {
    throw new BuildError('TOOLCHAIN_REPOSITORY_UNREACHABLE', `there is no directory ${repository.url}`, {
      hint: 'paths in a manifest are relative to the workspace',
    });
  }
  if (repository.metadataKey !== undefined && keys[repository.metadataKey] !== undefined) {
    throw new BuildError('SIGNATURE_MISSING', `${repository.url} has no metadata that could be signed`, {
      hint: 'make it a repository, or name no "metadataKey" for it',
    });
  }
  const names = await readdir(directory, { recursive: true });
  const paths = names.filter((name) => name.endsWith('.rpm') && !/\.(no)?src\.rpm$/.test(name)).sort();
  return inParallel(paths, PARALLEL, async (path) => {
    const { header, fileDigest, size } = await verifyRpm(join(directory, path));
    const { name, evr, arch, provides, requires, conflicts, obsoletes, files, sourceRpm, buildTime } = header.package;
    return {
      ...{ name, evr, arch, provides, requires, conflicts, obsoletes, repository, size },
      files: files.map((file) => file.path),
      path,
      ...originOf(sourceRpm, name),
      sha256: fileDigest,
      published: buildTime ?? 0,
    };
  });
}

function originOf(source: string | undefined, name: string): Pick<OfferedRpm, 'origin' | 'source' | 'sourceName'> {
  if (source === undefined) return { origin: name };
  return { origin: source, source, sourceName: source.replace(/-[^-]+-[^-]+\.\w+\.rpm$/, '') };
}
