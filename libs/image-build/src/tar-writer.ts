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
const NAME_BYTES = 100;
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
    if (Buffer.byteLength(member.name) > NAME_BYTES) throw new Error(`'${member.name}' is too long for a tar member`);
    yield tarHeader(Buffer.from(member.name), { size, mtime });
    if (content !== undefined) yield content;
    else if ('file' in member) yield* fileBytes(member.file, size);
    const filled = padding(size);
    yield filled;
    written += BLOCK + size + filled.length;
  }
  yield tarEnd(written);
}

/** What comes behind so many bytes of members. */
export function tarEnd(written: number): Uint8Array {
  const end = END_BLOCKS * BLOCK;
  return new Uint8Array(end + ((RECORD - ((written + end) % RECORD)) % RECORD));
}

/** To whole blocks. */
function padding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}

/** Of a file of root's, 0644, or of a directory, 0755, when the name ends with a slash. A long name has an extended header in front (pax). */
export function tarHeader(
  name: Buffer,
  { size = 0, mtime }: { readonly size?: number; readonly mtime: number },
): Uint8Array {
  const type = name.at(-1) === 0x2f ? '5' : '0';
  if (name.length <= NAME_BYTES) return block({ name, type, size, mtime });
  const record = paxRecord('path', name);
  return Buffer.concat([
    block({ name: Buffer.from('./PaxHeaders/path'), type: 'x', size: record.length, mtime }),
    record,
    padding(record.length),
    block({ name: name.subarray(0, NAME_BYTES), type, size, mtime }),
  ]);
}

/** `<length> <key>=<value>` and a line feed; the length counts itself. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length;
  while (`${length}`.length + rest.length !== length) length = `${length}`.length + rest.length;
  return Buffer.concat([Buffer.from(`${length}`), rest]);
}

async function* fileBytes(file: string, size: number): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    read += chunk.length;
    yield chunk;
  }
  if (read !== size) throw new Error(`${file} has ${read} bytes, expected ${size}`);
}

interface HeaderBlock {
  readonly name: Buffer;
  /** typeflag */
  readonly type: string;
  readonly size: number;
  readonly mtime: number;
}

function block({ name, type, size, mtime }: HeaderBlock): Buffer {
  const header = Buffer.alloc(BLOCK);
  name.copy(header);
  header.write(octal(type === '5' ? 0o755 : 0o644, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  writeNumber(header, size, 124);
  writeNumber(header, mtime, 136);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
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
