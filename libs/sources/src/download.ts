/** Downloading a file from an address into the store: resumed where an earlier try ended, tried again after passing trouble. */
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sha256 as digestText, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, giveToBuildUser, type Host } from '@kiln/host';
import { digestFile, type Blob, type Store } from '@kiln/store';
import { diskFull, isDiskFull } from './disk-full.ts';
import { downloadEnvironment } from './download-environment.ts';
import type { TellBytes } from './fetch-progress.ts';
import { withoutCredentials } from './source-place.ts';

export interface Wanted {
  /** A fragment such as `#/name` only names the file. */
  readonly url: string;
  readonly fileName: string;
  /** Other content is refused; without it any content is taken. */
  readonly sha256?: Sha256;
  /** Sent as bearer token to the host of `url`, to no other. */
  readonly token?: string;
  readonly tell?: TellBytes;
  /** Bytes that it has at most: a server that goes on and on is stopped. */
  readonly sizeLimit?: number;
  /** A server that sends less than a byte a second for so long has stalled; a minute when omitted. */
  readonly stallSeconds?: number | undefined;
}

/**
 * How a download ended: in the store, or why not. `isOther`: it was other content, or more than it may be; `found` is its digest when it
 * came to its end. `isPassing`: the server was tried several times and may answer another day.
 */
export type DownloadOutcome = { readonly blob: Blob } | DownloadFailure;

interface DownloadFailure {
  readonly reason: string;
  readonly found?: Sha256;
  readonly isOther?: true;
  readonly isPassing?: true;
}

const ATTEMPTS = 4;
const FIRST_PAUSE_MILLISECONDS = 500;
const PROGRESS_MILLISECONDS = 500;
const STALL_SECONDS = 60;

/**
 * Gets a file by `http`, `https` (curl, as the build user) or `file`.
 * @throws BuildError `DISK_FULL`.
 */
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
  // Without a digest nothing would show that the parts belong to different files.
  if (sha256 === undefined) await rm(path, { force: true });
  const before = await sizeOf(path);
  const complete = sha256 !== undefined && before > 0 && (await digestFile(path)) === sha256;
  const failure = complete ? undefined : await transfer(host, { ...fetch, path });
  if (failure !== undefined) {
    if (failure.isOther) await rm(directory, { recursive: true });
    return { ...failure, reason: `${withoutCredentials(url)}: ${failure.reason}` };
  }
  const found = await digestFile(path);
  if (sha256 !== undefined && found !== sha256) {
    await rm(directory, { recursive: true });
    // What was resumed may have been the beginning of other content.
    if (before > 0) return fetchInto(host, store, fetch);
    return { reason: `${withoutCredentials(url)}: it has SHA-256 ${found}`, found, isOther: true };
  }
  const blob = await store.putFile(path, found);
  await rm(directory, { recursive: true });
  return { blob };
}

interface Transfer extends Fetch {
  readonly path: string;
}

/** Servers that this process could not reach with all its tries: the next file has one try, or a tree would take hours without a network. */
const unreachable = new Set<string>();

/** Undefined when the file is whole, else the reason. The part that has arrived stays. */
async function transfer(host: Host, request: Transfer): Promise<DownloadFailure | undefined> {
  const server = new URL(request.url).host;
  let trouble: string | undefined;
  for (let attempt = 1; ; attempt += 1) {
    const { status, httpStatus, reason } = await runCurl(host, request);
    if (httpStatus !== 0) unreachable.delete(server);
    if (status === 0) return undefined;
    if (status === CURL.writeError && isDiskFull(request.directory)) throw diskFull(request.directory);
    if (status === SIZE_EXCEEDED) return { reason: `it has more than ${request.sizeLimit} bytes`, isOther: true };
    const unresumable = status === CURL.rangeError || httpStatus === 416;
    if (unresumable || request.sha256 === undefined) await rm(request.path, { force: true });
    const isAboutServer = unresumable || isPassing(status, httpStatus);
    // That it can't resume says nothing of why it had to.
    if (!unresumable || trouble === undefined) trouble = reason;
    const isSilent = isPassing(status, httpStatus) && httpStatus === 0;
    const attempts = isSilent && unreachable.has(server) ? 1 : ATTEMPTS;
    if (attempt >= attempts || !isAboutServer) {
      if (isSilent) unreachable.add(server);
      const told = attempt === 1 ? trouble : `${trouble} (tried ${attempt} times)`;
      return { reason: told, ...(isAboutServer ? { isPassing: true } : {}) };
    }
    await delay(FIRST_PAUSE_MILLISECONDS * 2 ** (attempt - 1), undefined, { signal: host.signal });
  }
}

