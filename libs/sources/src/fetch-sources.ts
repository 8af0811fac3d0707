/** Gets source files by digest: from the store, else from the distribution's places in their order; proved, stored once. */
import type { Sha256 } from '@kiln/build-identity';
import { BuildError, type Diagnostic, type SourceLocation } from '@kiln/diagnostics';
import { inParallel, type Host } from '@kiln/host';
import type { Store } from '@kiln/store';
import { downloadFromArchive, type DownloadProgress } from './debian-archive.ts';
import { readDebianLock, type LockedSource } from './debian-lock.ts';
import { download } from './download.ts';
import { FetchProgress, type FetchingTask } from './fetch-progress.ts';
import { readProvenance, writeProvenance, type SourceProvenance } from './provenance.ts';
import { isPlainFileName } from './signatures.ts';
import { mirrorUrl, placeLabel, withoutCredentials, type SourcePlace } from './source-place.ts';
import { tokenFor } from './source-token.ts';

export interface SourceRequest {
  readonly fileName: string;
  readonly sha256: Sha256;
  /** The value of the spec's tag: an address or only a file name. */
  readonly url?: string;
  /** Where the spec names it. */
  readonly location?: SourceLocation;
}

export interface SourceOrigin {
  /** Whether it was in the store before. */
  readonly stored: boolean;
  /** Where it came from, now or when it was stored. */
  readonly provenance?: SourceProvenance;
}

export interface FetchOptions {
  readonly requests: readonly SourceRequest[];
  readonly places: readonly SourcePlace[];
  /** Whose progress it is; a task `sources` of its own when omitted. */
  readonly task?: FetchingTask;
}

export interface FetchedSources {
  /** Path of a requested file in the store. */
  pathOf(sha256: Sha256): string;
  /** For each requested digest that could be had, where its file came from. */
  readonly origins: ReadonlyMap<Sha256, SourceOrigin>;
}

const PARALLEL_FETCHES = 4;

/**
 * Makes sure that all requested files are in the store; when they are, nothing is asked of the network or of apt.
 * @throws BuildError `SOURCE_MISSING` with every place that was tried, `SOURCE_DIGEST_MISMATCH`, `SOURCE_NAME_INVALID`,
 * `SOURCE_TOKEN_MISSING`, `DEBIAN_LOCK_MALFORMED`.
 */
export async function fetchSources(host: Host, store: Store, options: FetchOptions): Promise<FetchedSources> {
  const { problems, ...fetched } = await tryFetchSources(host, store, options);
  if (problems.size > 0) throw missingError([...problems.values()]);
  return fetched;
}

/**
 * Like `fetchSources`, but what can't be had is an answer: `problems` by digest.
 * @throws BuildError `SOURCE_NAME_INVALID`, `SOURCE_TOKEN_MISSING`, `DEBIAN_LOCK_MALFORMED`.
 */
export async function tryFetchSources(
  host: Host,
  store: Store,
  { requests, places, task = { action: 'sources', subject: 'sources' } }: FetchOptions,
): Promise<FetchedSources & { readonly problems: ReadonlyMap<Sha256, BuildError> }> {
  for (const request of requests) checkName(request);
  const origins = new Map<Sha256, SourceOrigin>();
  const tried = new Map<Sha256, Failure[]>();
  const wanted = wantedFiles(requests);
  await inParallel(wanted, PARALLEL_FETCHES, async ({ sha256 }) => {
    if (await store.hasIntactBlob(sha256)) origins.set(sha256, await storedOrigin(store, sha256));
  });
  let missing = wanted.filter(({ sha256 }) => !origins.has(sha256));
  const progress = new FetchProgress(host, task);
  for (const place of places) {
    if (missing.length === 0) break;
    const attempts = await FETCH[place.kind](host, store, { files: missing, place: place as never, progress });
    for (const { sha256, requests: own } of missing) {
      const attempt = attempts.get(sha256)!;
      if ('reason' in attempt) tried.set(sha256, [...(tried.get(sha256) ?? []), attempt]);
      else {
        await writeProvenance(store, sha256, attempt);
        origins.set(sha256, { stored: false, provenance: attempt });
        tellRefused(host, own[0], tried.get(sha256) ?? []);
      }
    }
    missing = missing.filter(({ sha256 }) => !origins.has(sha256));
  }
  const problems = new Map(
    missing.map(({ sha256, requests: own }) => [sha256, problemWith(own[0], tried.get(sha256) ?? [])]),
  );
  return { pathOf: (sha256) => store.blobPath(sha256), origins, problems };
}

/** A file with all ways in which it is asked for: one package may name an address, another only a file, or another name. */
interface WantedFile {
  readonly sha256: Sha256;
  readonly requests: readonly [SourceRequest, ...SourceRequest[]];
}

function wantedFiles(requests: readonly SourceRequest[]): WantedFile[] {
  const files = new Map<Sha256, WantedFile>();
  for (const request of requests) {
    const { sha256 } = request;
    const known = files.get(sha256);
    files.set(sha256, { sha256, requests: known === undefined ? [request] : [...known.requests, request] });
  }
  return [...files.values()];
}

/** Another place had the right file; that one had a wrong one must not go by unseen. */
function tellRefused(host: Host, { fileName }: SourceRequest, failures: readonly Failure[]): void {
  for (const { reason, found } of failures) {
    if (found === undefined) continue;
    const message = `${fileName} was refused: ${reason}; another place has the file`;
    host.emit({ type: 'notice', severity: 'warning', code: 'SOURCE_REFUSED', message });
  }
}

