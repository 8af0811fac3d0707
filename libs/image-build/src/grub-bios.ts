/**
 * GRUB for a BIOS on a disk, as grub-bios-setup leaves it: the first sector reads the first sector of the core image, which has a list of
 * where the rest of it is. Offsets are those of GRUB's boot.S and diskboot.S. Pure.
 */
import { BuildError } from '@kiln/diagnostics';
import { SECTOR } from './disk-plan.ts';

/** Of the first sector: where the core image begins, and from which drive it is read. */
const [KERNEL_SECTOR, BOOT_DRIVE, DRIVE_CHECK] = [0x5c, 0x64, 0x66];
/** The BIOS says which drive. */
const DRIVE_OF_BIOS = 0xff;
const NO_OPERATIONS = [0x90, 0x90];
/** Code ends where the disk's signature and the partition table begin. */
const CODE_END = 0x1b8;
/** Of the core image's first sector: start and number of the sectors after it, and the segment that they are read to. */
const [FIRST_LIST, READ_SEGMENT] = [0x1f4, 0x820];

export interface BiosLoader {
  /** For the start of the disk. */
  readonly bootCode: Buffer;
  /** For `sector`. */
  readonly core: Buffer;
}

/**
 * @param image boot.img and core.img of GRUB
 * @param room where core.img goes
 * @throws BuildError `IMAGE_LOADER_TOO_LARGE`
 */
export function biosLoader(
  image: { readonly boot: Uint8Array; readonly core: Uint8Array },
  room: { readonly sector: number; readonly sectors: number },
): BiosLoader {
  const sectors = Math.ceil(image.core.length / SECTOR);
  if (sectors > room.sectors) {
    const message = `the boot loader needs ${sectors} sectors, and there are ${room.sectors} for it`;
    throw new BuildError('IMAGE_LOADER_TOO_LARGE', message, { hint: 'make the partition for it larger' });
  }
  const bootCode = Buffer.from(image.boot.subarray(0, CODE_END));
  bootCode.writeBigUInt64LE(BigInt(room.sector), KERNEL_SECTOR);
  bootCode.writeUInt8(DRIVE_OF_BIOS, BOOT_DRIVE);
  bootCode.set(NO_OPERATIONS, DRIVE_CHECK);
  const core = Buffer.alloc(sectors * SECTOR);
  core.set(image.core);
  core.writeBigUInt64LE(BigInt(room.sector + 1), FIRST_LIST);
  core.writeUInt16LE(sectors - 1, FIRST_LIST + 8);
  core.writeUInt16LE(READ_SEGMENT, FIRST_LIST + 10);
  return { bootCode, core };
}
