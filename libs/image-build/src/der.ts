/** Values of ASN.1 in its distinguished encoding (ITU-T X.690), as far as signatures need it. Pure. */

export interface DerValue {
  /** The identifier: one byte, as tags above 30 stand in no signature. */
  readonly tag: number;
  /** Without identifier and length. */
  readonly content: Buffer;
  /** The whole encoding. */
  readonly bytes: Buffer;
}

export const [INTEGER, OCTETS, OBJECT, SEQUENCE, SET] = [0x02, 0x04, 0x06, 0x30, 0x31] as const;
/** Tags that a structure gives its own meaning. */
export const tagged = (number: number) => 0xa0 + number;

/** The first value of `bytes`; undefined when it is none, or not whole. */
export function readDer(bytes: Buffer): DerValue | undefined {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return undefined;
  const more = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || more > 4 || bytes.length < 2 + more) return undefined;
  const length = more === 0 ? first : bytes.readUIntBE(2, more);
  const end = 2 + more + length;
  return end > bytes.length
    ? undefined
    : { tag, content: bytes.subarray(2 + more, end), bytes: bytes.subarray(0, end) };
}

/** The values in a value, one after another; undefined when it is not made of whole ones. */
export function partsOf({ content }: DerValue): DerValue[] | undefined {
  const parts: DerValue[] = [];
  for (let at = 0; at < content.length;) {
    const part = readDer(content.subarray(at));
    if (part === undefined) return undefined;
    parts.push(part);
    at += part.bytes.length;
  }
  return parts;
}

/** An object identifier as people write it; empty when it is something else. */
export function identifierOf(value: DerValue | undefined): string {
  if (value?.tag !== OBJECT) return '';
  const numbers: number[] = [];
  let number = 0;
  for (const byte of value.content) {
    number = number * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0;
  }
  const [first = 0, ...others] = numbers;
  const top = Math.min(2, Math.floor(first / 40));
  return [top, first - top * 40, ...others].join('.');
}
