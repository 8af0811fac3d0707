/** Downloading a file from an address into the store: resumed where an earlier try ended, tried again after passing trouble. */
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sha256 as digestText, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, giveToBuildUser, type Host } from '@kiln/host';
import { digestFile, type Blob, type Store } from '@kiln/store';
import { downloadEnvironment } from './download-environment.ts';
import { withoutCredentials } from './source-place.ts';

export interface Wanted {
  /** A fragment such as `#/name` only names the file. */
  readonly url: string;
  readonly fileName: string;
  /** Other content is refused; without it any content is taken. */
  readonly sha256?: Sha256;
  /** Sent as bearer token to the host of `url`, to no other. */
  readonly token?: string;
}

/** How a download ended: in the store, or why not. `found` is the digest when it was other content. */
export type DownloadOutcome = { readonly blob: Blob } | { readonly reason: string; readonly found?: Sha256 };

const ATTEMPTS = 4;
const FIRST_PAUSE_MILLISECONDS = 500;
const PROGRESS_MILLISECONDS = 500;
/** A server that sends less than a byte a second for so long has stalled. */
const STALL_SECONDS = 60;

/** Gets a file by `http`, `https` (curl, as the build user) or `file`. */
export async function download(host: Host, store: Store, wanted: Wanted): Promise<DownloadOutcome> {
  const url = wanted.url.replace(/#.*$/s, '');
  const shown = withoutCredentials(url);
  const protocol = URL.canParse(url) ? new URL(url).protocol : undefined;
  if (protocol === undefined) return { reason: `the spec gives no address for it, only '${wanted.url}'` };
  if (protocol === 'file:') return takeFile(store, url, wanted.sha256);
  if (protocol !== 'http:' && protocol !== 'https:')
    return { reason: `addresses with '${protocol}' are not fetched: ${shown}` };
  const part = wanted.sha256 ?? digestText(url);
  const directory = join(store.directory, 'partial', part);
  return store.withLock(`source-${part}`, `source ${wanted.fileName}`, () =>
    fetchInto(host, store, { ...wanted, url, directory }),
  );
}

interface Fetch extends Wanted {
  /** Holds the part that has arrived, for the next try of this run or a later one. */
  readonly directory: string;
}

async function fetchInto(host: Host, store: Store, fetch: Fetch): Promise<DownloadOutcome> {
  const { url, directory, sha256 } = fetch;
  await mkdir(directory, { recursive: true });
  await giveToBuildUser(await buildUser(host), directory);
  await store.use(directory);
  const path = join(directory, 'file');
  const before = await sizeOf(path);
  const complete = sha256 !== undefined && before > 0 && (await digestFile(path)) === sha256;
  const reason = complete ? undefined : await transfer(host, { ...fetch, path });
  if (reason !== undefined) return { reason: `${withoutCredentials(url)}: ${reason}` };
  const found = await digestFile(path);
  if (sha256 !== undefined && found !== sha256) {
    await rm(directory, { recursive: true });
    // What was resumed may have been the beginning of other content.
    if (before > 0) return fetchInto(host, store, fetch);
    return { reason: `${withoutCredentials(url)}: it has SHA-256 ${found}`, found };
  }
  const blob = await store.putFile(path, found);
  await rm(directory, { recursive: true });
  return { blob };
}

interface Transfer extends Fetch {
  readonly path: string;
}

/** Undefined when the file is whole, else the reason. The part that has arrived stays. */
async function transfer(host: Host, request: Transfer): Promise<string | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const { status, httpStatus, reason } = await runCurl(host, request);
    if (status === 0) return undefined;
    const unresumable = status === CURL.rangeError || httpStatus === 416;
    if (unresumable) await rm(request.path, { force: true });
    if (attempt === ATTEMPTS || !(unresumable || isPassing(status, httpStatus))) {
      return attempt === 1 ? reason : `${reason} (tried ${attempt} times)`;
    }
    await delay(FIRST_PAUSE_MILLISECONDS * 2 ** (attempt - 1), undefined, { signal: host.signal });
  }
}

