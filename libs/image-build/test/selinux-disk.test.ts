/** Labels of a tiny policy of our own, in file systems that are looked at with e2fsprogs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHost } from '@kiln/host';
import type { ImageArtifact, PartitionDefinition } from '@kiln/image-config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, type ImagePorts, type ImageRequest, type ImageRpm } from '../src/index.ts';
import { labelCommands, labelContexts } from '../src/selinux-attributes.ts';
import { imageToolsRoot } from './image-tools.ts';
import { noCustomization } from './no-customization.ts';
import { EPOCH, smallImage } from './small-image.ts';
import { baseSpec, specWith } from './test-packages.ts';
import { buildRpms, hasRpmbuild, makePorts, makeToolRoot, removeTemporaryDirectories } from './tool-root.ts';

const MINUTE = 60_000;
const MIB = 1_048_576;
const label = (type: string) => `system_u:object_r:${type}_t:s0`;
const POLICY = [
  `/.* ${label('default')}`,
  `/ -d ${label('root')}`,
  `/lost\\+found -d ${label('lost')}`,
  `/usr/bin(/.*)? ${label('bin')}`,
  `/srv(/.*)? ${label('srv')}`,
  `/srv/lost\\+found -d ${label('lost')}`,
  '/srv/none <<none>>',
];

const policySpec = specWith(
  'policy',
  'Requires(post): base',
  '%install',
  'mkdir -p %{buildroot}/etc/selinux/mini/contexts/files "%{buildroot}/srv/a b"',
  "printf 'SELINUX=disabled\\nSELINUXTYPE=mini\\n' > %{buildroot}/etc/selinux/config",
  `printf '%%s\\n' '${POLICY.join("' '")}' > %{buildroot}/etc/selinux/mini/contexts/files/file_contexts`,
  `touch '%{buildroot}/srv/a b/quote"d' %{buildroot}/srv/none`,
  '%files',
  '/etc/selinux',
  '/srv',
);

const host = createHost();
let ports: ImagePorts;
let tools: string;
let rpms: ImageRpm[];

const partition = (id: string, startMiB: number, endMiB: number, point: string): PartitionDefinition => ({
  id,
  name: '',
  isActive: false,
  startMiB,
  endMiB,
  artifacts: [],
  fileSystem: 'ext4',
  mount: { point, options: 'defaults' },
  identifier: 'uuid',
});

function request(artifacts: readonly ImageArtifact['type'][]): ImageRequest {
  return smallImage(rpms, {
    name: 'labelled',
    artifacts: artifacts.map((type) => ({ type, fileName: `labelled.${type}` })),
    disk: { table: 'gpt', sizeMiB: 48, partitions: [partition('root', 1, 33, '/'), partition('srv', 33, 47, '/srv')] },
    customization: { ...noCustomization, selinux: 'enforcing' },
  });
}

/** What debugfs says of the attribute of a file in a file system. */
async function labelIn(directory: string, image: string, path: string): Promise<string> {
  const { stdout } = await ports.run({
    argv: ['debugfs', '-R', `ea_get ${path} security.selinux`, `/images/${image}`],
    layers: [tools],
    mounts: [{ source: directory, target: '/images', writable: false }],
    environment: { PATH: '/usr/bin:/usr/sbin', LC_ALL: 'C' },
  });
  return /"(.*)"/.exec(stdout)?.[1] ?? 'none';
}

describe.skipIf(!hasRpmbuild())('labels of a policy', () => {
  let made: ImageRequest;

  beforeAll(async () => {
    tools = await imageToolsRoot(host);
    ports = { ...makePorts(host, makeToolRoot()), imageTools: () => Promise.resolve(tools) };
    rpms = [...(await buildRpms(baseSpec(), EPOCH)), ...(await buildRpms(policySpec, EPOCH))];
    made = request(['raw', 'ext4']);
    await buildImage(host, ports, made);
  }, 5 * MINUTE);
  afterAll(removeTemporaryDirectories);

  it.each<[string, string, string]>([
    [`labelled.raw?offset=${MIB}`, '/', label('root')],
    [`labelled.raw?offset=${MIB}`, '/usr/bin/bash', label('bin')],
    [`labelled.raw?offset=${MIB}`, '/bin', label('default')],
    [`labelled.raw?offset=${MIB}`, '/etc/selinux/config', label('default')],
    [`labelled.raw?offset=${MIB}`, '/lost+found', label('lost')],
    [`labelled.raw?offset=${MIB}`, '/srv', label('srv')],
    [`labelled.raw?offset=${33 * MIB}`, '/', label('srv')],
    [`labelled.raw?offset=${33 * MIB}`, '"/a b/quote""d"', label('srv')],
    [`labelled.raw?offset=${33 * MIB}`, '/none', 'none'],
    [`labelled.raw?offset=${33 * MIB}`, '/lost+found', label('lost')],
    ['labelled.ext4', '/srv/none', 'none'],
    ['labelled.ext4', '/usr/bin/sh', label('bin')],
  ])('%s: %s has %s', async (image, path, expected) => {
    expect(await labelIn(made.outputDirectory, image, path)).toBe(expected);
  });

  it('are the same twice, in file systems without faults', { timeout: 2 * MINUTE }, async () => {
    const again = request(['raw', 'ext4']);
    await buildImage(host, ports, again);
    const sums = (directory: string) => readFileSync(join(directory, 'SHA256SUMS'), 'utf8');
    expect(sums(again.outputDirectory)).toBe(sums(made.outputDirectory));
    const { status, stdout } = await ports.run({
      argv: ['e2fsck', '-f', '-n', '/images/labelled.ext4'],
      layers: [tools],
      mounts: [{ source: made.outputDirectory, target: '/images', writable: false }],
      environment: { PATH: '/usr/bin:/usr/sbin', LC_ALL: 'C' },
    });
    expect(status, stdout).toBe(0);
  });

  it('are in file systems that can only be read', { timeout: 2 * MINUTE }, async () => {
    const other = request(['raw', 'squashfs', 'erofs']);
    const [root, srv] = other.definition.disk!.partitions;
    const disk = { ...other.definition.disk!, partitions: [root!, { ...srv!, fileSystem: 'squashfs' as const }] };
    await buildImage(host, ports, { ...other, definition: { ...other.definition, disk } });
    const images = other.outputDirectory;
    const expected: Readonly<Record<string, string | undefined>> = {
      '/': label('root'),
      '/usr/bin/bash': label('bin'),
      '/bin': label('default'),
      '/srv/a b/quote"d': label('srv'),
      '/srv/none': undefined,
    };
    const squashfs = await squashfsLabels(images, 'labelled.squashfs', 0);
    const erofs = readFileSync(join(images, 'labelled.erofs'));
    for (const [path, value] of Object.entries(expected)) {
      expect(squashfs.get(path), path).toBe(value);
      expect(erofsLabel(erofs, await erofsInode(images, path)), path).toBe(value);
    }
    const partition = await squashfsLabels(images, 'labelled.raw', 33 * MIB);
    expect([partition.get('/'), partition.get('/a b/quote"d')]).toEqual([label('srv'), label('srv')]);
  });
});

