/** Fetching a source file from the address that its spec states. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, giveToBuildUser, type Host } from '@kiln/host';
import { digestFile, type Store } from '@kiln/store';

/** How a fetch ended: in the store, or why not. `found` is the digest when it was other content. */
export type FetchOutcome = 'stored' | { readonly reason: string; readonly found?: Sha256 };

type FetchScheme = (host: Host, url: string, directory: string) => Promise<{ path: string } | { reason: string }>;

const SCHEMES: Readonly<Record<string, FetchScheme>> = {
  'http:': fetchByCurl,
  'https:': fetchByCurl,
  'file:': findFile,
};

/** Fetches a URL into the store if its content has the digest. A fragment such as `#/name` only names the file. */
export async function fetchUrl(
  host: Host,
  store: Store,
  wanted: { readonly url: string; readonly sha256: Sha256 },
): Promise<FetchOutcome> {
  const url = wanted.url.replace(/#.*$/s, '');
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) return { reason: `the spec gives no address for it, only '${wanted.url}'` };
  const scheme = SCHEMES[parsed.protocol];
  if (scheme === undefined) return { reason: `addresses with '${parsed.protocol}' are not fetched: ${url}` };
  const directory = await store.temporaryPath('source');
  await mkdir(directory, { recursive: true });
  await giveToBuildUser(await buildUser(host), directory);
  try {
    const fetched = await scheme(host, url, directory);
    if ('reason' in fetched) return { reason: `${url}: ${fetched.reason}` };
    const found = await digestFile(fetched.path);
    if (found !== wanted.sha256) return { reason: `${url}: it has SHA-256 ${found}`, found };
    await store.putFile(fetched.path, wanted.sha256);
    return 'stored';
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function fetchByCurl(host: Host, url: string, directory: string): Promise<{ path: string } | { reason: string }> {
  const path = join(directory, 'file');
  const user = await buildUser(host);
  const options = [
    '--fail',
    '--location',
    '--silent',
    '--show-error',
    '--proto',
    '=http,https',
    '--connect-timeout',
    '20',
    '--retry',
    '2',
  ];
  const stall = ['--speed-limit', '1', '--speed-time', '60'];
  const argv = [...user.prefix, 'curl', '-q', ...options, ...stall, '--output', path, '--', url];
  const result = await host.run({ argv: argv as [string, ...string[]], cwd: '/' }).catch((error: unknown) => {
    if (error instanceof BuildError && error.code === 'PROGRAM_NOT_FOUND')
      return { status: 127, stderr: error.message };
    throw error;
  });
  return result.status === 0
    ? { path }
    : { reason: result.stderr.trim().replace(/^curl: /, '') || `curl ended with ${result.status}` };
}

async function findFile(_host: Host, url: string): Promise<{ path: string } | { reason: string }> {
  try {
    const path = fileURLToPath(url);
    await digestFile(path);
    return { path };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}