/** Exit statuses of curl(1). */
const CURL = {
  partialFile: 18,
  httpError: 22,
  timedOut: 28,
  rangeError: 33,
  emptyReply: 52,
  sendError: 55,
  receiveError: 56,
  http2Stream: 92,
} as const;

function isPassing(status: number, httpStatus: number): boolean {
  if (status === CURL.httpError) return httpStatus >= 500 || [408, 425, 429].includes(httpStatus);
  const passing: number[] = [
    CURL.partialFile,
    CURL.timedOut,
    CURL.emptyReply,
    CURL.sendError,
    CURL.receiveError,
    CURL.http2Stream,
  ];
  return passing.includes(status);
}

interface CurlResult {
  readonly status: number;
  /** 0 when no answer came. */
  readonly httpStatus: number;
  readonly reason: string;
}

async function runCurl(host: Host, { url, fileName, path, token }: Transfer): Promise<CurlResult> {
  const headers = `${path}.headers`;
  const user = await buildUser(host);
  const argv = [
    ...user.prefix,
    ...['curl', '-q', '--fail', '--location', '--silent', '--show-error'],
    ...['--proto', '=http,https', '--connect-timeout', '20'],
    ...['--speed-limit', '1', '--speed-time', String(STALL_SECONDS)],
    ...['--continue-at', '-', '--output', path, '--dump-header', headers, '--write-out', '%{http_code}'],
    // The token comes by standard input, so that no list of processes shows it.
    ...(token === undefined ? [] : ['--config', '-']),
    ...['--', url],
  ];
  const watch = setInterval(() => void reportProgress(host, { fileName, path, headers }), PROGRESS_MILLISECONDS);
  try {
    const { status, stdout, stderr } = await host.run({
      argv: argv as [string, ...string[]],
      cwd: '/',
      environment: downloadEnvironment(host),
      ...(token === undefined ? {} : { input: `oauth2-bearer = ${JSON.stringify(token)}\n` }),
    });
    const reason = stderr.trim().replace(/^curl: /, '') || `curl ended with ${status}`;
    return { status, httpStatus: Number(stdout) || 0, reason };
  } catch (error) {
    if (!(error instanceof BuildError) || error.code !== 'PROGRAM_NOT_FOUND') throw error;
    return { status: 127, httpStatus: 0, reason: error.message };
  } finally {
    clearInterval(watch);
  }
}

interface Watched {
  readonly fileName: string;
  readonly path: string;
  readonly headers: string;
}

async function reportProgress(host: Host, { fileName, path, headers }: Watched): Promise<void> {
  const done = await sizeOf(path);
  const text = await readFile(headers, 'latin1').catch(() => '');
  const total = totalSize(text);
  host.emit({
    type: 'progress',
    action: 'sources',
    subject: fileName,
    message: `fetching ${fileName}`,
    done,
    ...(total === undefined ? {} : { total }),
    unit: 'bytes',
  });
}

/** Bytes of the whole file from the last answer's headers (RFC 9110 §8.6, §14.4). */
function totalSize(headers: string): number | undefined {
  const last =
    headers
      .trimEnd()
      .split(/\r?\n\r?\n/)
      .at(-1) ?? '';
  const total =
    /^content-range:\s*bytes [^/]*\/(\d+)/im.exec(last)?.[1] ?? /^content-length:\s*(\d+)/im.exec(last)?.[1];
  return total === undefined ? undefined : Number(total);
}

async function takeFile(store: Store, url: string, sha256: Sha256 | undefined): Promise<DownloadOutcome> {
  try {
    const path = fileURLToPath(url);
    const found = await digestFile(path);
    if (sha256 !== undefined && found !== sha256) return { reason: `${url}: it has SHA-256 ${found}`, found };
    return { blob: await store.putFile(path, found) };
  } catch (error) {
    if (error instanceof BuildError) throw error;
    return { reason: `${url}: ${(error as Error).message}` };
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
