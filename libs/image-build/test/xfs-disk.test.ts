/** XFS file systems of a root with everything that is hard to keep, looked at with xfsprogs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHost } from '@kiln/host';
import type { ImageArtifact, PartitionDefinition } from '@kiln/image-config';
import { memoryPlace } from '@kiln/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runScript, type ImageStage } from '../src/image-stage.ts';
import { buildImage, type ImagePorts, type ImageRequest, type ImageRpm } from '../src/index.ts';
import { makeXfs } from '../src/make-xfs.ts';
import { imageToolsRoot } from './image-tools.ts';
import { noCustomization } from './no-customization.ts';
import { EPOCH, failure, smallImage } from './small-image.ts';
import { baseSpec, richSpec, specWith } from './test-packages.ts';
import { buildRpms, hasRpmbuild, makePorts, makeToolRoot, removeTemporaryDirectories } from './tool-root.ts';
import { parseXfs, readXfsScript, type XfsInode } from './xfs-reader.ts';

const MINUTE = 60_000;
const MIB = 1_048_576;
const UUID = '0f1e2d3c-4b5a-4697-8877-665544332211';
const label = (type: string) => `system_u:object_r:${type}_t:s0`;
const POLICY = [
  `/.* ${label('default')}`,
  `/ -d ${label('root')}`,
  `/usr/bin(/.*)? ${label('bin')}`,
  '/srv/none <<none>>',
];

const oddSpec = specWith(
  'odd',
  'Requires(post): base',
  '%install',
  'mkdir -p %{buildroot}/etc/selinux/mini/contexts/files %{buildroot}/srv/many %{buildroot}/srv/group/below "%{buildroot}/srv/a b"',
  "printf 'SELINUX=disabled\\nSELINUXTYPE=mini\\n' > %{buildroot}/etc/selinux/config",
  `printf '%%s\\n' '${POLICY.join("' '")}' > %{buildroot}/etc/selinux/mini/contexts/files/file_contexts`,
  'cd %{buildroot}/srv',
  'touch none -- -dash ":colon" "$" "q\\"uote" back\\\\slash über; mkdir :directory; echo deep > :directory/deep',
  'echo spaced > "a b/c  d"; ln "a b/c  d" zz; ln zz ":zz"; ln -s "a b/c  d" to; ln -s :colon tocolon',
  'for number in $(seq 700); do echo $number > many/file-with-a-long-name-$number; done',
  'seq 300000 > large; touch --date=1999-12-31T23:59:58Z large',
  '%files',
  '/etc/selinux',
  '/srv',
  '%dir %attr(2775,root,service) /srv/group',
  '%dir %attr(0755,root,root) /srv/group/below',
);

const host = createHost();
let ports: ImagePorts;
let tools: string;
let rpms: ImageRpm[];

const partition = (id: string, startMiB: number, endMiB: number, more: object): PartitionDefinition => ({
  ...{
    id,
    name: 'a long name',
    isActive: false,
    startMiB,
    endMiB,
    identifier: 'uuid',
    artifacts: [],
    fileSystem: 'xfs',
  },
  ...more,
});
const mount = (point: string) => ({ point, options: 'defaults' });
const artifacts: ImageArtifact[] = [{ type: 'xfs', fileName: 'odd.xfs' }];

function request(endMiB = 301): ImageRequest {
  const root = { mount: mount('/'), artifacts: [{ type: 'xfs', fileName: 'root.xfs' } as const] };
  const bare = { artifacts: [{ type: 'raw', fileName: 'bare.raw' } as const] };
  return smallImage(rpms, {
    name: 'odd',
    artifacts,
    disk: {
      table: 'gpt',
      sizeMiB: endMiB + 301,
      partitions: [partition('root', 1, endMiB, root), partition('bare', endMiB, endMiB + 300, bare)],
    },
    customization: { ...noCustomization, selinux: 'enforcing' },
  });
}

async function examine(directory: string, script: string): Promise<string> {
  const { status, stdout, stderr } = await ports.run({
    argv: ['bash', '-c', `set -euo pipefail; cd /images; ${script}`],
    layers: [tools],
    mounts: [{ source: directory, target: '/images', writable: false }],
    environment: { PATH: '/usr/bin:/usr/sbin', TZ: 'UTC', LC_ALL: 'C' },
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
  return stdout;
}

describe.skipIf(!hasRpmbuild())('XFS file systems', () => {
  let made: ImageRequest;
  let found: Map<string, XfsInode>;

  beforeAll(async () => {
    tools = await imageToolsRoot(host);
    ports = { ...makePorts(host, makeToolRoot()), imageTools: () => Promise.resolve(tools) };
    rpms = [];
    for (const spec of [baseSpec(), richSpec, oddSpec]) rpms.push(...(await buildRpms(spec, EPOCH)));
    made = request();
    await buildImage(host, ports, made);
    found = parseXfs(await examine(made.outputDirectory, readXfsScript('root.xfs')));
  }, 5 * MINUTE);
  afterAll(removeTemporaryDirectories);

  it.each<[string, Record<string, string>]>([
    ['', { 'core.mode': '040755', 'a.sfattr.list[0].value': `"${label('root')}"` }],
    ['tmp', { 'core.mode': '041777' }],
    ['srv/group', { 'core.mode': '042775', 'core.uid': '0', 'core.gid': '78', 'core.nlinkv2': '3' }],
    ['srv/group/below', { 'core.mode': '040755', 'core.gid': '0', 'core.nlinkv2': '2' }],
    ['var/lib/rich/secret', { 'core.mode': '0100600', 'core.uid': '77', 'core.gid': '78', 'core.size': '7' }],
    ['srv/large', { 'core.mtime.sec': 'Fri Dec 31 23:59:58 1999', 'core.atime.sec': 'Tue Nov 14 22:13:20 2023' }],
    ['srv/none', { 'core.forkoff': '0' }],
    ['srv/über', { 'core.mtime.sec': 'Tue Nov 14 22:13:20 2023', 'v3.crtime.sec': 'Tue Nov 14 22:13:20 2023' }],
    ['srv/a b', { 'core.mode': '040755' }],
    ['srv/:directory', { 'core.mode': '040755', 'core.nlinkv2': '2' }],
    ['srv/:directory/deep', { 'core.size': '5' }],
    ['srv/many', { 'core.format': '2 (extents)', 'core.nlinkv2': '2' }],
    ['srv/to', { 'core.mode': '0120777', 'u3.symlink': '"a b/c  d"' }],
    ['srv/tocolon', { 'u3.symlink': '":colon"', 'core.mtime.sec': 'Tue Nov 14 22:13:20 2023' }],
    ['usr/bin/link', { 'u3.symlink': '"capable"', 'a.sfattr.list[0].value': `"${label('bin')}"` }],
  ])('keep /%s', (path, expected) => {
    expect(found.get(path)).toMatchObject(expected);
  });

  it('keep capabilities beside labels, and all names of a file', async () => {
    const twin = found.get('usr/bin/capable') ?? found.get('usr/bin/twin');
    expect(twin).toMatchObject({
      'core.mode': '0104755',
      'core.nlinkv2': '2',
      'a.sfattr.list[0].name': '"capability"',
      'a.sfattr.list[0].valuelen': '20',
      'a.sfattr.list[1].name': '"selinux"',
    });
    const list = async (path: string) => {
      const rows = await examine(made.outputDirectory, `xfs_db -r -c 'ls ${path}' root.xfs`);
      const names = [...rows.matchAll(/^\d+ +(\d+) +(\w+) +0x\w+ +\d+ (.*) \(good\)$/gm)];
      return new Map(names.map(([, inode, type, name]) => [name, `${type} ${inode}`]));
    };
    const names = await list('/srv');
    const [file, directory] = [names.get('zz'), names.get(':directory')];
    expect([file, directory]).toEqual([
      expect.stringMatching(/^regular \d+$/),
      expect.stringMatching(/^directory \d+$/),
    ]);
    expect(names.get(':zz')).toBe(file);
    expect(names.size).toBe(2 + 16);
    const spaced = await examine(
      made.outputDirectory,
      `xfs_db -r -c 'inode ${names.get('a b')!.slice(10)}' -c ls root.xfs`,
    );
    expect(spaced).toContain(` ${file!.slice(8)} `);
    expect((await list('/srv/many')).size).toBe(2 + 700);
    expect((await list('/usr/bin')).get('twin')).toBe((await list('/usr/bin')).get('capable'));
  });

  it('keep what is in files', async () => {
    const [, block] = /^0:\[0,(\d+),486,0\]$/.exec(found.get('srv/large')!['extents']!)!;
    const script = `
      place=$(xfs_db -r -c 'fsblock ${block}' -c daddr root.xfs | grep -o '[0-9]*$')
      dd if=root.xfs iflag=skip_bytes,count_bytes skip=$((place * 512)) count=1988895 bs=1M status=none | sha256sum; seq 300000 | sha256sum`;
    const [inImage, expected] = (await examine(made.outputDirectory, script)).split('\n');
    expect(inImage).toBe(expected);
  });

  it('are sound, and called as the definition says', async () => {
    for (const file of ['root.xfs', 'bare.raw', 'odd.xfs'])
      await examine(made.outputDirectory, `xfs_repair -n ${file}`);
    const said = await examine(
      made.outputDirectory,
      "xfs_db -r -c 'sb 0' -c 'print fname uuid sectsize dblocks' root.xfs",
    );
    expect(said).toMatch(/^fname = "a_long_name\\000"\nuuid = [0-9a-f-]{36}\nsectsize = 4096\ndblocks = 76800\n$/);
  });

  it('are the same twice, in memory as on a disk', { timeout: 2 * MINUTE }, async () => {
    const again = request();
    const inMemory = { ...makePorts(host, makeToolRoot(), await memoryPlace(200 * MIB)), imageTools: ports.imageTools };
    await buildImage(host, inMemory, again);
    const sums = (directory: string) => readFileSync(join(directory, 'SHA256SUMS'), 'utf8').split('\n');
    expect(sums(again.outputDirectory)).toEqual(sums(made.outputDirectory));
  });

  it('say when they are too small', { timeout: 2 * MINUTE }, async () => {
    const huge = specWith(
      'huge',
      'Requires: base',
      '%install',
      'mkdir -p %{buildroot}/srv',
      'truncate -s 250M %{buildroot}/srv/huge',
      '%files',
      '/srv/huge',
    );
    const all = [...rpms, ...(await buildRpms(huge, EPOCH))];
    const error = await failure(buildImage(host, ports, { ...request(), rpms: all }));
    expect(error.code).toBe('PARTITION_TOO_SMALL');
    expect(error.message).toContain("'root'");
  });

  describe('of a directory', () => {
    const PYTHON = 'import os, socket, struct\n';
    const acl =
      "struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *one) for one in [(1, 6, 0xffffffff), (2, 4, 77), (4, 4, 0xffffffff), (16, 4, 0xffffffff), (32, 4, 0xffffffff)])";

    /** Makes one of what the program makes in /image. */
    async function make(program: string): Promise<ImageStage> {
      const directory = (name: string) => ports.makeWorkDirectory(name);
      const directories = { root: await directory('root'), output: await directory('output'), packages: '/nowhere' };
      const stage: ImageStage = { ports, directories, request: request() };
      const script = `cd /image; python3 -c "$1"; chmod 755 .; touch --date=@${EPOCH} .`;
      const step = { failure: 'no files', code: 'TEST', tools: 'image-tools', changesRoot: true } as const;
      await runScript(stage, { ...step, script, words: [PYTHON + program] });
      const names = { file: 'made.xfs', content: '/image', label: '', uuid: UUID, seed: UUID };
      await makeXfs(stage, { ...names, sizeBytes: 300 * MIB, step: { failure: 'failed', code: 'TEST' } });
      return stage;
    }

    it.each([
      ['a socket', "socket.socket(socket.AF_UNIX).bind('talk')", '"/talk" can\'t be in'],
      [
        'an access control list',
        `open('shared', 'w').close(); os.setxattr('shared', 'system.posix_acl_access', ${acl})`,
        '"/shared" can\'t be in an XFS file system: it has an access control list',
      ],
    ])('refuse %s', async (_, program, message) => {
      const error = await failure(make(program));
      expect(error.code).toBe('IMAGE_FILE_IMPOSSIBLE');
      expect(error.message).toContain(message);
    });

    it('have no holes, wherever the files had them', { timeout: MINUTE }, async () => {
      const stage = await make("os.truncate(open('holes', 'w').name, 1000000)");
      const inodes = parseXfs(await examine(stage.directories.output, readXfsScript('made.xfs')));
      expect(inodes.get('holes')).toMatchObject({ 'core.size': '1000000', 'core.nblocks': '245' });
    });
  });
});
