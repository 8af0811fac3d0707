/** What a build left behind, read without trusting what the build left there. */
import { constants } from 'node:fs';
import { lstat, open, readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { sha256 } from '@kiln/build-identity';
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

/**
 * Reads the payload's regular files of one RPM from the buildroot, one at a time. The bytes are those of the RPM: their digest is
 * compared with the header's.
 * @throws BuildError `PAYLOAD_DIFFERS` when the buildroot no longer has what was packaged.
 */
export async function* payloadFiles(rpm: RpmPackage, buildroot: string): AsyncGenerator<PayloadFile> {
  const base = await realpath(buildroot);
  for (const entry of rpm.files) {
    if (!isRegular(entry) || (entry.flags & GHOST) !== 0) continue;
    const bytes = await readInside(base, entry.path);
    if (bytes === undefined || sha256(bytes) !== entry.digest) {
      throw new BuildError(
        'PAYLOAD_DIFFERS',
        `${entry.path} of ${rpm.name} is not what is in the buildroot after the build`,
        {
          hint: 'a process of the build changed the file after it was packaged; look for background jobs in the spec',
        },
      );
    }
    yield { entry, bytes };
  }
}

/** Reads a regular file whose directory really lies below `base`; undefined when there is none. */
async function readInside(base: string, path: string): Promise<Uint8Array | undefined> {
  const wanted = join(base, path);
  const directory = await realpath(dirname(wanted)).catch(() => undefined);
  if (directory === undefined || (directory !== base && !directory.startsWith(`${base}/`))) return undefined;
  const file = await open(wanted, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (file === undefined) return undefined;
  try {
    return (await file.stat()).isFile() ? await file.readFile() : undefined;
  } finally {
    await file.close();
  }
}
