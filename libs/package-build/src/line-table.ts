/** The source files that debug information names: the headers of DWARF line tables (DWARF 5 §6.2.4; versions 2 to 5). */
import { posix } from 'node:path';
import type { Elf } from '@kiln/build-identity';

const FORM = {
  block: 0x09,
  data1: 0x0b,
  data2: 0x05,
  data4: 0x06,
  data8: 0x07,
  data16: 0x1e,
  lineStrp: 0x1f,
  string: 0x08,
  strp: 0x0e,
  udata: 0x0f,
};
const CONTENT_PATH = 1;
const CONTENT_DIRECTORY = 2;

/** Absolute, normalised paths of all files in all line tables; empty without (readable) debug information. */
export function lineTablePaths(bytes: Uint8Array, elf: Elf): string[] {
  const section = (name: string) => {
    const found = elf.sections.find((one) => one.name === name);
    return found === undefined ? new Uint8Array(0) : bytes.subarray(found.offset, found.offset + found.size);
  };
  const reader = new LineTableReader(section('.debug_line'), section('.debug_line_str'), section('.debug_str'));
  try {
    return [...reader.paths()];
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}

interface Entry {
  readonly path: string;
  readonly directory: number;
}

class LineTableReader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #lineStrings: Uint8Array;
  readonly #strings: Uint8Array;
  #at = 0;
  #offsetSize: 4 | 8 = 4;

  constructor(bytes: Uint8Array, lineStrings: Uint8Array, strings: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#lineStrings = lineStrings;
    this.#strings = strings;
  }

  paths(): Set<string> {
    const found = new Set<string>();
    while (this.#at + 4 <= this.#bytes.length) {
      const end = this.#unitEnd();
      const version = this.#unsigned(2);
      if (version >= 2 && version <= 5) for (const path of this.#unitPaths(version)) found.add(path);
      this.#at = end;
    }
    return found;
  }

  #unitEnd(): number {
    const length = this.#unsigned(4);
    this.#offsetSize = length === 0xffffffff ? 8 : 4;
    return (this.#offsetSize === 8 ? this.#unsigned(8) : length) + this.#at;
  }

  #unitPaths(version: number): string[] {
    if (version === 5) this.#at += 2;
    this.#unsigned(this.#offsetSize);
    this.#at += version >= 4 ? 5 : 4;
    this.#skip(this.#unsigned(1) - 1);
    const [directories, files] =
      version === 5 ? [this.#table(), this.#table()] : [this.#oldDirectories(), this.#oldFiles()];
    const base = directories[0]?.path ?? '';
    return files
      .map(({ path, directory }) => posix.resolve('/', base, directories[directory]?.path ?? '', path))
      .filter((path) => path !== '/');
  }

  #table(): Entry[] {
    const formats = Array.from({ length: this.#unsigned(1) }, () => [this.#uleb(), this.#uleb()] as const);
    const count = this.#uleb();
    if (count > this.#bytes.length) throw new RangeError('more entries than bytes');
    return Array.from({ length: count }, () => {
      let entry: Entry = { path: '', directory: 0 };
      for (const [content, form] of formats) {
        const value = this.#form(form);
        if (content === CONTENT_PATH) entry = { ...entry, path: String(value) };
        if (content === CONTENT_DIRECTORY) entry = { ...entry, directory: Number(value) };
      }
      return entry;
    });
  }

  #oldDirectories(): Entry[] {
    const list: Entry[] = [{ path: '', directory: 0 }];
    for (let path = this.#string(); path !== ''; path = this.#string()) list.push({ path, directory: 0 });
    return list;
  }

  #oldFiles(): Entry[] {
    const list: Entry[] = [];
    for (let path = this.#string(); path !== ''; path = this.#string()) {
      list.push({ path, directory: this.#uleb() });
      this.#uleb();
      this.#uleb();
    }
    return list;
  }

  #form(form: number): string | number {
    switch (form) {
      case FORM.string:
        return this.#string();
      case FORM.lineStrp:
        return textAt(this.#lineStrings, this.#unsigned(this.#offsetSize));
      case FORM.strp:
        return textAt(this.#strings, this.#unsigned(this.#offsetSize));
      case FORM.udata:
        return this.#uleb();
      case FORM.data1:
        return this.#unsigned(1);
      case FORM.data2:
        return this.#unsigned(2);
      case FORM.data4:
        return this.#unsigned(4);
      case FORM.data8:
        return this.#unsigned(8);
      case FORM.data16:
        this.#skip(16);
        return 0;
      case FORM.block:
        this.#skip(this.#uleb());
        return 0;
      default:
        throw new RangeError(`unknown form ${form}`);
    }
  }

  #skip(count: number): void {
    this.#at += count;
  }

  #unsigned(size: 1 | 2 | 4 | 8): number {
    const at = this.#at;
    this.#at += size;
    if (size === 1) return this.#view.getUint8(at);
    if (size === 2) return this.#view.getUint16(at, true);
    return size === 4 ? this.#view.getUint32(at, true) : Number(this.#view.getBigUint64(at, true));
  }

  #uleb(): number {
    let value = 0;
    for (let shift = 0; shift < 49; shift += 7) {
      const byte = this.#unsigned(1);
      value += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) return value;
    }
    throw new RangeError('number too long');
  }

  #string(): string {
    const text = textAt(this.#bytes, this.#at);
    this.#at = this.#bytes.indexOf(0, this.#at) + 1;
    return text;
  }
}

function textAt(bytes: Uint8Array, at: number): string {
  const end = bytes.indexOf(0, at);
  if (at >= bytes.length || end < 0) throw new RangeError('string outside of its section');
  return Buffer.from(bytes.subarray(at, end)).toString('utf8');
}
