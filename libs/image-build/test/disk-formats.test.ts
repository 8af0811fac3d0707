import { describe, expect, it } from 'vitest';
import { fixedFooter, geometry } from '../src/artifacts/vhd.ts';
import { withContentId } from '../src/artifacts/vmdk.ts';
import { crc32c } from '../src/crc32c.ts';
import { biosLoader } from '../src/grub-bios.ts';

describe('formats of disks', () => {
  it('have the geometry of the VHD specification', () => {
    // The last one is the largest disk that the fields can say.
    expect(geometry(20_480)).toEqual({ cylinders: 301, heads: 4, sectors: 17 });
    expect(geometry(4_194_304)).toEqual({ cylinders: 4161, heads: 16, sectors: 63 });
    expect(geometry(2 ** 40)).toEqual({ cylinders: 65_535, heads: 16, sectors: 255 });
  });

  it('have a VHD footer that is of the given time and identifier', () => {
    const footer = fixedFooter({ sizeBytes: 1024 * 1024, time: 946_684_805, id: '0123456789abcdef'.repeat(2) });
    expect(footer.readUInt32BE(24)).toBe(5);
    expect(footer.toString('hex', 68, 84)).toBe('0123456789abcdef'.repeat(2));
  });

  it('have the checksum that VHDX asks for', () => {
    // The check value of CRC-32C.
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe306_9283);
  });

  it.each(['CID=1', 'CID=0a1b2c3d'])('replace the content identifier of a VMDK: %s', (line) => {
    const descriptor = Buffer.alloc(64);
    descriptor.write(`version=1\n${line}\nparentCID=ffffffff\n`);
    const own = withContentId(descriptor, '89abcdef');
    expect(own.length).toBe(64);
    expect(own.toString().replaceAll('\0', '')).toBe('version=1\nCID=89abcdef\nparentCID=ffffffff\n');
  });

  it('refuse a boot loader that has no room', () => {
    const image = { boot: Buffer.alloc(512), core: Buffer.alloc(5 * 512) };
    expect(() => biosLoader(image, { sector: 2048, sectors: 4 })).toThrow('needs 5 sectors, and there are 4 for it');
    const { bootCode, core } = biosLoader(image, { sector: 2048, sectors: 5 });
    expect(bootCode.length).toBe(440);
    expect(bootCode.readBigUInt64LE(0x5c)).toBe(2048n);
    expect([core.readBigUInt64LE(0x1f4), core.readUInt16LE(0x1fc)]).toEqual([2049n, 4]);
  });
});
