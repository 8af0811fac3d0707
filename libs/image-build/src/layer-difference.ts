/** What an archive of a root has over another one, as a layer of a container (OCI image specification 1.1, layer.md). */
import { readSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { BuildError } from '@kiln/diagnostics';
import { tarMembers, type TarMember } from './tar-members.ts';
import { tarEnd, tarHeader } from './tar-writer.ts';

/** Before the name of a file that is taken away. */
const WHITEOUT = '.wh.';
const DIRECTORY = '5';

export interface Difference {
  /** Archives that GNU tar wrote in the same way; what lies in the layers below, and the root as it is to be. */
  readonly below: string;
  readonly root: string;
  /** Paths as they stand in the archive that the layers below lack although they are in it. */
  readonly missing?: ReadonlySet<string>;
  /** Of whiteouts. */
  readonly mtime: number;
}

/**
 * Writes the archive `path` with every member of the root that isn't the same below, and their directories, since programs that unpack a layer by
 * itself make up those that it lacks.
 * @returns whether there is any; else nothing is written
 * @throws BuildError `ARCHIVE_MALFORMED`; `IMAGE_ARTIFACT_FAILED` for a name that means something else in a layer
 */
export async function writeDifference(path: string, { below, root, missing, mtime }: Difference): Promise<boolean> {
  const files: FileHandle[] = [];
  const opened = async (...words: Parameters<typeof open>) => files[files.push(await open(...words)) - 1]!;
  try {
    const [lower, upper] = [await opened(below), await opened(root)];
    const old = tarMembers(lower.fd).filter((member) => missing?.has(member.path) !== true);
    const members = tarMembers(upper.fd);
    const wrong = [...old, ...members].find(({ path: name }) => baseName(name).startsWith(WHITEOUT));
    if (wrong !== undefined) {
      const message = `'${wrong.path}' can't be in a container: there such a name says that a file is gone`;
      throw new BuildError('IMAGE_ARTIFACT_FAILED', message, { hint: 'leave it out' });
    }
    const wanted = changedPaths({ lower: lower.fd, upper: upper.fd, old, members });
    const whiteouts = whiteoutsByDirectory(old, members);
    if (wanted.size === 0 && whiteouts.size === 0) return false;
    for (const one of [...wanted, ...whiteouts.keys()]) for (const above of directoriesOf(one)) wanted.add(above);
    for (const directory of whiteouts.keys()) wanted.add(directory);
    const layer = await opened(path, 'w');
    await writeLayer(layer, { upper, members: members.filter((one) => wanted.has(one.path)), whiteouts, mtime });
    return true;
  } finally {
    for (const file of files) await file.close();
  }
}

/** Writes the archive `path` with the members of another one, but for some. */
export async function writeWithout(
  path: string,
  { archive, missing }: { readonly archive: string; readonly missing: ReadonlySet<string> },
): Promise<void> {
  const upper = await open(archive);
  try {
    const members = tarMembers(upper.fd).filter((member) => !missing.has(member.path));
    const layer = await open(path, 'w');
    try {
      await writeLayer(layer, { upper, members, whiteouts: new Map(), mtime: 0 });
    } finally {
      await layer.close();
    }
  } finally {
    await upper.close();
  }
}

interface Compared {
  readonly lower: number;
  readonly upper: number;
  readonly old: readonly TarMember[];
  readonly members: readonly TarMember[];
}

/** Names of one file are taken together: a hard link is never one to another layer. */
function changedPaths({ lower, upper, old, members }: Compared): Set<string> {
  const before = new Map(old.map((member) => [member.path, member]));
  const isSame = (member: TarMember) => {
    const one = before.get(member.path);
    return one !== undefined && areEqual([lower, one], [upper, member]);
  };
  const file = ({ path, linkedTo }: TarMember) => linkedTo ?? path;
  const changed = new Set(members.filter((member) => !isSame(member)).map(file));
  return new Set(members.filter((member) => changed.has(file(member))).map(({ path }) => path));
}

/** Directories of the root, each with the names of what isn't in it any more. */
function whiteoutsByDirectory(old: readonly TarMember[], members: readonly TarMember[]): Map<string, string[]> {
  const now = new Map(members.map(({ path, type }) => [path, type]));
  const gone = new Map<string, string[]>();
  for (const { path } of old) {
    const directory = directoriesOf(path)[0];
    if (now.has(path) || directory === undefined || now.get(directory) !== DIRECTORY) continue;
    gone.set(directory, [...(gone.get(directory) ?? []), baseName(path)]);
  }
  return gone;
}

const PIECE = 1024 * 1024;
/** For comparing, which nothing else comes between. */
const [ONE, OTHER] = [Buffer.alloc(PIECE), Buffer.alloc(PIECE)];

/** Headers and content. */
function areEqual([one, a]: readonly [number, TarMember], [other, b]: readonly [number, TarMember]): boolean {
  const length = a.end - a.start;
  if (length !== b.end - b.start || a.content - a.start !== b.content - b.start) return false;
  for (let done = 0; done < length; done += PIECE) {
    const size = Math.min(PIECE, length - done);
    const read = [readSync(one, ONE, 0, size, a.start + done), readSync(other, OTHER, 0, size, b.start + done)];
    if (read.some((bytes) => bytes !== size) || ONE.compare(OTHER, 0, size, 0, size) !== 0) return false;
  }
  return true;
}

interface Layer {
  readonly upper: FileHandle;
  readonly members: readonly TarMember[];
  readonly whiteouts: ReadonlyMap<string, readonly string[]>;
  readonly mtime: number;
}

/** Whiteouts stand in front of what else is in their directory, as the specification wishes. */
async function writeLayer(layer: FileHandle, { upper, members, whiteouts, mtime }: Layer): Promise<void> {
  const piece = Buffer.alloc(PIECE);
  let written = 0;
  const write = async (bytes: Uint8Array) => {
    await layer.writeFile(bytes);
    written += bytes.length;
  };
  for (const { path, start, end } of members) {
    for (let at = start; at < end; at += PIECE) {
      const { bytesRead } = await upper.read(piece, 0, Math.min(PIECE, end - at), at);
      await write(piece.subarray(0, bytesRead));
    }
    for (const name of whiteouts.get(path) ?? [])
      await write(tarHeader(Buffer.from(`${path}/${WHITEOUT}${name}`, 'latin1'), { mtime }));
  }
  await write(tarEnd(written));
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The nearest first; the last one is the root. */
function directoriesOf(path: string): string[] {
  const steps = path.split('/');
  return steps.slice(1).map((_, index) => steps.slice(0, steps.length - 1 - index).join('/'));
}
