/** The members of a tar archive as GNU tar writes it in the pax format, each with all of its headers (POSIX, pax interchange format). */
import { readSync } from 'node:fs';
import { BuildError } from '@kiln/diagnostics';

/** Offsets are in bytes from the beginning of the archive. */
export interface TarMember {
  /** As it stands there, one character for each byte, but for a slash at the end: `.`, `./usr`. */
  readonly path: string;
  /** typeflag: `0` file, `1` hard link, `2` symbolic link, `5` directory. */
  readonly type: string;
  /** Of a hard link: path of the member that has the content. */
  readonly linkedTo?: string;
  /** Of the first header. */
  readonly start: number;
  readonly content: number;
  /** Behind the padding of the content. */
  readonly end: number;
}

const BLOCK = 512;
/** Most files are smaller than this. */
const WINDOW = 32 * 1024;
const [HARD_LINK, SYMBOLIC_LINK, EXTENDED] = ['1', '2', 'x'];
const TYPES = new Set(['0', HARD_LINK, SYMBOLIC_LINK, '3', '4', '5', '6']);
/** Their size says nothing about content: none follows. */
const WITHOUT_CONTENT = new Set([HARD_LINK, SYMBOLIC_LINK, '3', '4', '5', '6']);

/** @throws BuildError `ARCHIVE_MALFORMED` for what GNU tar doesn't write in this format, too */
export function tarMembers(descriptor: number): TarMember[] {
  const archive = new Window(descriptor);
  const members: TarMember[] = [];
  let records: ReadonlyMap<string, string> = new Map();
  let start = 0;
  for (let at = 0; ;) {
    const header = archive.bytes(at, BLOCK);
    if (header.every((byte) => byte === 0)) return members;
    const type = String.fromCharCode(header[156]!);
    const size = Number(records.get('size') ?? Number.parseInt(text(header, 124, 12), 8));
    if (text(header, 257, 6) !== 'ustar' || !Number.isSafeInteger(size)) throw malformed(`no header at ${at}`);
    const content = at + BLOCK;
    const end = content + (WITHOUT_CONTENT.has(type) ? 0 : Math.ceil(size / BLOCK) * BLOCK);
    at = end;
    if (type === EXTENDED) {
      records = paxRecords(archive.bytes(content, size));
      continue;
    }
    if (!TYPES.has(type)) throw malformed(`a member of type '${type}'`);
    const prefix = text(header, 345, 155);
    const name = records.get('path') ?? `${prefix === '' ? '' : `${prefix}/`}${text(header, 0, 100)}`;
    const link = type === HARD_LINK ? { linkedTo: records.get('linkpath') ?? text(header, 157, 100) } : {};
    members.push({ path: name.replace(/(?<=.)\/$/, ''), type, ...link, start, content, end });
    records = new Map();
    start = end;
  }
}

/** Reads an archive from its beginning to its end, leaving out most content. */
class Window {
  readonly #descriptor: number;
  #buffer = Buffer.alloc(WINDOW);
  #offset = 0;
  #length = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** They stay what they are until the next call. */
  bytes(offset: number, length: number): Buffer {
    if (offset < this.#offset || offset + length > this.#offset + this.#length) {
      if (length > this.#buffer.length) this.#buffer = Buffer.alloc(length);
      this.#length = readSync(this.#descriptor, this.#buffer, 0, this.#buffer.length, offset);
      this.#offset = offset;
    }
    if (this.#length < offset - this.#offset + length) throw malformed('it has no end');
    return this.#buffer.subarray(offset - this.#offset, offset - this.#offset + length);
  }
}

/** Records `<length> <key>=<value>\n`, where the length counts all of the record. */
function paxRecords(bytes: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const length = Number.parseInt(bytes.toString('latin1', at, space), 10);
    const equals = bytes.indexOf(0x3d, space);
    if (!(length > 0) || space < 0 || equals < 0) throw malformed('an extended header that is none');
    records.set(bytes.toString('latin1', space + 1, equals), bytes.toString('latin1', equals + 1, at + length - 1));
    at += length;
  }
  return records;
}

function text(header: Buffer, offset: number, length: number): string {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? length : end);
}

function malformed(what: string): BuildError {
  return new BuildError('ARCHIVE_MALFORMED', `the archive of a root can't be read: ${what}`);
}
