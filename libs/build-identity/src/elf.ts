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
  readonly hardening: ElfHardening;
}

/** What of the hardening of a file its headers tell (System V gABI; ld(1), -z keywords). */
export interface ElfHardening {
  /** Has a dynamic section: the loader works on it. */
  readonly dynamic: boolean;
  /** DF_1_PIE: an executable that can be loaded anywhere. */
  readonly positionIndependent: boolean;
  /** PT_GNU_RELRO: relocated data becomes read-only. */
  readonly relocationsReadOnly: boolean;
  /** All symbols are bound at start. */
  readonly bindNow: boolean;
  /** PT_GNU_STACK with the execute bit. */
  readonly executableStack: boolean;
  /** Relocations that write to code. */
  readonly textRelocations: boolean;
}

const MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const PT_INTERP = 3;
const PT_GNU_STACK = 0x6474e551;
const PT_GNU_RELRO = 0x6474e552;
const PF_X = 1;
const SHT_NOBITS = 8;
const SHT_DYNAMIC = 6;
const SHT_GNU_VERDEF = 0x6ffffffd;
const SHT_GNU_VERNEED = 0x6ffffffe;
const [DT_NEEDED, DT_SONAME, DT_RPATH, DT_RUNPATH] = [1, 14, 15, 29] as const;
const [DT_TEXTREL, DT_BIND_NOW, DT_FLAGS, DT_FLAGS_1] = [22, 24, 30, 0x6ffffffb] as const;
const [DF_TEXTREL, DF_BIND_NOW, DF_1_NOW, DF_1_PIE] = [4, 8, 1, 0x08000000] as const;
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
    const programs = this.#programHeaders();
    const entries = this.#dynamicEntries(headers);
    const interpreter = programs.find(({ type }) => type === PT_INTERP);
    return {
      bits: this.#wide ? 64 : 32,
      type: this.#view.getUint16(16, true),
      machine: this.#view.getUint16(18, true),
      ...(interpreter === undefined ? {} : { interpreter: this.#text(interpreter.offset) }),
      ...this.#names(entries),
      versionNeeds: this.#versionNeeds(headers),
      versionDefinitions: this.#versionDefinitions(headers),
      sections: headers.map(({ name, type, offset, size }) => ({ name, type, offset, size })),
      hardening: hardeningOf(programs, entries),
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

  #programHeaders(): ProgramHeader[] {
    const [table, entry] = this.#wide ? [this.#word(32), 54] : [this.#word(28), 42];
    const size = this.#view.getUint16(entry, true);
    const count = this.#view.getUint16(entry + 2, true);
    const [flagsAt, offsetAt] = this.#wide ? [4, 8] : [24, 4];
    return Array.from({ length: count }, (_, i) => {
      const at = table + i * size;
      return {
        type: this.#view.getUint32(at, true),
        flags: this.#view.getUint32(at + flagsAt, true),
        offset: this.#word(at + offsetAt),
      };
    });
  }

  #dynamicEntries(headers: readonly SectionHeader[]): DynamicEntry[] | undefined {
    const section = headers.find(({ type }) => type === SHT_DYNAMIC);
    const strings = section === undefined ? undefined : headers[section.link];
    if (section === undefined || section.size === 0 || strings === undefined) return undefined;
    const width = this.#wide ? 8 : 4;
    const entries: DynamicEntry[] = [];
    for (let at = section.offset; at < section.offset + section.size; at += 2 * width) {
      const tag = this.#word(at);
      if (tag === 0) break;
      const value = this.#word(at + width);
      entries.push({ tag, value, text: () => this.#text(strings.offset + value) });
    }
    return entries;
  }

  #names(entries: readonly DynamicEntry[] = []): Pick<Elf, 'soname' | 'needed' | 'runPaths'> {
    const texts = (...tags: number[]) => entries.filter(({ tag }) => tags.includes(tag)).map(({ text }) => text());
    const soname = texts(DT_SONAME).at(-1);
    return {
      needed: texts(DT_NEEDED),
      runPaths: texts(DT_RPATH, DT_RUNPATH).flatMap((path) => path.split(':')),
      ...(soname === undefined ? {} : { soname }),
    };
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

interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
}

interface DynamicEntry {
  readonly tag: number;
  readonly value: number;
  readonly text: () => string;
}

function hardeningOf(programs: readonly ProgramHeader[], entries: readonly DynamicEntry[] | undefined): ElfHardening {
  const has = (wanted: number) => entries?.some(({ tag }) => tag === wanted) === true;
  const hasFlag = (wanted: number, bit: number) =>
    entries?.some(({ tag, value }) => tag === wanted && (value & bit) !== 0) === true;
  return {
    dynamic: entries !== undefined,
    positionIndependent: hasFlag(DT_FLAGS_1, DF_1_PIE),
    relocationsReadOnly: programs.some(({ type }) => type === PT_GNU_RELRO),
    bindNow: has(DT_BIND_NOW) || hasFlag(DT_FLAGS, DF_BIND_NOW) || hasFlag(DT_FLAGS_1, DF_1_NOW),
    executableStack: programs.some(({ type, flags }) => type === PT_GNU_STACK && (flags & PF_X) !== 0),
    textRelocations: has(DT_TEXTREL) || hasFlag(DT_FLAGS, DF_TEXTREL),
  };
}