/** As unsquashfs tells them, by path. */
async function squashfsLabels(directory: string, image: string, offset: number): Promise<ReadonlyMap<string, string>> {
  const words = `unsquashfs -offset ${offset} -pf /tmp/all /images/${image} > /dev/null; grep --text ' x ' /tmp/all`;
  const rows = (await look(directory, words)).trim().split('\n');
  const parsed = rows.map((row) => /^(.*) x security\.selinux=(.*)$/.exec(row)!);
  return new Map(parsed.map(([, path, value]) => [`/${path!.replaceAll(/\\(.)/g, '$1')}`.replace('//', '/'), value!]));
}

async function erofsInode(directory: string, path: string): Promise<number> {
  const said = await look(directory, `dump.erofs --path='${path}' /images/labelled.erofs`);
  return Number(/^NID: (\d+)/m.exec(said)![1]);
}

/** The attribute of an inode, read as Linux's documentation of erofs has it: entries behind the inode, or shared ones. */
function erofsLabel(image: Buffer, inode: number): string | undefined {
  const [superblock, block, slot, word, security] = [1024, 4096, 32, 4, 6];
  const at = image.readUInt32LE(superblock + 40) * block + inode * slot;
  const count = image.readUInt16LE(at + 2);
  if (count === 0) return undefined;
  const header = at + ((image.readUInt16LE(at) & 1) === 1 ? 64 : 32);
  const shared = image.readUInt8(header + 4);
  const value = (entry: number) => {
    const [length, index, size] = [image.readUInt8(entry), image.readUInt8(entry + 1), image.readUInt16LE(entry + 2)];
    const name = image.toString('latin1', entry + 4, entry + 4 + length);
    const text = image.toString('latin1', entry + 4 + length, entry + 4 + length + size).replace('\0', '');
    const isLabel = index === security && name === 'selinux';
    return { text: isLabel ? text : undefined, next: entry + Math.ceil((4 + length + size) / word) * word };
  };
  const start = image.readUInt32LE(superblock + 44) * block;
  const ids = Array.from({ length: shared }, (_, one) => image.readUInt32LE(header + 12 + word * one));
  const found = ids.map((id) => value(start + word * id).text);
  const end = header + 12 + word * (count - 1);
  for (let entry = header + 12 + word * shared; entry < end;) {
    const { text, next } = value(entry);
    found.push(text);
    entry = next;
  }
  return found.find((text) => text !== undefined);
}

async function look(directory: string, script: string): Promise<string> {
  const { status, stdout, stderr } = await ports.run({
    argv: ['bash', '-c', script],
    layers: [tools],
    mounts: [{ source: directory, target: '/images', writable: false }],
    environment: { PATH: '/usr/bin:/usr/sbin', LC_ALL: 'C' },
  });
  expect(status, stderr).toBe(0);
  return stdout;
}

describe('labelContexts', () => {
  it('takes signs of expressions for what they are', () => {
    const labels = { files: [{ path: '/a.b c[é]', label: label('a') }], ofDirectory: () => undefined };
    expect(labelContexts(labels, { point: '/', hidden: [] })).toBe(
      `.* <<none>>\n/a\\.b\\x{20}c\\[é\\] ${label('a')}\n`,
    );
  });
});

describe('labelCommands', () => {
  it('refuses a name that no command can have', () => {
    const labels = { files: [{ path: '/a\nb', label: label('a') }], ofDirectory: () => undefined };
    expect(() => labelCommands(labels, { point: '/', hidden: [] })).toThrow("can't be labelled");
    expect(labelCommands(labels, { point: '/srv', hidden: [] })).toBe('');
  });
});
