/** Disks and file systems of a small root, made twice and looked at by others' programs. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { createHost } from '@kiln/host';
import type { AddedFile, DiskDefinition, ImageArtifact, PartitionDefinition } from '@kiln/image-config';
import { memoryPlace } from '@kiln/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, type ImagePorts, type ImageRequest, type ImageRpm } from '../src/index.ts';
import { imageToolsRoot } from './image-tools.ts';
import { noCustomization } from './no-customization.ts';
import { EPOCH, failure, smallImage } from './small-image.ts';
import { baseSpec, richSpec } from './test-packages.ts';
import { buildRpms, hasRpmbuild, makePorts, makeToolRoot, removeTemporaryDirectories } from './tool-root.ts';

const MINUTE = 60_000;
const MIB = 1_048_576;
const host = createHost();
let ports: ImagePorts;
let tools: string;
let rpms: ImageRpm[];

const partition = (id: string, startMiB: number, endMiB: number, more: object): PartitionDefinition => ({
  id,
  name: '',
  isActive: false,
  startMiB,
  endMiB,
  identifier: 'uuid',
  artifacts: [],
  ...more,
});
const mount = (point: string) => ({ point, options: 'defaults' });

const gpt: DiskDefinition = {
  table: 'gpt',
  sizeMiB: 64,
  partitions: [
    partition('esp', 1, 9, {
      fileSystem: 'vfat',
      role: 'esp',
      name: 'a "quoted" name',
      mount: mount('/usr/share/doc'),
    }),
    partition('root', 9, 49, { fileSystem: 'ext4', mount: mount('/') }),
    partition('var', 49, 55, { fileSystem: 'ext2', mount: mount('/var/lib') }),
    partition('swap', 55, 57, { fileSystem: 'linux-swap' }),
    partition('bare', 57, 63, {}),
  ],
};

const all: readonly ImageArtifact['type'][] = [
  ...(['raw', 'qcow2', 'vhd', 'vhd-dynamic', 'vhdx', 'vmdk', 'ova'] as const),
  ...(['tar.xz', 'tar.zst', 'ext4', 'squashfs', 'erofs', 'initrd'] as const),
];

const request = (disk: DiskDefinition, artifacts: readonly ImageArtifact[]): ImageRequest =>
  smallImage(rpms, { disk, artifacts });

/** Runs a script of the image tools on the artifacts, in /images; gives what it printed. */
async function examine(directory: string, script: string): Promise<string> {
  const { status, stdout, stderr } = await ports.run({
    argv: ['bash', '-c', `set -euo pipefail; cd /images; ${script}`],
    layers: [tools],
    mounts: [{ source: directory, target: '/images', writable: false }],
    environment: { PATH: '/usr/bin:/usr/sbin', TZ: 'UTC', LC_ALL: 'C', MTOOLS_SKIP_CHECK: '1' },
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
  return stdout;
}

describe.skipIf(!hasRpmbuild())('disks', () => {
  let first: string;

  beforeAll(async () => {
    tools = await imageToolsRoot(host);
    ports = { ...makePorts(host, makeToolRoot()), imageTools: () => Promise.resolve(tools) };
    rpms = [...(await buildRpms(baseSpec(), EPOCH)), ...(await buildRpms(richSpec, EPOCH))];
    const made = request(
      gpt,
      all.map((type) => ({ type, fileName: `small.${type}` })),
    );
    await buildImage(host, ports, made);
    first = made.outputDirectory;
  }, 5 * MINUTE);
  afterAll(removeTemporaryDirectories);

  it('are the same twice, in every format, and in memory as on a disk', { timeout: 2 * MINUTE }, async () => {
    const made = request(
      gpt,
      all.map((type) => ({ type, fileName: `small.${type}` })),
    );
    const place = await memoryPlace(200 * MIB);
    const inMemory = { ...makePorts(host, makeToolRoot(), place), imageTools: ports.imageTools };
    await buildImage(host, inMemory, made);
    const sums = (directory: string) => readFileSync(join(directory, 'SHA256SUMS'), 'utf8').split('\n');
    expect(sums(made.outputDirectory)).toEqual(sums(first));
  });

  it('have a partition table that others read', async () => {
    expect(await examine(first, 'sgdisk --verify small.raw')).toContain('No problems found');
    const table = JSON.parse(await examine(first, 'sfdisk --json small.raw')) as {
      partitiontable: { label: string; partitions: { start: number; size: number; type: string; name?: string }[] };
    };
    expect(table.partitiontable.label).toBe('gpt');
    expect(table.partitiontable.partitions.map(({ start, size }) => [start / 2048, size / 2048])).toEqual([
      [1, 8],
      [9, 40],
      [49, 6],
      [55, 2],
      [57, 6],
    ]);
    expect(table.partitiontable.partitions[0]).toMatchObject({
      type: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
      name: 'a "quoted" name',
    });
  });

  it('have sound file systems, each with what is below its mount point', async () => {
    const cut = (start: number, size: number) =>
      `dd if=small.raw of=/tmp/part bs=1M skip=${start} count=${size} status=none`;
    const names = 'debugfs -R "ls -p $1" /tmp/part 2> /dev/null | cut --delimiter=/ --fields=6';
    await examine(first, `${cut(9, 40)}; e2fsck -fn /tmp/part`);
    const inRoot = await examine(
      first,
      `${cut(9, 40)}; set -- /; ${names}; set -- /var/lib; ${names}; set -- /usr/share/doc; ${names}`,
    );
    expect(inRoot.split('\n')).toEqual(expect.arrayContaining(['etc', 'usr', 'lost+found']));
    expect(inRoot).not.toMatch(/^(rich|generated)$/m);
    await examine(first, `${cut(49, 6)}; e2fsck -fn /tmp/part`);
    expect((await examine(first, `${cut(49, 6)}; set -- /; ${names}`)).split('\n')).toEqual(
      expect.arrayContaining(['rich', 'generated']),
    );
    const owner = 'debugfs -R "stat /rich/secret" /tmp/part 2> /dev/null';
    expect(await examine(first, `${cut(49, 6)}; ${owner}`)).toMatch(/Mode: +0600[^]*User: +77 +Group: +78/);
    await examine(first, `${cut(1, 8)}; fsck.vfat -n /tmp/part`);
    expect(await examine(first, `${cut(1, 8)}; mtype -i /tmp/part ::/rich/README`)).toContain('documentation');
    expect(await examine(first, `${cut(55, 2)}; swaplabel /tmp/part`)).toMatch(/UUID: +[0-9a-f-]{36}/);
    const fstab = await examine(first, `${cut(9, 40)}; debugfs -R 'cat /etc/fstab' /tmp/part 2> /dev/null`);
    const found = async (start: number, size: number) =>
      `UUID=${(await examine(first, `${cut(start, size)}; blkid -p -o value -s UUID /tmp/part`)).trim()}`;
    expect(fstab.split('\n')).toEqual([
      `${await found(9, 40)} / ext4 defaults 0 1`,
      `${await found(1, 8)} /usr/share/doc vfat defaults 0 2`,
      `${await found(49, 6)} /var/lib ext2 defaults 0 2`,
      `${await found(55, 2)} none swap sw 0 0`,
      '',
    ]);
  });

  it('are the same disk in every format', async () => {
    for (const [type, format] of [
      ['qcow2', 'qcow2'],
      ['vhd', 'vpc'],
      ['vhd-dynamic', 'vpc'],
      ['vhdx', 'vhdx'],
      ['vmdk', 'vmdk'],
    ] as const) {
      const compared = `qemu-img compare -f raw -F ${format} small.raw small.${type}`;
      expect(await examine(first, compared)).toContain('Images are identical');
    }
    for (const format of ['qcow2', 'vhdx', 'vmdk']) await examine(first, `qemu-img check -f ${format} small.${format}`);
  });

  it('are the same disk in an appliance, whose description says how large it is', async () => {
    expect((await examine(first, 'tar -tf small.ova')).trim().split('\n')).toEqual([
      'small.ovf',
      'small.mf',
      'small-disk1.vmdk',
    ]);
    const unpack = 'tar -xf small.ova -C /tmp; cd /tmp;';
    // The form of the manifest is another one than that of sha256sum.
    const sums = String.raw`sed 's/^SHA256(\(.*\))= \(.*\)$/\2  \1/' small.mf | sha256sum --check`;
    expect(await examine(first, `${unpack} ${sums}`)).toBe('small.ovf: OK\nsmall-disk1.vmdk: OK\n');
    expect(await examine(first, `${unpack} sha256sum < small-disk1.vmdk; sha256sum < /images/small.vmdk`)).toMatch(
      /^(\w{64}) {2}-\n\1 {2}-\n$/,
    );
    const parse = `
import sys, xml.etree.ElementTree as tree
for one in tree.parse(sys.argv[1]).iter():
  values = {key.split("}")[1]: value for key, value in one.attrib.items()}
  if "capacity" in values: print(values["capacity"])
  if "href" in values: print(values["href"], values["size"])`;
    const said = await examine(
      first,
      `${unpack} python3 -c '${parse}' small.ovf; stat --format='%n %s' small-disk1.vmdk`,
    );
    const [file, capacity, found] = said.split('\n');
    expect([capacity, file]).toEqual([String(64 * 1024 * 1024), found]);
  });

  it('have a footer that says their whole size', () => {
    const disk = readFileSync(join(first, 'small.vhd'));
    expect(disk.length).toBe(64 * 1024 * 1024 + 512);
    const footer = disk.subarray(-512);
    expect(footer.toString('latin1', 0, 8)).toBe('conectix');
    expect(footer.readBigUInt64BE(48)).toBe(BigInt(disk.length - 512));
    expect(footer.readUInt32BE(60)).toBe(2);
    const sum = footer.reduce((total, byte, index) => total + (index >= 64 && index < 68 ? 0 : byte), 0);
    expect(footer.readUInt32BE(64)).toBe(~sum >>> 0);
  });

  it('are archives and file systems with every file', async () => {
    const secret = /^-rw------- +77\/78 .*var\/lib\/rich\/secret$/m;
    expect(await examine(first, 'unsquashfs -lln small.squashfs')).toMatch(secret);
    expect(await examine(first, 'zstd -dc small.tar.zst | tar -tv --numeric-owner')).toMatch(secret);
    expect(await examine(first, 'xz -dc small.tar.xz | tar -tv --numeric-owner')).toMatch(secret);
    await examine(first, 'fsck.erofs small.erofs; e2fsck -fn small.ext4');
    // The kernel reads archives one after the other: the second one has what it starts.
    const list =
      'cpio --quiet --list --verbose --numeric-uid-gid < /tmp/cpio; grep --text --quiet usr/sbin/init /tmp/cpio';
    const listed = await examine(first, `zstd -dc small.initrd > /tmp/cpio; ${list}`);
    expect(listed).toMatch(/77 +78 .* var\/lib\/rich\/secret/);
  });

  it('may have an MBR with logical partitions', async () => {
    const parts = [1, 2, 3, 4, 5, 6].map((number) => partition(`p${number}`, number * 6, number * 6 + 6, {}));
    const root = partition('root', 42, 64, { fileSystem: 'ext4', mount: mount('/') });
    const made = request({ table: 'mbr', sizeMiB: 64, partitions: [...parts, root] }, [
      { type: 'raw', fileName: 'mbr.raw' },
    ]);
    await buildImage(host, ports, made);
    const table = await examine(made.outputDirectory, 'sfdisk --dump mbr.raw; sfdisk --verify mbr.raw');
    expect(table).toContain('No errors detected');
    expect(table).toMatch(/mbr\.raw8 : start= +88064, size= +43008, type=83/);
  });

  it('say which partition is too small, and leave nothing behind', async () => {
    const { sizeMiB, partitions } = gpt;
    const small = partitions.map((one) => (one.id === 'root' ? { ...one, endMiB: 11 } : one));
    const made = request({ table: 'gpt', sizeMiB, partitions: small }, [{ type: 'raw', fileName: 'small.raw' }]);
    const works: string[] = [];
    const watched: ImagePorts = {
      ...ports,
      makeWorkDirectory: async (name) => {
        const directory = await ports.makeWorkDirectory(name);
        works.push(directory);
        return directory;
      },
    };
    const error = await failure(buildImage(host, watched, made));
    expect(error.code).toBe('PARTITION_TOO_SMALL');
    expect(error.message).toContain("'root'");
    expect(works.length).toBeGreaterThan(0);
    expect(readdirSync(join(works[0]!, '..'))).toEqual([]);
  });

  it('say what FAT can not hold, and where the partition was written', { timeout: MINUTE }, async () => {
    const directory = (path: string): AddedFile => ({ type: 'directory', path, mode: 0o755, owner: '0', group: '0' });
    const place = { file: 'small.json', line: 5 };
    for (const [files, message] of [
      [[{ type: 'link', path: '/usr/share/doc/l', target: 'a' }], 'l is no plain file, which FAT can not hold'],
      [[directory('/usr/share/doc/a:b')], 'a:b has a character that FAT can not hold'],
      [[directory('/usr/share/doc/A'), directory('/usr/share/doc/a')], 'is there in large and in small letters'],
    ] as [AddedFile[], string][]) {
      const made = request(gpt, [{ type: 'raw', fileName: 'small.raw' }]);
      const customization = { ...noCustomization, files };
      const definition = { ...made.definition, customization, places: { 'partition esp': place } };
      const error = await failure(buildImage(host, ports, { ...made, definition }));
      expect(error).toMatchObject({ code: 'IMAGE_FILE_SYSTEM_FAILED', location: place });
      expect(error.message).toContain(message);
    }
  });

  it('leave nothing behind when they are interrupted', async () => {
    const interrupt = new AbortController();
    const stopped = createHost({
      signal: interrupt.signal,
      emit: (event) => {
        if (event.type === 'progress' && event.message === 'making the disk')
          interrupt.abort(new BuildError('INTERRUPTED', 'the run was interrupted'));
      },
    });
    const works: string[] = [];
    const own = makePorts(stopped, makeToolRoot());
    const watched: ImagePorts = {
      ...own,
      imageTools: () => Promise.resolve(tools),
      makeWorkDirectory: async (name) => {
        const directory = await own.makeWorkDirectory(name);
        works.push(directory);
        return directory;
      },
    };
    const made = request(gpt, [{ type: 'raw', fileName: 'small.raw' }]);
    expect((await failure(buildImage(stopped, watched, made))).code).toBe('INTERRUPTED');
    expect(readdirSync(join(works[0]!, '..'))).toEqual([]);
    expect(existsSync(made.outputDirectory)).toBe(false);
  });

  it('of an image that boots need a kernel', async () => {
    const made = request(gpt, [{ type: 'raw', fileName: 'small.raw' }]);
    const boot = { type: 'efi', commandLine: [] } as const;
    const error = await failure(buildImage(host, ports, { ...made, definition: { ...made.definition, boot } }));
    expect(error.code).toBe('IMAGE_KERNEL_MISSING');
  });
});
