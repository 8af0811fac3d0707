/** What an ELF file asks of others and offers: the part of the format that builds depend on (System V gABI, chapters 4 and 5). */

export interface ElfSection {
  readonly name: string;
  readonly type: number;
  /** Byte range in the file; empty for sections without content. */
  readonly offset: number;
  readonly size: number;
}

/** A parsed ELF file. Lists are in file order. */
export interface Elf {
  readonly bits: 32 | 64;
  /** `e_type`: 1 relocatable, 2 executable, 3 shared object (or position-independent executable). */
  readonly type: number;
  /** `e_machine`: 62 is x86-64, 183 is AArch64. */
  readonly machine: number;
  readonly interpreter?: string;
  readonly soname?: string;
  readonly needed: readonly string[];
  /** DT_RPATH and DT_RUNPATH, split at colons. */
  readonly runPaths: readonly string[];
  /** Versions required of each needed library (GNU version needs). */
  readonly versionNeeds: readonly { readonly library: string; readonly version: string }[];
  /** Versions defined by this library, without the base definition. */
  readonly versionDefinitions: readonly string[];
  readonly sections: readonly ElfSection[];
}

const MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const PT_INTERP = 3;
const SHT_NOBITS = 8;
const SHT_DYNAMIC = 6;
const SHT_GNU_VERDEF = 0x6ffffffd;
const SHT_GNU_VERNEED = 0x6ffffffe;
const [DT_NEEDED, DT_SONAME, DT_RPATH, DT_RUNPATH] = [1, 14, 15, 29];
const VER_FLG_BASE = 1;

