/** Disks of Hyper-V and Azure in the VHD format: our own footer, whose time and identifier are the image's. */
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { patchFile } from '../compose-disk.ts';
import { hexFrom } from '../disk-plan.ts';
import type { ImageStage } from '../image-stage.ts';
import { ARTIFACT, scriptWriter, type DiskWriter } from '../made-image.ts';

const FOOTER = 512;
/** Seconds from 1970 to 2000, where the format's time begins. */
const EPOCH_2000 = 946_684_800;
/** Places in the footer (Virtual Hard Disk Image Format Specification, "Hard Disk Footer Format"). */
const AT = { dataOffset: 16, time: 24, sizes: 40, geometry: 56, type: 60, checksum: 64, id: 68 } as const;

export interface VhdFooter {
  readonly sizeBytes: number;
  /** Seconds since 1970. */
  readonly time: number;
  /** 32 hexadecimal digits. */
  readonly id: string;
}

/** The disk's bytes and a footer behind them. Azure wants whole MiB, which disks always are here. */
export const writeFixedVhd: DiskWriter = async (made, artifact) => {
  await scriptWriter('cp --sparse=always disk.raw artifact')(made, artifact);
  const { sizeBytes } = made.plan!;
  await patchFile(made.stage, ARTIFACT, [
    { offset: sizeBytes, bytes: fixedFooter({ sizeBytes, ...ownFields(made.stage) }) },
  ]);
};

/** Only the blocks that hold something. The footer is there twice. */
export const writeDynamicVhd: DiskWriter = async (made, artifact) => {
  await scriptWriter('qemu-img convert -f raw -O vpc -o subformat=dynamic,force_size=on disk.raw artifact')(
    made,
    artifact,
  );
  const path = join(made.stage.directories.output, ARTIFACT);
  const end = (await stat(path)).size - FOOTER;
  const file = await open(path, 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(FOOTER), 0, FOOTER, end);
    const bytes = withOwnFields(buffer, ownFields(made.stage));
    await patchFile(
      made.stage,
      ARTIFACT,
      [0, end].map((offset) => ({ offset, bytes })),
    );
  } finally {
    await file.close();
  }
};

function ownFields({ request }: ImageStage): Pick<VhdFooter, 'time' | 'id'> {
  return { time: request.sourceDateEpoch, id: hexFrom(request.identity, 'vhd', 32) };
}

/** The footer of a fixed disk. */
export function fixedFooter({ sizeBytes, time, id }: VhdFooter): Buffer {
  const footer = Buffer.alloc(FOOTER);
  footer.write('conectix', 0, 'latin1');
  // Features: a reserved bit that is always set; version of the format.
  footer.writeUInt32BE(2, 8);
  footer.writeUInt32BE(0x0001_0000, 12);
  // There is no header of a dynamic disk.
  footer.writeBigUInt64BE(0xffff_ffff_ffff_ffffn, AT.dataOffset);
  // Readers take the size of disks by this creator as it is, and that of others from the geometry.
  footer.write('win ', 28, 'latin1');
  footer.writeUInt32BE(0x0001_0000, 32);
  footer.write('Wi2k', 36, 'latin1');
  footer.writeBigUInt64BE(BigInt(sizeBytes), AT.sizes);
  footer.writeBigUInt64BE(BigInt(sizeBytes), AT.sizes + 8);
  const { cylinders, heads, sectors } = geometry(sizeBytes / 512);
  footer.writeUInt16BE(cylinders, AT.geometry);
  footer.writeUInt8(heads, AT.geometry + 2);
  footer.writeUInt8(sectors, AT.geometry + 3);
  footer.writeUInt32BE(2, AT.type);
  return withOwnFields(footer, { time, id });
}

/** A footer with another time and identifier, and the checksum that belongs to it. */
export function withOwnFields(footer: Uint8Array, { time, id }: Pick<VhdFooter, 'time' | 'id'>): Buffer {
  const own = Buffer.from(footer);
  own.writeUInt32BE(Math.max(0, time - EPOCH_2000), AT.time);
  own.write(id, AT.id, 16, 'hex');
  own.writeUInt32BE(0, AT.checksum);
  own.writeUInt32BE(~own.reduce((sum, byte) => sum + byte, 0) >>> 0, AT.checksum);
  return own;
}

/** Cylinders, heads and sectors per track, as the specification's appendix computes them. */
export function geometry(totalSectors: number): { cylinders: number; heads: number; sectors: number } {
  const total = Math.min(totalSectors, 65_535 * 16 * 255);
  if (total >= 65_535 * 16 * 63) return divide(total, 16, 255);
  let sectors = 17;
  let tracks = Math.floor(total / sectors);
  let heads = Math.max(4, Math.floor((tracks + 1023) / 1024));
  if (tracks >= heads * 1024 || heads > 16) {
    [sectors, heads] = [31, 16];
    tracks = Math.floor(total / sectors);
  }
  if (tracks >= heads * 1024) [sectors, heads] = [63, 16];
  return divide(total, heads, sectors);
}

function divide(total: number, heads: number, sectors: number) {
  return { cylinders: Math.floor(Math.floor(total / sectors) / heads), heads, sectors };
}
