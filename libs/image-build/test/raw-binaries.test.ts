/** Files at places of a disk that no partition has. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@kiln/build-identity';
import { createHost } from '@kiln/host';
import type { DiskDefinition, PartitionDefinition } from '@kiln/image-config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, type ImagePorts, type ImageRequest, type ImageRpm } from '../src/index.ts';
import { planDisk } from '../src/disk-plan.ts';
import { writeRawBinaries } from '../src/raw-binaries.ts';
import { imageToolsRoot } from './image-tools.ts';
import { EPOCH, smallImage } from './small-image.ts';
import { baseSpec } from './test-packages.ts';
import {
  buildRpms,
  hasRpmbuild,
  makePorts,
  makeToolRoot,
  removeTemporaryDirectories,
  temporaryDirectory,
} from './tool-root.ts';

const [KIB, MIB, MINUTE] = [1024, 1_048_576, 60_000];
const host = createHost();
const CONTENT = 'a program of a board'.repeat(100);
let localFiles: ImageRequest['localFiles'];

const partition = (id: string, startMiB: number, endMiB: number, more: object = {}): PartitionDefinition => ({
  ...{ id, name: '', isActive: false, startMiB, endMiB, identifier: 'partuuid', artifacts: [] },
  ...more,
});
const root = partition('root', 8, 30, {
  fileSystem: 'ext4',
  mount: { point: '/', options: 'defaults' },
});
const disk: DiskDefinition = { table: 'gpt', sizeMiB: 32, partitions: [partition('bare', 2, 8), root] };

function request(
  rpms: readonly ImageRpm[],
  offsets: readonly number[],
  more: Partial<DiskDefinition> = {},
): ImageRequest {
  const rawBinaries = offsets.map((offset) => ({ source: 'images/spl.bin', offset }));
  const made = smallImage(rpms, {
    disk: { ...disk, ...more, rawBinaries },
    artifacts: [{ type: 'raw', fileName: 'board.raw' }],
  });
  return { ...made, localFiles };
}

beforeAll(() => {
  const path = join(temporaryDirectory('beside'), 'spl.bin');
  writeFileSync(path, CONTENT);
  localFiles = { 'images/spl.bin': { path, sha256: sha256(CONTENT) } };
});
afterAll(removeTemporaryDirectories);

describe.skipIf(!hasRpmbuild())('raw binaries', () => {
  it('are on the disk, beside tables and file systems that others find sound', { timeout: 2 * MINUTE }, async () => {
    const tools = await imageToolsRoot(host);
    const ports: ImagePorts = { ...makePorts(host, makeToolRoot()), imageTools: () => Promise.resolve(tools) };
    // Behind the table, in a partition without content, and in the middle of nothing.
    const offsets = [33 * KIB, 3 * MIB, 30 * MIB + 5 * KIB];
    const made = request(await buildRpms(baseSpec(), EPOCH), offsets);
    await buildImage(host, ports, made);
    const bytes = readFileSync(join(made.outputDirectory, 'board.raw'));
    expect(bytes.length).toBe(32 * MIB);
    for (const offset of offsets) expect(bytes.toString('latin1', offset, offset + CONTENT.length)).toBe(CONTENT);
    const { status, stdout, stderr } = await ports.run({
      argv: ['bash', '-ec', 'cd /images; sgdisk --verify board.raw; e2fsck -fn "board.raw?offset=8388608"'],
      layers: [tools],
      mounts: [{ source: made.outputDirectory, target: '/images', writable: false }],
      environment: { PATH: '/usr/bin:/usr/sbin', LC_ALL: 'C' },
    });
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toContain('No problems found');
  });
});

describe('writeRawBinaries', () => {
  const mbr = { table: 'mbr', partitions: [root] } as const;
  it.each<[string, number[], Partial<DiskDefinition>, 'none' | 'legacy', string]>([
    ['a GPT', [17_000], {}, 'none', 'the bytes 17000 to 19000 of the disk, which are those of the partition table'],
    ['its second one', [32 * MIB - 17 * KIB], {}, 'none', 'which are those of the second partition table'],
    ['a file system', [8 * MIB - 1999], {}, 'none', "which are those of the partition 'root'"],
    ['an MBR', [511], mbr, 'none', 'which are those of the partition table'],
    ['the boot loader of an MBR', [20 * KIB], mbr, 'legacy', 'which are those of the boot loader'],
    ['another one', [33 * KIB, 34 * KIB], {}, 'none', "which are those of 'images/spl.bin'"],
    ['nothing', [32 * MIB - 1000], mbr, 'none', 'and the disk has 33554432'],
    [
      'the table of a logical partition',
      [20.5 * MIB],
      {
        table: 'mbr',
        partitions: [1, 5, 8, 19]
          .map((start, at) => partition(`p${at}`, start, start + 1))
          .concat(partition('p4', 20, 30)),
      },
      'none',
      "which are those of the partition 'p4'",
    ],
  ])('refuses places of %s', async (_, offsets, more, type, expected) => {
    const made = request([], offsets, more);
    const definition = { ...made.definition, boot: { ...made.definition.boot, type } };
    const output = temporaryDirectory('output');
    const stage = {
      ports: {} as ImagePorts,
      request: { ...made, definition },
      directories: { root: output, output, packages: output },
    };
    const written = writeRawBinaries(stage, planDisk(definition.disk!, made.identity));
    await expect(written).rejects.toMatchObject({
      code: 'IMAGE_BINARY_MISPLACED',
      message: expect.stringContaining(expected) as string,
    });
  });
});
