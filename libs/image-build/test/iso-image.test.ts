/** A medium of a small root with a boot loader that is none, made twice and looked at by others' programs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@kiln/build-identity';
import { createHost } from '@kiln/host';
import type { PartitionDefinition } from '@kiln/image-config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, type ImagePorts, type ImageRequest, type ImageRpm } from '../src/index.ts';
import { rootKey, sbomKey } from '../src/local-files.ts';
import { imageToolsRoot } from './image-tools.ts';
import { EPOCH, smallImage } from './small-image.ts';
import { baseSpec, mediumSpec } from './test-packages.ts';
import {
  buildRpms,
  hasRpmbuild,
  makePorts,
  makeToolRoot,
  removeTemporaryDirectories,
  temporaryDirectory,
} from './tool-root.ts';

const MINUTE = 60_000;
const host = createHost();
let ports: ImagePorts;
let tools: string;
let first: string;
let localFiles: ImageRequest['localFiles'];

const common = { startMiB: 1, endMiB: 9, identifier: 'partuuid', artifacts: [] } as const;
const installedPartitions: PartitionDefinition[] = [
  { ...common, id: 'loader', name: 'loader', role: 'bios-boot', isActive: true },
  {
    ...common,
    id: 'root',
    name: "Root's own",
    fileSystem: 'ext4',
    type: '933ac7e1-2eb4-4f13-b844-0e14e2aef915',
    isActive: false,
    startMiB: 9,
    endMiB: 0,
    mount: { point: '/', options: 'defaults' },
    identifier: 'uuid',
  },
];

function request(rpms: readonly ImageRpm[]): ImageRequest {
  const image = smallImage(rpms, {
    name: 'small-medium',
    artifacts: [
      { type: 'iso', fileName: 'small.iso' },
      { type: 'seed', fileName: 'seed.iso' },
    ],
    seed: { files: { 'meta-data': 'beside/meta', 'user-data': 'beside/user' }, instanceId: 'one' },
    installer: {
      systems: [
        {
          image: 'server',
          reference: 'server.json',
          title: 'A server',
          commandLine: ['quiet', 'splash'],
          hidepid: true,
          disk: { table: 'gpt', partitions: installedPartitions },
          partitionScripts: [
            { source: 'beside/one', arguments: 'a  b' },
            { source: 'beside/two', arguments: '' },
          ],
          artifact: { type: 'tar.zst', fileName: 'server.tar.zst' },
        },
      ],
      answers: 'disk /dev/sda\n',
    },
    boot: { type: 'none', commandLine: ['quiet', 'console=ttyS0'] },
  });
  return { ...image, localFiles };
}

/** What a script of the image tools prints; the medium is small.iso in its directory. */
async function examine(script: string): Promise<string> {
  const { status, stdout, stderr } = await ports.run({
    argv: ['bash', '-c', `set -euo pipefail; cd /images; ${script}`],
    layers: [tools],
    mounts: [{ source: first, target: '/images', writable: false }],
    environment: { PATH: '/usr/bin:/usr/sbin', TZ: 'UTC', LC_ALL: 'C', MTOOLS_SKIP_CHECK: '1' },
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
  return stdout;
}

/** 4096 bytes as zstd keeps what it can't make smaller (RFC 8878). */
function packed(): Buffer {
  const header = [0x28, 0xb5, 0x2f, 0xfd, 0x60, ...[0x00, 0x0f], ...[0x01, 0x80, 0x00]];
  return Buffer.from([...header, ...new Array<number>(4096).fill(7)]);
}

function placed(text: string | Buffer) {
  const path = join(temporaryDirectory('beside'), 'file');
  writeFileSync(path, text);
  return { path, sha256: sha256(text) };
}

const take = (path: string) => `xorriso -osirrox on -indev small.iso -extract ${path} /tmp/taken 2> /dev/null`;

describe.skipIf(!hasRpmbuild())('ISO images', () => {
  let rpms: ImageRpm[];

  beforeAll(async () => {
    tools = await imageToolsRoot(host);
    ports = { ...makePorts(host, makeToolRoot()), imageTools: () => Promise.resolve(tools) };
    localFiles = {
      'beside/meta': placed('instance-id: one\n'),
      'beside/user': placed('#cloud-config\n'),
      'beside/one': placed('#!/bin/sh\n'),
      'beside/two': placed('two\n'),
      [rootKey('server')]: placed(packed()),
      [sbomKey('server')]: placed(JSON.stringify({ documentNamespace: 'urn:uuid:one' })),
    };
    rpms = [...(await buildRpms(baseSpec(), EPOCH)), ...(await buildRpms(mediumSpec(), EPOCH))];
    const made = request(rpms);
    await buildImage(host, ports, made);
    first = made.outputDirectory;
  }, 5 * MINUTE);
  afterAll(removeTemporaryDirectories);

  it('are the same twice', async () => {
    const made = request(rpms);
    await buildImage(host, ports, made);
    const sums = (directory: string) => readFileSync(join(directory, 'SHA256SUMS'), 'utf8');
    expect(sums(made.outputDirectory)).toBe(sums(first));
  });

  it('start with a BIOS and with UEFI, as a CD and as a disk', async () => {
    const report = await examine('xorriso -indev small.iso -report_el_torito plain -report_system_area plain 2>&1');
    expect(report).toMatch(/^Volume id +: 'SMALL_MEDIUM'$/m);
    expect(report).toMatch(/^El Torito boot img : +1 +BIOS +y +none/m);
    expect(report).toMatch(/^El Torito boot img : +2 +UEFI +y +none/m);
    expect(report).toMatch(/^System area summary: .*grub2-mbr.* GPT$/m);
    expect(await examine('sfdisk --json small.iso')).toContain('C12A7328-F81F-11D2-BA4B-00A0C93EC93B');
    const offset = Number(/^El Torito boot img : +2 .* (\d+)$/m.exec(report)![1]) * 2048;
    const loader = `mtype -i small.iso@@${offset} ::/EFI/BOOT/BOOTX64.EFI`;
    expect(await examine(loader)).toMatch(/^ *-d \/usr\/lib\/grub\/x86_64-efi -O x86_64-efi .* iso9660 /);
  });

  it('hold the root and what finds it', async () => {
    const files = (await examine('xorriso -indev small.iso -find / -type f 2> /dev/null')).trim().split('\n').sort();
    const [system] = files.filter((path) => path.includes('squashfs')).map((path) => path.slice(1, -1));
    expect(system).toMatch(/^\/live\/[0-9a-f]{32}\.squashfs$/);
    expect(files.filter((path) => !path.includes(system!))).toEqual([
      "'/boot/grub2/eltorito.img'",
      "'/boot/grub2/grub.cfg'",
      "'/boot/initrd.img'",
      "'/boot/vmlinuz'",
      "'/installer/answers'",
      "'/systems/server/description'",
      "'/systems/server/root.tar.zst'",
      "'/systems/server/scripts/1'",
      "'/systems/server/scripts/2'",
      "'/systems/server/server.spdx.json'",
    ]);
    expect(await examine(`${take(system!)}; unsquashfs -lln /tmp/taken`)).toContain('/usr/lib/os-release');
    const menu = await examine(`${take('/boot/grub2/grub.cfg')}; cat /tmp/taken`);
    expect(menu).toContain('  linux /boot/vmlinuz quiet console=ttyS0\n');
    expect(menu).toContain('serial --unit=0 --speed=115200\n');
    const initrd = await examine(`${take('/boot/initrd.img')}; zstd -dc /tmp/taken | cpio --quiet --list --verbose`);
    expect(initrd).toMatch(/^-rwxr-xr-x +1 root +root .* init$/m);
    expect(initrd).toMatch(/ usr\/bin\/mount$/m);
    expect(initrd).toMatch(/ lib64 -> usr\/lib64$/m);
    expect(initrd).toMatch(/libmount\.so\.1$/m);
    const script = await examine(`${take('/boot/initrd.img')}; zstd -dc /tmp/taken | cpio --quiet --to-stdout -i init`);
    expect(script).toContain(`file='${system}'\n`);
  });

  it('hold the systems that they install, and answers', async () => {
    const text = (path: string) => examine(`${take(path)}; cat /tmp/taken`);
    expect(await text('/installer/answers')).toBe('disk /dev/sda\n');
    expect(await text('/systems/server/description')).toBe(
      [
        ...['title A server', 'command-line quiet splash', 'hidepid yes', 'table gpt'],
        'partition 1 9 - - partuuid bios,active - - loader',
        "partition 9 0 933ac7e1-2eb4-4f13-b844-0e14e2aef915 ext4 uuid - / defaults Root's own",
        ...['script 1 a  b', 'script 2', 'size-kib 4', ''],
      ].join('\n'),
    );
    expect(await text('/systems/server/scripts/1')).toBe('#!/bin/sh\n');
    expect(await text('/systems/server/scripts/2')).toBe('two\n');
    expect(await examine(`${take('/systems/server/scripts/2')}; stat --format=%A /tmp/taken`)).toBe('-r-xr-xr-x\n');
    const sum = await examine(`${take('/systems/server/root.tar.zst')}; sha256sum < /tmp/taken`);
    expect(sum).toBe(`${localFiles[rootKey('server')]!.sha256}  -\n`);
  });

  it('have a seed beside them, with a label and names that readers look for', async () => {
    expect(await examine('blkid -p -o value -s LABEL seed.iso')).toBe('cidata\n');
    const list = 'xorriso -read_fs $1 -indev seed.iso -find / -type f 2> /dev/null';
    for (const names of ['norock', 'nojoliet'])
      expect(await examine(`set -- ${names}; ${list}`)).toBe("'/meta-data'\n'/user-data'\n");
    const file = (name: string) =>
      `xorriso -osirrox on -indev seed.iso -extract /${name} /tmp/taken 2> /dev/null; cat /tmp/taken`;
    expect(await examine(file('meta-data'))).toBe('instance-id: one\n');
    expect(await examine(file('user-data'))).toBe('#cloud-config\n');
  });

  it('name the systems in their bill of materials', () => {
    const document = JSON.parse(readFileSync(join(first, 'small-medium.spdx.json'), 'utf8')) as Record<string, unknown>;
    const { sha256: checksumValue } = localFiles[sbomKey('server')]!;
    expect(document['externalDocumentRefs']).toEqual([
      {
        externalDocumentId: 'DocumentRef-server',
        spdxDocument: 'urn:uuid:one',
        checksum: { algorithm: 'SHA256', checksumValue },
      },
    ]);
    expect(document['relationships']).toContainEqual({
      spdxElementId: 'SPDXRef-Image',
      relationshipType: 'CONTAINS',
      relatedSpdxElement: 'DocumentRef-server:SPDXRef-Image',
    });
  });

  it('have answers that their installer understands', async () => {
    const made = request(rpms);
    const { installer } = made.definition;
    const wrong = {
      ...made,
      definition: { ...made.definition, installer: { ...installer!, answers: 'dsk /dev/sda\n' } },
    };
    await expect(buildImage(host, ports, wrong)).rejects.toThrow(
      /^small-medium: it can not install: [^]*dsk is wrong$/,
    );
  });

  it('need a kernel and the programs that start a system', async () => {
    const other = await buildRpms(mediumSpec({ without: ['switch_root'] }), EPOCH);
    await expect(buildImage(host, ports, request([rpms[0]!, ...other]))).rejects.toThrow(
      "a system on an ISO image needs the program 'switch_root', which no package of it has",
    );
    await expect(buildImage(host, ports, request([rpms[0]!]))).rejects.toThrow('there is no /boot/vmlinuz-*');
  });
});
