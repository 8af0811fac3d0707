/** Images from end to end: by a user without rights and by root alike; everything that goes wrong is one error and leaves nothing. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { kiln, kilnCommand, run, start, type Ran } from './run-kiln.ts';
import { edit, makeSmallTree, restore, write, commit } from './small-tree.ts';
import { shareImageTools } from './test-store.ts';
import { UnprivilegedUser } from './unprivileged-user.ts';
import { useSmallTree } from './use-small-tree.ts';

const MINUTE = 60_000;
const IMAGES = ['tiny', 'disk'];
const DISK = 'imageconfigs/disk.json';
const tree = useSmallTree();

beforeAll(async () => {
  await shareImageTools(tree.store);
  addDisk(tree.root);
  commit(tree, 'A disk');
  const { status, output } = await kiln(tree, 'rpm', 'alone');
  expect(status, output).toBe(0);
}, 10 * MINUTE);

afterEach(() => {
  restore(tree);
  rmSync(join(tree.root, 'dist/images'), { recursive: true, force: true });
});

function addDisk(root: string): void {
  const definition = {
    Disks: [
      {
        PartitionTableType: 'gpt',
        MaxSize: 32,
        Artifacts: [{ Type: 'qcow2' }, { Type: 'raw', Compression: 'zst' }],
        Partitions: [
          { ID: 'esp', FsType: 'vfat', Flags: ['esp'], Start: 1, End: 9 },
          { ID: 'root', FsType: 'ext4', Start: 9, End: 0 },
        ],
      },
    ],
    SystemConfigs: [
      {
        Name: 'Disk',
        BootType: 'none',
        Packages: ['alone'],
        AdditionalFiles: { 'files/motd': '/etc/motd' },
        PartitionSettings: [
          { ID: 'esp', MountPoint: '/efi' },
          { ID: 'root', MountPoint: '/' },
        ],
      },
    ],
  };
  write(root, DISK, `${JSON.stringify(definition, undefined, 2)}\n`);
  write(root, 'imageconfigs/files/motd', 'Welcome\n');
  write(root, 'imageconfigs/files/large', 'x'.repeat(4_000_000));
}

function expectNothingLeft(store = tree.store): void {
  for (const place of ['work', 'tmp']) {
    const found = existsSync(join(store, place)) ? readdirSync(join(store, place)) : [];
    expect(found, place).toEqual([]);
  }
  expect(existsSync(join(tree.root, 'dist/images/x86_64/disk'))).toBe(false);
}

/** The lines that begin with `error`, with or without a place before it. */
function errorsOf({ output }: Ran): string[] {
  return output.split('\n').filter((line) => /^(\S+:\d+(:\d+)?: )?error [A-Z_]+: /.test(line));
}

test.each<[string, (text: string) => string, RegExp]>([
  [
    'an unknown member',
    (text) => text.replace('"FsType"', '"FsTyp"'),
    /disk\.json:\d+:\d+: error IMAGE_CONFIG_INVALID: .*did you mean 'FsType'/,
  ],
  [
    'partitions that overlap',
    (text) => text.replace('"Start": 9', '"Start": 8'),
    /error IMAGE_CONFIG_INVALID: .*'root'.* overlaps 'esp'/,
  ],
  [
    'a partition that is too small',
    (text) => text.replace('"MaxSize": 32', '"MaxSize": 12').replace('files/motd', 'files/large'),
    /error PARTITION_TOO_SMALL: .*'root'/,
  ],
  ['a missing file', (text) => text.replace('files/motd', 'files/moti'), /error [A-Z_]+: .*files\/moti/],
  [
    'a package that is not there',
    (text) => text.replace('"alone"', '"alon"'),
    /disk\.json:\d+:\d+: error IMAGE_PACKAGE_UNKNOWN: .*'alon'/,
  ],
  [
    'a script without a shell',
    (text) => text.replace('"BootType"', '"PostInstallScripts": [{ "Path": "files/motd" }], "BootType"'),
    /error IMAGE_SCRIPT_FAILED: .*files\/motd/,
  ],
])('%s', { timeout: 2 * MINUTE }, async (_, change, words) => {
  edit(tree, DISK, change);
  const ran = await kiln(tree, 'image', 'disk');
  expect(ran.status, ran.output).toBe(1);
  expect(errorsOf(ran), ran.output).toHaveLength(1);
  expect(errorsOf(ran)[0]).toMatch(words);
  expectNothingLeft();
});

