/** The structure under both headers of an RPM file: an index of tags and a data store (rpm's lib/header.c). */
import { malformed } from './malformed.ts';

/** A tag's value: text, texts, integers, bytes. Integers are always an array, as rpm stores them. */
export type TagValue = string | readonly string[] | readonly number[] | Uint8Array;

/** Which of the two headers it is: its region tag and rpm's limits for it (lib/header.c, lib/signature.c). */
export interface HeaderKind {
  readonly title: string;
  readonly regionTag: number;
  readonly maximumEntries: number;
  readonly maximumData: number;
  /** Whether every entry must belong to the region: what stands outside of it is not covered by the digests. */
  readonly wholeRegion: boolean;
}

export const SIGNATURE_HEADER: HeaderKind = {
  title: 'signature header',
  regionTag: 62,
  maximumEntries: 32,
  maximumData: 64 * 1024 * 1024,
  wholeRegion: false,
};

export const IMMUTABLE_HEADER: HeaderKind = {
  title: 'header',
  regionTag: 63,
  maximumEntries: 0xffff,
  maximumData: 0x0fffffff,
  wholeRegion: true,
};

/** Bytes before the index: magic, reserved, number of entries, size of the data. */
export const HEADER_INTRO_SIZE = 16;

const MAGIC = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];
const ENTRY_SIZE = 16;
const REGION_TRAILER_SIZE = 16;
const FIRST_PLAIN_TAG = 100;

const CHAR = 1;
const INT8 = 2;
const INT16 = 3;
const INT32 = 4;
const INT64 = 5;
const STRING = 6;
const BINARY = 7;
const STRING_ARRAY = 8;
const I18N_STRING = 9;

interface DataType {
  readonly name: string;
  /** Bytes per element; 0 for texts that end with NUL. */
  readonly size: number;
}

const DATA_TYPES: Readonly<Record<number, DataType>> = {
  [CHAR]: { name: 'char', size: 1 },
  [INT8]: { name: 'int8', size: 1 },
  [INT16]: { name: 'int16', size: 2 },
  [INT32]: { name: 'int32', size: 4 },
  [INT64]: { name: 'int64', size: 8 },
  [STRING]: { name: 'string', size: 0 },
  [BINARY]: { name: 'binary', size: 1 },
  [STRING_ARRAY]: { name: 'string array', size: 0 },
  [I18N_STRING]: { name: 'i18n string', size: 0 },
};

interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** The data, without what follows it. */
  readonly data: Uint8Array;
}

/** The tags of one header, checked once; values are decoded when asked for. */
export class HeaderTags {
  /** Names the file and the header in errors. */
  readonly origin: string;
  readonly #entries: ReadonlyMap<number, Entry>;

  constructor(origin: string, entries: ReadonlyMap<number, Entry>) {
    this.origin = origin;
    this.#entries = entries;
  }

  /** All tag numbers, in the order of the index. */
  numbersOfTags(): readonly number[] {
    return [...this.#entries.keys()];
  }

  has(tag: number): boolean {
    return this.#entries.has(tag);
  }

  /** The value whatever its type is; 64-bit integers beyond 2^53 are malformed. */
  get(tag: number): TagValue | undefined {
    const entry = this.#entries.get(tag);
    if (entry === undefined) return undefined;
    if (entry.type === STRING) return decodeTexts(entry)[0]!;
    if (DATA_TYPES[entry.type]!.size === 0) return decodeTexts(entry);
    return entry.type === BINARY || entry.type === CHAR ? entry.data.slice() : this.#decodeIntegers(entry);
  }

  /** A text; of a translated or repeated one the first. @throws BuildError `RPM_MALFORMED` when the tag has another type. */
  text(tag: number): string | undefined {
    return this.texts(tag)?.[0];
  }

  /** @throws BuildError `RPM_MALFORMED` when the tag has another type. */
  texts(tag: number): readonly string[] | undefined {
    const entry = this.#typed(tag, [STRING, STRING_ARRAY, I18N_STRING]);
    return entry === undefined ? undefined : decodeTexts(entry);
  }

  /** The first integer. @throws BuildError `RPM_MALFORMED` when the tag has another type. */
  integer(tag: number): number | undefined {
    return this.integers(tag)?.[0];
  }

  /** Unsigned integers of any width. @throws BuildError `RPM_MALFORMED` when the tag has another type. */
  integers(tag: number): readonly number[] | undefined {
    const entry = this.#typed(tag, [INT8, INT16, INT32, INT64]);
    return entry === undefined ? undefined : this.#decodeIntegers(entry);
  }

  /** @throws BuildError `RPM_MALFORMED` when the tag has another type. */
  bytes(tag: number): Uint8Array | undefined {
    return this.#typed(tag, [BINARY])?.data.slice();
  }

  /** A text that must be there. @throws BuildError `RPM_MALFORMED` when it isn't. */
  requiredText(tag: number, name: string): string {
    const value = this.text(tag);
    if (value === undefined) throw malformed(this.origin, `there is no ${name} (tag ${tag})`);
    return value;
  }

  #typed(tag: number, types: readonly number[]): Entry | undefined {
    const entry = this.#entries.get(tag);
    if (entry === undefined || types.includes(entry.type)) return entry;
    const wanted = types.map((type) => DATA_TYPES[type]!.name).join(', ');
    throw malformed(this.origin, `tag ${tag} has type ${DATA_TYPES[entry.type]!.name}, expected one of: ${wanted}`);
  }