/** Whether bytes begin like an ELF file. */
export function isElf(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/** Parses little-endian ELF; undefined when the bytes are not ELF, big-endian, or damaged (reads never leave the file). */
export function readElf(bytes: Uint8Array): Elf | undefined {
  if (!isElf(bytes) || bytes[5] !== 1 || (bytes[4] !== 1 && bytes[4] !== 2)) return undefined;
  try {
    return new ElfReader(bytes).read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

class ElfReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #wide: boolean;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#wide = bytes[4] === 2;
  }

  read(): Elf {
    const headers = this.#sectionHeaders();
    const dynamic = this.#dynamic(headers);
    const interpreter = this.#interpreter();
    return {
      bits: this.#wide ? 64 : 32,
      type: this.#view.getUint16(16, true),
      machine: this.#view.getUint16(18, true),
      ...(interpreter === undefined ? {} : { interpreter }),
      ...dynamic,
      versionNeeds: this.#versionNeeds(headers),
      versionDefinitions: this.#versionDefinitions(headers),
      sections: headers.map(({ name, type, offset, size }) => ({ name, type, offset, size })),
    };
  }

  #word(offset: number): number {
    if (!this.#wide) return this.#view.getUint32(offset, true);
    return Number(this.#view.getBigUint64(offset, true));
  }

  #text(offset: number): string {
    if (offset < 0 || offset >= this.#bytes.length) throw new RangeError('string outside of the file');
    const end = this.#bytes.indexOf(0, offset);
    return Buffer.from(this.#bytes.subarray(offset, end < 0 ? undefined : end)).toString('utf8');
  }

  #sectionHeaders(): SectionHeader[] {
    const [table, entry] = this.#wide ? [this.#word(40), 58] : [this.#word(32), 46];
    const size = this.#view.getUint16(entry, true);
    const count = this.#view.getUint16(entry + 2, true);
    const namesIndex = this.#view.getUint16(entry + 4, true);
    if (table === 0 || count === 0) return [];
    const raw = Array.from({ length: count }, (_, i) => this.#sectionHeader(table + i * size));
    const names = raw[namesIndex];
    return raw.map((header) => ({
      ...header,
      name: names === undefined ? '' : this.#text(names.offset + header.nameAt),
    }));
  }

  #sectionHeader(at: number): Omit<SectionHeader, 'name'> {
    const type = this.#view.getUint32(at + 4, true);
    const [offsetAt, sizeAt, linkAt, infoAt] = this.#wide ? [24, 32, 40, 44] : [16, 20, 24, 28];
    const offset = this.#word(at + offsetAt);
    const size = type === SHT_NOBITS ? 0 : this.#word(at + sizeAt);
    if (size > 0 && offset + size > this.#bytes.length) throw new RangeError('section outside of the file');
    return {
      nameAt: this.#view.getUint32(at, true),
      type,
      offset,
      size,
      link: this.#view.getUint32(at + linkAt, true),
      info: this.#view.getUint32(at + infoAt, true),
    };
  }

  #interpreter(): string | undefined {
    const [table, entry] = this.#wide ? [this.#word(32), 54] : [this.#word(28), 42];
    const size = this.#view.getUint16(entry, true);
    const count = this.#view.getUint16(entry + 2, true);
    for (let i = 0; i < count; i += 1) {
      const at = table + i * size;
      if (this.#view.getUint32(at, true) === PT_INTERP) return this.#text(this.#word(at + (this.#wide ? 8 : 4)));
    }
    return undefined;
  }

  #dynamic(headers: readonly SectionHeader[]): Pick<Elf, 'soname' | 'needed' | 'runPaths'> {
    const needed: string[] = [];
    const runPaths: string[] = [];
    let soname: string | undefined;
    const section = headers.find(({ type }) => type === SHT_DYNAMIC);
    const strings = section === undefined ? undefined : headers[section.link];
    if (section === undefined || section.size === 0 || strings === undefined) return { needed, runPaths };
    const width = this.#wide ? 8 : 4;
    for (let at = section.offset; at < section.offset + section.size; at += 2 * width) {
      const tag = this.#word(at);
      if (tag === 0) break;
      const text = () => this.#text(strings.offset + this.#word(at + width));
      if (tag === DT_NEEDED) needed.push(text());
      if (tag === DT_SONAME) soname = text();
      if (tag === DT_RPATH || tag === DT_RUNPATH) runPaths.push(...text().split(':'));
    }
    return { needed, runPaths, ...(soname === undefined ? {} : { soname }) };
  }

  #versionNeeds(headers: readonly SectionHeader[]): Elf['versionNeeds'] {
    const section = headers.find(({ type }) => type === SHT_GNU_VERNEED);
    const strings = section === undefined ? undefined : headers[section.link];
    if (section === undefined || strings === undefined) return [];
    const needs: { library: string; version: string }[] = [];
    let at = section.offset;
    for (let i = 0; i < section.info; i += 1) {
      const library = this.#text(strings.offset + this.#view.getUint32(at + 4, true));
      let aux = at + this.#view.getUint32(at + 8, true);
      for (let j = this.#view.getUint16(at + 2, true); j > 0; j -= 1) {
        needs.push({ library, version: this.#text(strings.offset + this.#view.getUint32(aux + 8, true)) });
        aux += this.#view.getUint32(aux + 12, true);
      }
      at += this.#view.getUint32(at + 12, true);
    }
    return needs;
  }

  #versionDefinitions(headers: readonly SectionHeader[]): string[] {
    const section = headers.find(({ type }) => type === SHT_GNU_VERDEF);
    const strings = section === undefined ? undefined : headers[section.link];
    if (section === undefined || strings === undefined) return [];
    const versions: string[] = [];
    let at = section.offset;
    for (let i = 0; i < section.info; i += 1) {
      const base = (this.#view.getUint16(at + 2, true) & VER_FLG_BASE) !== 0;
      const aux = at + this.#view.getUint32(at + 12, true);
      if (!base) versions.push(this.#text(strings.offset + this.#view.getUint32(aux, true)));
      at += this.#view.getUint32(at + 16, true);
    }
    return versions;
  }
}

interface SectionHeader extends ElfSection {
  readonly nameAt: number;
  readonly link: number;
  readonly info: number;
}