/** Why a place didn't give a file; `found` is the digest when it gave another one. */
interface Failure {
  readonly reason: string;
  readonly found?: Sha256;
}

type Attempt = Failure | SourceProvenance;

interface Fetch<Place> {
  readonly files: readonly WantedFile[];
  readonly place: Place;
  readonly progress: FetchProgress;
}

type PlaceOf<Kind> = Extract<SourcePlace, { readonly kind: Kind }>;

/** Fetches what a place has; says for each request where it was or why not. */
const FETCH: {
  readonly [Kind in SourcePlace['kind']]: (
    host: Host,
    store: Store,
    fetch: Fetch<PlaceOf<Kind>>,
  ) => Promise<Map<Sha256, Attempt>>;
} = {
  'debian-archive': fetchFromDebian,
  'spec-url': (host, store, fetch) =>
    fetchByAddress(host, store, { ...fetch, addressOf: ({ url, fileName }) => url ?? fileName }),
  mirror: (host, store, fetch) =>
    fetchByAddress(host, store, { ...fetch, addressOf: (request) => mirrorUrl(fetch.place.template, request) }),
};

async function fetchFromDebian(
  host: Host,
  store: Store,
  { files: wanted, place, progress }: Fetch<PlaceOf<'debian-archive'>>,
): Promise<Map<Sha256, Attempt>> {
  const lock = readDebianLock(place.lock);
  const attempts = new Map<Sha256, Attempt>();
  const files: LockedSource[] = [];
  for (const { sha256 } of wanted) {
    const file = lock.get(sha256);
    if (file === undefined)
      attempts.set(sha256, { reason: 'the lock of the Debian archive has no file with this digest' });
    else {
      files.push(file);
      attempts.set(sha256, { place: placeLabel(place), address: file.path });
    }
  }
  if (files.length === 0) return attempts;
  const refused = await downloadFromArchive(host, store, files, archiveProgress(progress, files));
  for (const [sha256, reason] of refused) attempts.set(sha256, { reason });
  return attempts;
}

function archiveProgress(progress: FetchProgress, files: readonly LockedSource[]): (done: DownloadProgress) => void {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const tell = progress.file(
    files.length === 1 ? files[0]!.fileName : `${files.length} files of the Debian archive`,
    total,
  );
  return ({ bytes }) => tell(bytes);
}

interface FetchByAddress extends Fetch<PlaceOf<'spec-url' | 'mirror'>> {
  readonly addressOf: (request: SourceRequest) => string;
}

async function fetchByAddress(host: Host, store: Store, fetch: FetchByAddress): Promise<Map<Sha256, Attempt>> {
  const attempts = new Map<Sha256, Attempt>();
  await inParallel(fetch.files, PARALLEL_FETCHES, async (file) => {
    attempts.set(file.sha256, await fetchFile(host, store, { ...fetch, file }));
  });
  return attempts;
}

/** Asks each address once. */
async function fetchFile(
  host: Host,
  store: Store,
  { file, place, progress, addressOf }: FetchByAddress & { readonly file: WantedFile },
): Promise<Attempt> {
  const { sha256, requests } = file;
  const token = tokenFor(host, place);
  const failures: Failure[] = [];
  for (const [url, { fileName }] of new Map(requests.map((request) => [addressOf(request), request]))) {
    const tell = progress.file(fileName);
    const outcome = await download(host, store, {
      ...{ url, fileName, sha256, tell },
      ...(token === undefined ? {} : { token }),
    });
    if ('blob' in outcome) {
      tell(outcome.blob.size, outcome.blob.size);
      return { place: placeLabel(place), address: withoutCredentials(url) };
    }
    progress.forget(fileName);
    failures.push(outcome);
  }
  const found = failures.find((one) => one.found !== undefined)?.found;
  return {
    reason: failures.map(({ reason }) => reason).join('; '),
    ...(found === undefined ? {} : { found }),
  };
}

async function storedOrigin(store: Store, sha256: Sha256): Promise<SourceOrigin> {
  const provenance = await readProvenance(store, sha256);
  return { stored: true, ...(provenance === undefined ? {} : { provenance }) };
}

function checkName({ fileName, location }: SourceRequest): void {
  if (!isPlainFileName(fileName))
    throw new BuildError('SOURCE_NAME_INVALID', `'${fileName}' is no plain file name`, { location });
}

function missingError(errors: readonly BuildError[]): BuildError {
  if (errors.length === 1) return errors[0]!;
  return new BuildError('SOURCE_MISSING', `${errors.length} source files can't be had`, {
    hint: 'every place that was tried is listed; `docs/debugging.md` says how to add a place',
    diagnostics: errors.map(({ code, message, location }): Diagnostic => ({
      severity: 'error',
      code,
      message,
      ...(location === undefined ? {} : { location }),
    })),
  });
}

function problemWith({ fileName, sha256, location }: SourceRequest, attempts: readonly Failure[]): BuildError {
  const other = attempts.find(({ found }) => found !== undefined);
  if (other !== undefined) {
    return new BuildError('SOURCE_DIGEST_MISMATCH', `${fileName} must have SHA-256 ${sha256}, but ${other.reason}`, {
      location,
      hint: 'find out whether the file was replaced where it came from before you change the digest',
    });
  }
  const places = ['the store doesn’t have it', ...attempts.map(({ reason }) => reason)];
  return new BuildError('SOURCE_MISSING', `${fileName} (SHA-256 ${sha256}) can't be had: ${places.join('; ')}`, {
    location,
    hint: 'check the network, or put the file beside the spec',
  });
}