  #decodeIntegers({ tag, type, count, data }: Entry): number[] {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const { size } = DATA_TYPES[type]!;
    return Array.from({ length: count }, (_, index) => {
      if (size === 1) return view.getUint8(index);
      if (size === 2) return view.getUint16(index * 2);
      if (size === 4) return view.getUint32(index * 4);
      const value = view.getBigUint64(index * 8);
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(this.origin, `tag ${tag} holds ${value}, too large`);
      return Number(value);
    });
  }
}

/**
 * Size in bytes of the header that begins at `offset`, from its intro, which must be within `bytes`.
 * @throws BuildError `RPM_MALFORMED`
 */
export function headerSize(bytes: Uint8Array, offset: number, kind: HeaderKind, file: string): number {
  const { entries, data } = readIntro(bytes, offset, kind, file);
  return HEADER_INTRO_SIZE + entries * ENTRY_SIZE + data;
}

/**
 * Reads the header that begins at `offset` and checks all that rpm checks of a header blob: limits, types, alignment, order, ranges,
 * terminators, the region (hdrblobVerifyInfo and hdrblobVerifyRegion, lib/header.c).
 * @throws BuildError `RPM_MALFORMED`
 */
export function parseHeader(bytes: Uint8Array, offset: number, kind: HeaderKind, file: string): HeaderTags {
  const origin = `${file}: ${kind.title}`;
  const { entries: count, data: dataSize } = readIntro(bytes, offset, kind, file);
  const index = offset + HEADER_INTRO_SIZE;
  const start = index + count * ENTRY_SIZE;
  if (start + dataSize > bytes.length) {
    throw malformed(
      origin,
      `it needs ${start + dataSize - offset} bytes at offset ${offset}, the file ends at ${bytes.length}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = bytes.subarray(start, start + dataSize);
  checkRegion(view, { index, count, data, kind, origin });

  const entries = new Map<number, Entry>();
  let end = 0;
  for (let position = 1; position < count; position += 1) {
    const at = index + position * ENTRY_SIZE;
    const raw = {
      tag: view.getInt32(at),
      type: view.getUint32(at + 4),
      offset: view.getUint32(at + 8),
      count: view.getUint32(at + 12),
    };
    const place = `entry ${position} (tag ${raw.tag})`;
    if (raw.tag < FIRST_PLAIN_TAG) throw malformed(origin, `${place}: not a tag that may stand here`);
    if (entries.has(raw.tag)) throw malformed(origin, `${place}: the tag stands there twice`);
    if (raw.offset < end)
      throw malformed(origin, `${place}: its data at ${raw.offset} overlap the previous ones, which end at ${end}`);
    end = raw.offset + dataLength(raw, data, `${origin}: ${place}`);
    entries.set(raw.tag, { tag: raw.tag, type: raw.type, count: raw.count, data: data.subarray(raw.offset, end) });
  }
  return new HeaderTags(origin, entries);
}

function readIntro(
  bytes: Uint8Array,
  offset: number,
  kind: HeaderKind,
  file: string,
): { entries: number; data: number } {
  const origin = `${file}: ${kind.title}`;
  if (offset + HEADER_INTRO_SIZE > bytes.length)
    throw malformed(origin, `the file ends before offset ${offset + HEADER_INTRO_SIZE}`);
  if (MAGIC.some((byte, at) => bytes[offset + at] !== byte)) {
    const found = Buffer.from(bytes.subarray(offset, offset + MAGIC.length)).toString('hex');
    throw malformed(origin, `no header magic at offset ${offset}, found ${found}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, HEADER_INTRO_SIZE);
  const [entries, data] = [view.getUint32(8), view.getUint32(12)];
  if (entries < 1 || entries > kind.maximumEntries)
    throw malformed(origin, `${entries} entries; allowed are 1 to ${kind.maximumEntries}`);
  if (data > kind.maximumData) throw malformed(origin, `${data} bytes of data; allowed are up to ${kind.maximumData}`);
  return { entries, data };
}

interface RegionContext {
  readonly index: number;
  readonly count: number;
  readonly data: Uint8Array;
  readonly kind: HeaderKind;
  readonly origin: string;
}

function checkRegion(view: DataView, { index, count, data, kind, origin }: RegionContext): void {
  const [tag, type, offset, size] = [0, 4, 8, 12].map((at) => view.getUint32(index + at)) as [
    number,
    number,
    number,
    number,
  ];
  if (tag !== kind.regionTag)
    throw malformed(origin, `it begins with tag ${tag} instead of the region tag ${kind.regionTag}`);
  if (type !== BINARY || size !== REGION_TRAILER_SIZE)
    throw malformed(origin, `its region tag has type ${type} and count ${size}`);
  if (offset + REGION_TRAILER_SIZE > data.length)
    throw malformed(origin, `its region trailer at ${offset} is outside of the data`);

  const trailer = new DataView(data.buffer, data.byteOffset + offset, REGION_TRAILER_SIZE);
  const covered = -trailer.getInt32(8) / ENTRY_SIZE;
  const known = trailer.getUint32(0) === kind.regionTag || (!kind.wholeRegion && trailer.getUint32(0) === 61);
  if (!known || trailer.getUint32(4) !== BINARY || trailer.getUint32(12) !== REGION_TRAILER_SIZE) {
    throw malformed(origin, 'its region trailer is wrong');
  }
  if (!Number.isInteger(covered) || covered < 1 || covered > count) {
    throw malformed(origin, `its region covers ${covered} of ${count} entries`);
  }
  if (kind.wholeRegion && (covered !== count || offset + REGION_TRAILER_SIZE !== data.length)) {
    throw malformed(
      origin,
      `its region covers ${covered} of ${count} entries and ${offset + REGION_TRAILER_SIZE} of ${data.length} bytes`,
    );
  }
}

interface RawEntry {
  readonly type: number;
  readonly offset: number;
  readonly count: number;
}

/** Bytes that the entry's data take; everything about them is checked here. */
function dataLength({ type, offset, count }: RawEntry, data: Uint8Array, place: string): number {
  const dataType = DATA_TYPES[type];
  if (dataType === undefined) throw malformed(place, `unknown data type ${type}`);
  if (count < 1) throw malformed(place, 'no data');
  if (offset >= data.length) throw malformed(place, `its data at ${offset} begin after the end at ${data.length}`);
  if (dataType.size > 0) {
    if (dataType.size > 1 && offset % dataType.size !== 0)
      throw malformed(place, `its data at ${offset} are not aligned for ${dataType.name}`);
    if (count * dataType.size > data.length - offset)
      throw malformed(place, `${count} × ${dataType.name} at ${offset} reach beyond the data`);
    return count * dataType.size;
  }
  if (type === STRING && count !== 1) throw malformed(place, `a string with count ${count}`);
  let end = offset;
  for (let left = count; left > 0; left -= 1) {
    const terminator = data.indexOf(0, end);
    if (terminator < 0) throw malformed(place, `text ${count - left + 1} of ${count} has no end`);
    end = terminator + 1;
  }
  return end - offset;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Texts are UTF-8 (rpm ≥ 4.15 builds nothing else); what isn't, is read byte by byte as Latin-1, so that no two texts become equal. */
function decodeTexts({ data, count }: Entry): string[] {
  const texts: string[] = [];
  for (let at = 0; texts.length < count;) {
    const end = data.indexOf(0, at);
    const bytes = data.subarray(at, end);
    texts.push(decodeText(bytes));
    at = end + 1;
  }
  return texts;
}

function decodeText(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}
