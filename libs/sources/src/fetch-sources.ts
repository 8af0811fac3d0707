/** Gets source files by digest: from the store, the Debian archive, the spec's address; proved, stored once. */
import { rm, stat } from 'node:fs/promises';
import type { Sha256 } from '@kiln/build-identity';
import { BuildError, type Diagnostic, type SourceLocation } from '@kiln/diagnostics';
import { inParallel, type Host } from '@kiln/host';
import { digestFile, type Store } from '@kiln/store';
import { downloadFromArchive } from './debian-archive.ts';
import { readDebianLock, type LockedSource } from './debian-lock.ts';
import { isPlainFileName } from './signatures.ts';
import { fetchUrl } from './source-url.ts';

export interface SourceRequest {
  readonly fileName: string;
  readonly sha256: Sha256;
  /** The value of the spec's tag: an address or only a file name. */
  readonly url?: string;
  /** Where the spec names it. */
  readonly location?: SourceLocation;
}

/** Where a file came from in this run. */
export type SourceOrigin = 'store' | 'debian-archive' | 'url';

export interface FetchedSources {
  /** Path of a requested file in the store. */
  pathOf(sha256: Sha256): string;
  /** For each requested digest where its file came from. */
  readonly origins: ReadonlyMap<Sha256, SourceOrigin>;
}

const PARALLEL_FETCHES = 4;

/**
 * Makes sure that all requested files are in the store; when they are, nothing is asked of the network or of apt.
 * `debianLock` is the path of the lock.
 * @throws BuildError `SOURCE_MISSING` with every place that was tried, `SOURCE_DIGEST_MISMATCH`, `SOURCE_NAME_INVALID`,
 * `DEBIAN_LOCK_MALFORMED`.
 */
export async function fetchSources(
  host: Host,
  store: Store,
  { requests, debianLock }: { readonly requests: readonly SourceRequest[]; readonly debianLock: string },
): Promise<FetchedSources> {
  for (const request of requests) checkName(request);
  const origins = new Map<Sha256, SourceOrigin>();
  const tried = new Map<Sha256, Attempt[]>();
  const wanted = [...new Map(requests.map((request) => [request.sha256, request])).values()];
  let missing: SourceRequest[] = [];
  for (const request of wanted) {
    if (await isStored(store, request.sha256)) origins.set(request.sha256, 'store');
    else missing.push(request);
  }
  for (const [origin, fetch] of ORIGINS) {
    if (missing.length === 0) break;
    const failures = await fetch(host, store, { requests: missing, debianLock });
    for (const { sha256 } of missing) {
      const attempt = failures.get(sha256);
      if (attempt === undefined) origins.set(sha256, origin);
      else tried.set(sha256, [...(tried.get(sha256) ?? []), attempt]);
    }
    missing = missing.filter(({ sha256 }) => failures.has(sha256));
  }
  if (missing.length > 0) throw missingError(missing, tried);
  return { pathOf: (sha256) => store.blobPath(sha256), origins };
}

/** Why a place didn't give a file; `found` is the digest when it gave another one. */
interface Attempt {
  readonly reason: string;
  readonly found?: Sha256;
}

interface Fetch {
  readonly requests: readonly SourceRequest[];
  readonly debianLock: string;
}

/** Fetches what it can and returns why the rest failed, by digest. */
type FetchFrom = (host: Host, store: Store, fetch: Fetch) => Promise<ReadonlyMap<Sha256, Attempt>>;

const ORIGINS: readonly (readonly [SourceOrigin, FetchFrom])[] = [
  ['debian-archive', fetchFromDebian],
  ['url', fetchFromUrls],
];

async function fetchFromDebian(
  host: Host,
  store: Store,
  { requests, debianLock }: Fetch,
): Promise<Map<Sha256, Attempt>> {
  const lock = readDebianLock(debianLock);
  const failures = new Map<Sha256, Attempt>();
  const files: LockedSource[] = [];
  for (const { sha256 } of requests) {
    const file = lock.get(sha256);
    if (file === undefined)
      failures.set(sha256, { reason: 'the lock of the Debian archive has no file with this digest' });
    else files.push(file);
  }
  if (files.length === 0) return failures;
  const total = files.length;
  progress(host, requests, `fetching ${total} source files from the Debian archive`, { done: 0, total });
  const refused = await downloadFromArchive(host, store, files, ({ files: done }) =>
    progress(host, requests, 'fetching source files from the Debian archive', { done, total }),
  );
  for (const [sha256, reason] of refused) failures.set(sha256, { reason });
  return failures;
}

async function fetchFromUrls(host: Host, store: Store, { requests }: Fetch): Promise<Map<Sha256, Attempt>> {
  const failures = new Map<Sha256, Attempt>();
  let done = 0;
  await inParallel(requests, PARALLEL_FETCHES, async (one) => {
    const { url = one.fileName, sha256 } = one;
    progress(host, [one], `fetching ${one.fileName}`, { done, total: requests.length });
    const outcome = await fetchUrl(host, store, { url, sha256 });
    if (outcome !== 'stored') failures.set(sha256, outcome);
    done += 1;
  });
  return failures;
}

/** Whether the store has the content that the digest says; damaged content is removed. */
async function isStored(store: Store, sha256: Sha256): Promise<boolean> {
  const path = store.blobPath(sha256);
  if ((await stat(path).catch(() => undefined)) === undefined) return false;
  if ((await digestFile(path)) === sha256) return true;
  await rm(path, { force: true });
  return false;
}

function checkName({ fileName, location }: SourceRequest): void {
  if (!isPlainFileName(fileName))
    throw new BuildError('SOURCE_NAME_INVALID', `'${fileName}' is no plain file name`, { location });
}

function progress(
  host: Host,
  requests: readonly SourceRequest[],
  message: string,
  count: { readonly done: number; readonly total: number },
): void {
  const subject = requests.length === 1 ? requests[0]!.fileName : `${requests.length} files`;
  host.emit({ type: 'progress', action: 'sources', subject, message, ...count, unit: 'files' });
}

function missingError(missing: readonly SourceRequest[], tried: ReadonlyMap<Sha256, readonly Attempt[]>): BuildError {
  const errors = missing.map((request) => problemWith(request, tried.get(request.sha256) ?? []));
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

function problemWith({ fileName, sha256, location }: SourceRequest, attempts: readonly Attempt[]): BuildError {
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
