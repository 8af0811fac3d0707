/** Disks of VMware, compressed as for an OVA: qemu-img's, with the image's content identifier instead of a random one. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { patchFile } from '../compose-disk.ts';
import { hexFrom, SECTOR } from '../disk-plan.ts';
import { ARTIFACT, scriptWriter, type DiskWriter } from '../made-image.ts';

/** Of the sparse extent's header, in bytes: where the descriptor begins and how long it may be, both in sectors. */
const [DESCRIPTOR_OFFSET, DESCRIPTOR_SIZE] = [28, 36];

export const writeVmdk: DiskWriter = async (made, artifact) => {
  await scriptWriter('qemu-img convert -f raw -O vmdk -o subformat=streamOptimized disk.raw artifact')(made, artifact);
  const file = await open(join(made.stage.directories.output, ARTIFACT), 'r');
  try {
    const { buffer: header } = await file.read(Buffer.alloc(SECTOR), 0, SECTOR, 0);
    const sectors = (at: number) => Number(header.readBigUInt64LE(at)) * SECTOR;
    const [offset, size] = [sectors(DESCRIPTOR_OFFSET), sectors(DESCRIPTOR_SIZE)];
    const { buffer: descriptor } = await file.read(Buffer.alloc(size), 0, size, offset);
    const bytes = withContentId(descriptor, hexFrom(made.stage.request.identity, 'vmdk', 8));
    await patchFile(made.stage, ARTIFACT, [{ offset, bytes }]);
  } finally {
    await file.close();
  }
};

/**
 * A descriptor (text with zeros behind it) with another content identifier: a hexadecimal number, whose leading zeros may be missing.
 * @throws BuildError `IMAGE_ARTIFACT_FAILED`
 */
export function withContentId(descriptor: Buffer, id: string): Buffer {
  const text = descriptor.toString('latin1').replace(/\0+$/, '');
  const own = text.replace(/^CID=[0-9a-f]{1,8}$/m, `CID=${id}`);
  if (own === text || own.length > descriptor.length)
    throw new BuildError('IMAGE_ARTIFACT_FAILED', 'the VMDK file that qemu-img made has no content identifier');
  const bytes = Buffer.alloc(descriptor.length);
  bytes.write(own, 'latin1');
  return bytes;
}