/** The kernel ends a process that writes more than it may (SIGXFSZ): curl's own limit is nothing for an answer without a length. */
const SIZE_EXCEEDED = 128 + constants.signals.SIGXFSZ;
/** Headers are written too. */
const SMALLEST_LIMIT = 1024 * 1024;

/** Exit statuses of curl(1). */
const CURL = {
  hostUnresolved: 6,
  connectFailed: 7,
  partialFile: 18,
  httpError: 22,
  writeError: 23,
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
    CURL.hostUnresolved,
    CURL.connectFailed,
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

async function runCurl(
  host: Host,
  { url, path, sha256, token, tell, sizeLimit, stallSeconds = STALL_SECONDS }: Transfer,
): Promise<CurlResult> {
  const headers = `${path}.headers`;
  const user = await buildUser(host);
  // A digest says what the file must be, whoever gave it; without one the connection must prove itself all the way.
  const isProved = sha256 === undefined && url.startsWith('https:');
  const argv = [
    ...user.prefix,
    ...(sizeLimit === undefined ? [] : ['prlimit', '--core=0', `--fsize=${Math.max(sizeLimit, SMALLEST_LIMIT)}`]),
    ...['curl', '-q', '--fail', '--location', '--silent', '--show-error', '--globoff'],
    ...['--proto', '=http,https', ...(isProved ? ['--proto-redir', '=https'] : []), '--connect-timeout', '20'],
    ...['--speed-limit', '1', '--speed-time', String(stallSeconds)],
    ...['--continue-at', '-', '--output', path, '--dump-header', headers, '--write-out', '%{http_code}'],
    // Token and address, which can hold a password, come by standard input: no list of processes shows them.
    ...['--config', '-'],
  ];
  const secrets = { url: new URL(url).href, ...(token === undefined ? {} : { 'oauth2-bearer': token }) };
  const watch = setInterval(() => void reportProgress(tell, { path, headers }), PROGRESS_MILLISECONDS);
  try {
    const { status, stdout, stderr } = await host.run({
      argv: argv as [string, ...string[]],
      cwd: '/',
      environment: downloadEnvironment(host),
      input: Object.entries(secrets)
        .map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)
        .join(''),
    });
    const httpStatus = Number(stdout) || 0;
    return { status, httpStatus, reason: reasonOf({ status, httpStatus, stderr }) };
  } catch (error) {
    if (!(error instanceof BuildError) || error.code !== 'PROGRAM_NOT_FOUND') throw error;
    return { status: 127, httpStatus: 0, reason: error.message };
  } finally {
    clearInterval(watch);
  }
}

/** What people can do about an answer, by curl's exit status or the status of HTTP. */
const ADVICE: Readonly<Record<number, string>> = {
  35: 'for a private certificate authority set CURL_CA_BUNDLE to the file of its certificates',
  60: 'for a private certificate authority set CURL_CA_BUNDLE to the file of its certificates',
  77: 'the user who downloads must be able to read the file that CURL_CA_BUNDLE or SSL_CERT_FILE names',
  401: 'it wants a token or a password: "tokenVariable" of the place names the variable with a token',
  403: 'it refuses; when it wants a token, "tokenVariable" of the place names the variable with it',
};

/** curl's own words, its first line alone: what follows is a lecture. */
function reasonOf({ status, httpStatus, stderr }: Omit<CurlResult, 'reason'> & { readonly stderr: string }): string {
  const words =
    stderr
      .trim()
      .split('\n', 1)[0]!
      .replace(/^curl: /, '') || `curl ended with ${status}`;
  const advice = ADVICE[status] ?? (status === CURL.httpError ? ADVICE[httpStatus] : undefined);
  return advice === undefined ? words : `${words} (${advice})`;
}

interface Watched {
  readonly path: string;
  readonly headers: string;
}

async function reportProgress(tell: TellBytes | undefined, { path, headers }: Watched): Promise<void> {
  if (tell === undefined) return;
  const done = await sizeOf(path);
  tell(done, totalSize(await readFile(headers, 'latin1').catch(() => '')));
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
    if (sha256 !== undefined && found !== sha256)
      return { reason: `${url}: it has SHA-256 ${found}`, found, isOther: true };
    return { blob: await store.putFile(path, found) };
  } catch (error) {
    if (error instanceof BuildError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    return { reason: `${url}: ${code === 'ENOENT' ? 'there is no such file' : message}` };
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
