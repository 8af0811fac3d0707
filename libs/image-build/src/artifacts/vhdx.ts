/** Disks of Hyper-V in the VHDX format: qemu-img's, with the identifiers that it draws replaced by the image's. */
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { patchFile, type Patch } from '../compose-disk.ts';
import { crc32c } from '../crc32c.ts';
import { hexFrom } from '../disk-plan.ts';
import { ARTIFACT, scriptWriter, type DiskWriter } from '../made-image.ts';

/** Places and names of [MS-VHDX] 2.2 and 2.6. */
const HEADERS = [0x1_0000, 0x2_0000] as const;
const REGION_TABLE = 0x3_0000;
const TABLE_SIZE = 0x1_0000;
const HEADER_SIZE = 4096;
const HEADER_AT = {
  checksum: 4,
  sequence: 8,
  fileWrite: 16,
  dataWrite: 32,
  logId: 48,
  logLength: 68,
  logOffset: 72,
} as const;
const METADATA_REGION = '06a27c8b90479a4bb8fe575f050f886e';
const PAGE_83 = 'ab12cabee6b2234593efc309e000c746';
const GUID = 16;

export const writeVhdx: DiskWriter = async (made, artifact) => {
  await scriptWriter('qemu-img convert -f raw -O vhdx -o subformat=dynamic,block_size=1M disk.raw artifact')(
    made,
    artifact,
  );
  const file = await open(join(made.stage.directories.output, ARTIFACT), 'r');
  try {
    const guid = (purpose: string) =>
      Buffer.from(hexFrom(made.stage.request.identity, `vhdx ${purpose}`, 2 * GUID), 'hex');
    await patchFile(made.stage, ARTIFACT, await ownIdentifiers(file, guid));
  } finally {
    await file.close();
  }
};

/** What must be written so that nothing random is left. @throws BuildError `IMAGE_ARTIFACT_FAILED` when the file isn't as expected */
export async function ownIdentifiers(file: FileHandle, guid: (purpose: string) => Buffer): Promise<Patch[]> {
  const headers = await Promise.all(HEADERS.map((offset) => read(file, offset, HEADER_SIZE)));
  const sequences = headers.map((header) => header.readBigUInt64LE(HEADER_AT.sequence));
  const newest = sequences[0]! > sequences[1]! ? 0 : 1;
  const patches = headers.map((header, index): Patch => {
    if (header.toString('latin1', 0, 4) !== 'head') throw unexpected('has no header where one belongs');
    if (!header.subarray(HEADER_AT.logId, HEADER_AT.logId + GUID).equals(Buffer.alloc(GUID)))
      throw unexpected('was not closed: its log has entries');
    const own = Buffer.from(header);
    own.writeBigUInt64LE(index === newest ? 2n : 1n, HEADER_AT.sequence);
    guid('file write').copy(own, HEADER_AT.fileWrite);
    guid('data write').copy(own, HEADER_AT.dataWrite);
    own.writeUInt32LE(0, HEADER_AT.checksum);
    own.writeUInt32LE(crc32c(own), HEADER_AT.checksum);
    return { offset: HEADERS[index]!, bytes: own };
  });
  const log = headers[newest]!;
  const [length, offset] = [log.readUInt32LE(HEADER_AT.logLength), Number(log.readBigUInt64LE(HEADER_AT.logOffset))];
  return [...patches, { offset, bytes: Buffer.alloc(length) }, { offset: await page83(file), bytes: guid('page 83') }];
}

/** Where the identifier of the virtual disk stands: an item of the metadata region. */
async function page83(file: FileHandle): Promise<number> {
  const regions = await read(file, REGION_TABLE, TABLE_SIZE);
  for (let at = 16; at < 16 + 32 * regions.readUInt32LE(8); at += 32) {
    if (regions.toString('hex', at, at + GUID) !== METADATA_REGION) continue;
    const start = Number(regions.readBigUInt64LE(at + GUID));
    const items = await read(file, start, TABLE_SIZE);
    for (let item = 32; item < 32 + 32 * items.readUInt16LE(10); item += 32) {
      if (items.toString('hex', item, item + GUID) === PAGE_83) return start + items.readUInt32LE(item + GUID);
    }
  }
  throw unexpected('has no identifier of its virtual disk');
}

async function read(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
  return buffer;
}

function unexpected(what: string): BuildError {
  return new BuildError('IMAGE_ARTIFACT_FAILED', `the VHDX file that qemu-img made ${what}`);
}
