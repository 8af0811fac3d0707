/** What a build left behind, read without trusting what the build left there. */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { parseSha256, sha256, type Sha256 } from '@kiln/build-identity';
import { isRegular, type RpmFileEntry, type RpmPackage } from '@kiln/rpm-repository';

/**
 * Names in a directory that the build wrote, sorted, when the directory is one and all its entries are of that kind: a link would
 * lead to files of the machine, a pipe would never end. Nothing of the build runs any more, so that they stay what they are.
 * @throws BuildError `BUILD_OUTPUT_STRANGE`.
 */
export async function entriesOf(directory: string, kind: 'file' | 'directory'): Promise<string[]> {
  await expectKind(directory, 'directory');
  const names = (await readdir(directory)).sort();
  for (const name of names) await expectKind(join(directory, name), kind);
  return names;
}

/** The one directory below BUILDROOT; BUILDROOT itself when there is none. @throws BuildError `BUILD_OUTPUT_STRANGE`. */
export async function buildrootOf(top: string): Promise<string> {
  const all = join(top, 'BUILDROOT');
  const names = await entriesOf(all, 'directory');
  if (names.length > 1) throw strange(`BUILDROOT has ${names.length} directories: ${names.join(', ')}`);
  return join(all, names[0] ?? '');
}

/** One file for each package, where rpm puts it. @param path below the top directory @throws BuildError `BUILD_OUTPUT_STRANGE`. */
export function expectPlace(path: string, { name, evr, arch, isSource }: RpmPackage): void {
  const wanted = `${isSource ? 'SRPMS' : `RPMS/${arch}`}/${name}-${evr.version}-${evr.release}.${arch}.rpm`;
  if (path !== wanted) throw strange(`${path} is what should be ${wanted}`);
}

async function expectKind(path: string, kind: 'file' | 'directory'): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  const isSo = kind === 'file' ? found?.isFile() : found?.isDirectory();
  if (isSo !== true) throw strange(`${path.split('/top/').at(-1)} is not a ${kind}`);
}

function strange(what: string): BuildError {
  return new BuildError('BUILD_OUTPUT_STRANGE', `the build left behind what rpmbuild does not: ${what}`, {
    hint: 'look in the spec for commands that write to RPMS, SRPMS or BUILDROOT, or that replace them',
  });
}

/** RPMFILE_GHOST: in the header but not in the payload. */
const GHOST = 1 << 6;

/** A regular file of a payload with its bytes, equal to what the RPM's header says. */
export interface PayloadFile {
  readonly entry: RpmFileEntry;
  readonly bytes: Uint8Array;
}

/** One that is too large to be held in memory; its digest is that of the RPM's header too. */
export interface LargePayloadFile {
  readonly entry: RpmFileEntry;
  readonly digest: Sha256;
}

/** Node reads no more at once. */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * Reads the payload's regular files of one RPM from the buildroot, one at a time. The bytes are those of the RPM: their digest is
 * compared with the header's.
 * @param mostBytes size of the largest file whose bytes are given
 * @throws BuildError `PAYLOAD_DIFFERS` when the buildroot no longer has what was packaged.
 */
export async function* payloadFiles(
  rpm: RpmPackage,
  buildroot: string,
  mostBytes = MOST_BYTES,
): AsyncGenerator<PayloadFile | LargePayloadFile> {
  const base = await realpath(buildroot);
  for (const entry of rpm.files) {
    if (!isRegular(entry) || (entry.flags & GHOST) !== 0) continue;
    const content = await readInside(base, entry.path, mostBytes);
    const digest = content?.digest ?? (content === undefined ? undefined : sha256(content.bytes));
    if (content === undefined || digest !== entry.digest) {
      throw new BuildError(
        'PAYLOAD_DIFFERS',
        `${entry.path} of ${rpm.name} is not what is in the buildroot after the build`,
        {
          hint: 'a process of the build changed the file after it was packaged; look for background jobs in the spec',
        },
      );
    }
    yield content.digest === undefined ? { entry, bytes: content.bytes } : { entry, digest: content.digest };
  }
}

type Content = { readonly bytes: Uint8Array; readonly digest?: never } | { readonly digest: Sha256 };

/** Reads a regular file whose directory really lies below `base`; undefined when there is none. */
async function readInside(base: string, path: string, mostBytes: number): Promise<Content | undefined> {
  const wanted = join(base, path);
  const directory = await realpath(dirname(wanted)).catch(() => undefined);
  if (directory === undefined || (directory !== base && !directory.startsWith(`${base}/`))) return undefined;
  const file = await open(wanted, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (file === undefined) return undefined;
  try {
    const found = await file.stat();
    if (!found.isFile()) return undefined;
    if (found.size <= mostBytes) return { bytes: await file.readFile() };
    const hash = createHash('sha256');
    for await (const chunk of file.createReadStream({ autoClose: false })) hash.update(chunk as Uint8Array);
    return { digest: parseSha256(hash.digest('hex')) };
  } finally {
    await file.close();
  }
}
