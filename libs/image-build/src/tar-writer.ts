/** Writes tar archives of few plain files (POSIX ustar, IEEE Std 1003.1 pax): the outer form of an OCI archive. */
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export type TarMember =
  | { readonly name: string; readonly content: string | Uint8Array }
  | { readonly name: string; readonly file: string; readonly size: number }
  /** `name` ends with a slash. */
  | { readonly name: string };

const BLOCK = 512;
const END_BLOCKS = 2;
/** GNU tar fills up to a record of 20 blocks; so do we, because some readers expect it. */
const RECORD = 20 * BLOCK;
const LARGEST_OCTAL = 0o77777777777;

/** Writes the members in the given order, all with one time, owner 0:0 and plain modes: same members, same bytes. */
export async function writeTar(path: string, members: readonly TarMember[], mtime: number): Promise<void> {
  await pipeline(Readable.from(tarBytes(members, mtime)), createWriteStream(path));
}

async function* tarBytes(members: readonly TarMember[], mtime: number): AsyncGenerator<Uint8Array> {
  let written = 0;
  for (const member of members) {
    const content = 'content' in member ? Buffer.from(member.content) : undefined;
    const size = content?.length ?? ('size' in member ? member.size : 0);
    yield tarHeader(member.name, size, mtime);
    if (content !== undefined) yield content;
    else if ('file' in member) yield* fileBytes(member.file, size);
    const padding = (BLOCK - (size % BLOCK)) % BLOCK;
    yield new Uint8Array(padding);
    written += BLOCK + size + padding;
  }
  written += END_BLOCKS * BLOCK;
  yield new Uint8Array(END_BLOCKS * BLOCK + ((RECORD - (written % RECORD)) % RECORD));
}

async function* fileBytes(file: string, size: number): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    read += chunk.length;
    yield chunk;
  }
  if (read !== size) throw new Error(`${file} has ${read} bytes, expected ${size}`);
}

function tarHeader(name: string, size: number, mtime: number): Uint8Array {
  const isDirectory = name.endsWith('/');
  const header = Buffer.alloc(BLOCK);
  if (Buffer.byteLength(name) > 100) throw new Error(`'${name}' is too long for a tar member`);
  header.write(name, 0);
  header.write(octal(isDirectory ? 0o755 : 0o644, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  writeNumber(header, size, 124);
  writeNumber(header, mtime, 136);
  header.write(' '.repeat(8), 148);
  header.write(isDirectory ? '5' : '0', 156);
  header.write('ustar\0', 257);
  header.write('00', 263);
  header.write(octal(0, 8), 329);
  header.write(octal(0, 8), 337);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}

/** Twelve bytes; numbers that don't fit in octal digits stand as big-endian binary with the first bit set. */
function writeNumber(header: Buffer, value: number, offset: number): void {
  if (value <= LARGEST_OCTAL) {
    header.write(octal(value, 12), offset);
    return;
  }
  header.writeUInt8(0x80, offset);
  header.writeBigUInt64BE(BigInt(value), offset + 4);
}
