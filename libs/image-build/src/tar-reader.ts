/** Finds the members of a tar archive without unpacking it: for the outer form of an OCI archive. */
import { open, type FileHandle } from 'node:fs/promises';
import { BuildError } from '@kiln/diagnostics';

/** A regular file in an archive. */
export interface TarEntry {
  readonly name: string;
  /** Of its content in the archive. */
  readonly offset: number;
  readonly size: number;
}

const BLOCK = 512;
const REGULAR = new Set(['0', '\0']);
const DIRECTORY = '5';

/**
 * The regular files by name. Only what `writeTar` and its like make is accepted: no links, no long names, no member twice.
 * @throws BuildError `ARCHIVE_MALFORMED`
 */
export async function listTar(path: string): Promise<ReadonlyMap<string, TarEntry>> {
  const file = await open(path, 'r');
  try {
    return await readEntries(file, path);
  } finally {
    await file.close();
  }
}

/** The content of a small member. @throws BuildError `ARCHIVE_MALFORMED` when it is larger than `limit` bytes. */
export async function readTarEntry(path: string, entry: TarEntry, limit: number): Promise<Buffer> {
  if (entry.size > limit) throw malformed(path, `'${entry.name}' has ${entry.size} bytes, more than ${limit}`);
  const file = await open(path, 'r');
  try {
    const content = Buffer.alloc(entry.size);
    await file.read(content, 0, entry.size, entry.offset);
    return content;
  } finally {
    await file.close();
  }
}

async function readEntries(file: FileHandle, path: string): Promise<Map<string, TarEntry>> {
  const { size: end } = await file.stat();
  const entries = new Map<string, TarEntry>();
  const header = Buffer.alloc(BLOCK);
  for (let offset = 0; offset + BLOCK <= end;) {
    await file.read(header, 0, BLOCK, offset);
    if (header.every((byte) => byte === 0)) return entries;
    checkSum(header, path, offset);
    const name = text(header, 0, 100);
    const size = readSize(header, path, offset);
    const type = String.fromCharCode(header[156]!);
    offset += BLOCK;
    if (offset + size > end) throw malformed(path, `'${name}' reaches beyond the end`);
    if (REGULAR.has(type)) {
      if (entries.has(name)) throw malformed(path, `'${name}' stands there twice`);
      entries.set(name, { name, offset, size });
    } else if (type !== DIRECTORY) {
      throw malformed(path, `'${name}' is of type '${type}', neither a file nor a directory`);
    }
    offset += Math.ceil(size / BLOCK) * BLOCK;
  }
  throw malformed(path, 'it has no end');
}

function checkSum(header: Buffer, path: string, offset: number): void {
  const stated = Number.parseInt(text(header, 148, 8), 8);
  const found = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (stated !== found) throw malformed(path, `no tar header at offset ${offset}`);
}

function readSize(header: Buffer, path: string, offset: number): number {
  const size =
    (header[124]! & 0x80) === 0
      ? Number.parseInt(text(header, 124, 12) || '0', 8)
      : Number(header.readBigUInt64BE(128));
  if (!Number.isSafeInteger(size) || size < 0) throw malformed(path, `a wrong size at offset ${offset}`);
  return size;
}

function text(header: Buffer, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end).trim();
}

function malformed(path: string, what: string): BuildError {
  return new BuildError('ARCHIVE_MALFORMED', `${path}: ${what}`, { hint: 'build the image again' });
}