test('an interrupt in the middle', { timeout: 2 * MINUTE }, async () => {
  const running = start(tree, kilnCommand('image', 'disk'));
  // On the disk or in memory.
  const places = [join(tree.store, 'work'), `/dev/shm/kiln-${process.getuid!()}`];
  const works = () =>
    places
      .flatMap((place) => (existsSync(place) ? readdirSync(place) : []))
      .filter((name) => name.includes(`-${running.pid}-`));
  while (!works().some((name) => name.startsWith('image-disk-')))
    await new Promise((resolve) => setTimeout(resolve, 20));
  process.kill(-running.pid, 'SIGINT');
  const ran = await running.ended;
  expect(ran.status, ran.output).toBe(130);
  expect(works()).toEqual([]);
  expectNothingLeft();
});

test.runIf(process.getuid?.() === 0)('a full disk', { timeout: 3 * MINUTE }, async () => {
  write(tree.root, 'imageconfigs/files/motd', '');
  execFileSync('dd', [
    'if=/dev/urandom',
    `of=${join(tree.root, 'imageconfigs/files/motd')}`,
    'bs=1M',
    'count=16',
    'status=none',
  ]);
  const small = join(tree.directory, 'small');
  const script = [
    'set -e',
    `mkdir ${small}`,
    `mount -t tmpfs -o size=24m,mode=755 tmpfs ${small}`,
    `cd ${tree.store}`,
    `for each in *; do case $each in layers) ;; work|tmp) ;; *) cp -a "$each" ${small}/ ;; esac; done`,
    `mkdir ${small}/layers`,
    `mount --bind layers ${small}/layers`,
    `cd ${tree.root}`,
    'status=0',
    `KILN_STORE=${small} ${kilnCommand('image', 'disk').join(' ')} || status=$?`,
    `echo "left: $(ls ${small}/work ${small}/tmp | grep -v : | tr -d '\\n')."`,
    'exit $status',
  ].join('\n');
  const ran = await run(tree, ['unshare', '--mount', 'sh', '-c', script]);
  expect(ran.status, ran.output).toBe(1);
  expect(errorsOf(ran), ran.output).toHaveLength(1);
  expect(errorsOf(ran)[0]).toMatch(/error (NO_SPACE|DISK_FULL): /);
  expect(ran.output).toContain('left: .');
});

test('a user without rights makes the same images as root, elsewhere', { timeout: 5 * MINUTE }, async () => {
  const sums = (root: string) =>
    IMAGES.map((name) => readFileSync(join(root, 'dist/images/x86_64', name, 'SHA256SUMS'), 'utf8'));
  const ran = await kiln(tree, 'image', ...IMAGES);
  expect(ran.status, ran.output).toBe(0);

  const place = join(tree.directory, 'another place');
  const user = new UnprivilegedUser(place);
  const other = makeSmallTree(join(place, 'w'), join(place, 's'));
  addDisk(other.root);
  rmSync(join(other.root, 'node_modules'));
  symlinkSync(join(user.repository, 'node_modules'), join(other.root, 'node_modules'));
  mkdirSync(other.store);
  // The last test: its own store has no further use of them.
  renameSync(join(tree.store, 'layers'), join(other.store, 'layers'));
  user.own(other.root);
  user.own(other.store);
  const command = [process.execPath, join(user.repository, 'libs/cli/bin/kiln.cjs'), 'image', ...IMAGES];
  const again = await run(other, user.command(command));
  user.leave();
  expect(again.status, again.output).toBe(0);
  expect(again.built).toEqual(expect.arrayContaining(['rpm:alone/alone', ...IMAGES.map((name) => `image:${name}`)]));
  expect(sums(other.root)).toEqual(sums(tree.root));
});
