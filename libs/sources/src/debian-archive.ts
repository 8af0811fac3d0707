/** The Debian archive as this machine's own apt knows it: files by pool path, proved by digest. No address is ever named here. */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, giveToBuildUser, inParallel, type Host } from '@kiln/host';
import type { Store } from '@kiln/store';
import { diskFull, isDiskFull } from './disk-full.ts';
import { downloadEnvironment } from './download-environment.ts';

/** Which of Debian's archives a pool path belongs to. */
export type ArchiveName = 'main' | 'security';

/** A file of an archive. `path` begins with `pool/`. */
export interface ArchiveFile {
  readonly sha256: Sha256;
  readonly size: number;
  readonly archive: ArchiveName;
  readonly path: string;
}

export interface DownloadProgress {
  readonly files: number;
  readonly bytes: number;
}

const APT_HELPER = '/usr/lib/apt/apt-helper';
const PARALLEL_DOWNLOADS = 4;
const FILES_PER_CALL = 16;
const PROGRESS_MILLISECONDS = 500;

/**
 * Base addresses of the archives from apt's configuration; an archive that the machine doesn't have is missing.
 * Works with and without downloaded package lists, changes nothing.
 */
export async function archiveBases(host: Host): Promise<Partial<Record<ArchiveName, string>>> {
  try {
    return await readArchiveBases(host);
  } catch (error) {
    if (error instanceof BuildError && error.code === 'PROGRAM_NOT_FOUND') return {};
    throw error;
  }
}

