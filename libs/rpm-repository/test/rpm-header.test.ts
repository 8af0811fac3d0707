import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { describe, expect, it } from 'vitest';
import { parseRpmHeader, readRpmHeader, RPM_TAG } from '../src/index.ts';
import { askRpm, hasRpm, viewOf, type HeaderView } from './rpm-oracle.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const expected = JSON.parse(readFileSync(join(fixtures, 'expected.json'), 'utf8')) as Record<string, HeaderView>;
const rpms = readdirSync(fixtures).filter((name) => name.endsWith('.rpm'));
const everything = readFileSync(join(fixtures, 'everything-1.2~rc1-4.x86_64.rpm'));

function refused(bytes: Uint8Array): BuildError {
  try {
    parseRpmHeader(bytes, 'test.rpm');
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('readRpmHeader', () => {
  it.each(rpms)('agrees with what rpm was recorded to say of %s', async (name) => {
    expect(viewOf(await readRpmHeader(join(fixtures, name)))).toEqual(expected[name]);
  });

  it.skipIf(!hasRpm())('agrees with the rpm of this machine', async () => {
    for (const name of rpms) {
      expect(viewOf(await readRpmHeader(join(fixtures, name)))).toEqual(askRpm(join(fixtures, name)));
    }
  });

  it('gives any tag by number, and says when it has another type', () => {
    const { tags } = parseRpmHeader(everything, 'test.rpm');
    expect(tags.get(RPM_TAG.NAME)).toBe('everything');
    expect(tags.get(RPM_TAG.EPOCH)).toEqual([3]);
    expect(tags.get(999_999)).toBeUndefined();
    expect(() => tags.integers(RPM_TAG.NAME)).toThrow(/tag 1000 has type string/);
  });

  it('is plain data', () => {
    const { package: rpm } = parseRpmHeader(everything, 'test.rpm');
    expect(JSON.parse(JSON.stringify(rpm))).toEqual(rpm);
  });
});

describe('malformed input', () => {
  const { layout } = parseRpmHeader(everything, 'test.rpm').package;

  function changed(offset: number, ...bytes: number[]): Uint8Array {
    const copy = Uint8Array.from(everything);
    copy.set(bytes, offset);
    return copy;
  }

  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /lead: the file has 0 bytes only/],
    ['no RPM', Buffer.alloc(200, 'x'), /lead: it begins with 78787878/],
    ['an old format', changed(4, 2), /version 2/],
    ['no signature header', changed(96, 0), /signature header: no header magic at offset 96/],
    [
      'a huge number of entries',
      changed(layout.headerOffset + 8, 0xff, 0xff, 0xff, 0xff),
      /header: 4294967295 entries/,
    ],
    ['a huge size of data', changed(layout.headerOffset + 12, 0x7f), /bytes of data; allowed/],
    ['no entries', changed(layout.headerOffset + 8, 0, 0, 0, 0), /header: 0 entries/],
    ['another region', changed(layout.headerOffset + 19, 62), /begins with tag 62/],
    ['an entry of unknown type', changed(layout.headerOffset + 39, 77), /entry 1 .*unknown data type 77/],
    ['data that begin outside', changed(layout.headerOffset + 40, 0x00, 0xff, 0xff, 0xff), /begin after the end/],
    ['an absurd count', changed(layout.headerOffset + 44, 0x0f, 0xff, 0xff, 0xff), /text \d+ of 268435455 has no end/],
    ['a region that covers less', changed(layout.payloadOffset - 5, 0x10), /region covers/],
  ])('%s is refused and says where', (_, bytes, message) => {
    const error = refused(bytes);
    expect(error.code).toBe('RPM_MALFORMED');
    expect(error.message).toMatch(/^test\.rpm: /);
    expect(error.message).toMatch(message);
  });

  it('every truncation is refused', () => {
    for (let end = 0; end < layout.payloadOffset; end += 7)
      expect(refused(everything.subarray(0, end)).code).toBe('RPM_MALFORMED');
    expect(parseRpmHeader(everything.subarray(0, layout.payloadOffset), 'test.rpm').package.name).toBe('everything');
  });

  it('a changed byte is read or refused, and never anything else', () => {
    for (let at = 96; at < layout.payloadOffset; at += 3) {
      for (const value of [0x00, 0xff]) {
        try {
          parseRpmHeader(changed(at, value), 'test.rpm');
        } catch (error) {
          expect(error).toBeInstanceOf(BuildError);
        }
      }
    }
  });
});