async function readArchiveBases(host: Host): Promise<Partial<Record<ArchiveName, string>>> {
  const environment = downloadEnvironment(host);
  const targets = await host.run({
    argv: ['apt-get', 'indextargets', '--format', '$(CODENAME) $(COMPONENT) $(REPO_URI)', 'Created-By: Packages'],
    environment,
  });
  let known = targets.stdout
    .split('\n')
    .map((line) => line.split(' '))
    .filter((fields) => fields.length === 3)
    .map(([codename, component, base]) => ({ codename: codename!, component: component!, base: base! }));
  if (known.length === 0) {
    const uris = await host.run({ argv: ['apt-get', 'update', '--print-uris'], environment });
    known = [...uris.stdout.matchAll(/^'(\S+\/)dists\/(\S+)\/InRelease'/gm)].map(([, base, codename]) => ({
      codename: codename!,
      component: 'main',
      base: base!,
    }));
  }
  const inMain = known.filter(({ component }) => component === 'main');
  const first = (wanted: (codename: string) => boolean) =>
    inMain
      .filter(({ codename }) => wanted(codename))
      .map(({ base }) => base.replace(/\/*$/, '/'))
      .sort()[0];
  const main = first((codename) => !codename.includes('-')) ?? first((codename) => !/-security/.test(codename));
  const security = first((codename) => /-security(\/|$)/.test(codename));
  return { ...(main === undefined ? {} : { main }), ...(security === undefined ? {} : { security }) };
}

/**
 * Downloads files into the store, several at a time, by apt's own downloader as the build user.
 * Returns the reason for each file that could not be had, by digest; what did arrive is in the store.
 */
export async function downloadFromArchive(
  host: Host,
  store: Store,
  files: readonly ArchiveFile[],
  onProgress: (progress: DownloadProgress) => void = () => undefined,
): Promise<ReadonlyMap<Sha256, string>> {
  const failures = new Map<Sha256, string>();
  const missing: ArchiveFile[] = [];
  for (const file of files) if (!(await store.hasIntactBlob(file.sha256))) missing.push(file);
  if (missing.length === 0) return failures;
  const bases = await archiveBases(host);
  const directory = await store.temporaryPath('download');
  await mkdir(directory, { recursive: true });
  await giveToBuildUser(await buildUser(host), directory);
  const done = { files: files.length - missing.length, bytes: 0 };
  const groups = inGroups(missing, FILES_PER_CALL);
  let told = 0;
  const tell = (bytes: number) => {
    // Between the directory and the store a file counts nowhere.
    told = Math.max(told, bytes);
    onProgress({ ...done, bytes: told });
  };
  const watch = setInterval(
    () => void arrived(directory).then((bytes) => tell(done.bytes + bytes)),
    PROGRESS_MILLISECONDS,
  );
  try {
    await inParallel(groups, PARALLEL_DOWNLOADS, async (group) => {
      await downloadGroup(host, store, { group, bases, directory, failures });
      refuseFullDisk(directory, failures);
      done.files += group.length;
      done.bytes += group.reduce((sum, { size }) => sum + size, 0);
      tell(done.bytes);
    });
  } finally {
    clearInterval(watch);
    await rm(directory, { recursive: true, force: true });
  }
  return failures;
}

/** Bytes of the files on their way. */
async function arrived(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  const sizes = await Promise.all(names.map((name) => stat(join(directory, name)).catch(() => undefined)));
  return sizes.reduce((sum, found) => sum + (found?.size ?? 0), 0);
}

/** @throws BuildError `DISK_FULL` when that is why apt could not write: nothing else would help. */
function refuseFullDisk(directory: string, failures: ReadonlyMap<Sha256, string>): void {
  if (failures.size > 0 && isDiskFull(directory)) throw diskFull(directory);
}

interface GroupDownload {
  readonly group: readonly ArchiveFile[];
  readonly bases: Partial<Record<ArchiveName, string>>;
  readonly directory: string;
  readonly failures: Map<Sha256, string>;
}

async function downloadGroup(
  host: Host,
  store: Store,
  { group, bases, directory, failures }: GroupDownload,
): Promise<void> {
  const wanted: { file: ArchiveFile; uri: string; path: string }[] = [];
  for (const file of group) {
    const base = bases[file.archive];
    if (base === undefined) failures.set(file.sha256, `apt on this machine has no ${file.archive} archive of Debian`);
    else wanted.push({ file, uri: `${base}${encodePath(file.path)}`, path: join(directory, file.sha256) });
  }
  if (wanted.length === 0) return;
  const said = await runAptHelper(host, wanted);
  for (const { file, uri, path } of wanted) {
    const size = (await stat(path).catch(() => undefined))?.size;
    if (size === file.size) await store.putFile(path, file.sha256);
    else
      failures.set(
        file.sha256,
        reasonFor(uri, size === undefined ? said : `it has ${size} bytes, expected ${file.size}`),
      );
    await rm(path, { force: true });
  }
}

async function runAptHelper(
  host: Host,
  wanted: readonly { readonly file: ArchiveFile; readonly uri: string; readonly path: string }[],
): Promise<string> {
  const user = await buildUser(host);
  const triples = wanted.flatMap(({ file, uri, path }) => [uri, path, `SHA256:${file.sha256}`]);
  const options = ['-oAPT::Sandbox::User=', '-oAcquire::Retries=2'];
  const argv = [...user.prefix, APT_HELPER, ...options, 'download-file', ...triples];
  const result = await host.run({
    argv: argv as [string, ...string[]],
    cwd: '/',
    environment: downloadEnvironment(host),
  });
  return `${result.stdout}\n${result.stderr}`;
}

/** apt's words about one address. */
function reasonFor(uri: string, said: string): string {
  const lines = said.split('\n').map((line) => line.trim().replace(/^E: /, ''));
  const refused = `Failed to fetch ${uri}`;
  const words =
    lines.find((line) => line.startsWith(refused))?.slice(refused.length) ?? lines.findLast((line) => line !== '');
  return `${uri}: ${words?.trim() ?? 'not downloaded'}`;
}

function encodePath(path: string): string {
  return path.replaceAll('%', '%25').replaceAll('+', '%2b').replaceAll('~', '%7e');
}

function inGroups<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}
