import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, linkSync, lstatSync, lutimesSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { readFileSync, readlinkSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, createHost } from '@kiln/host';
import { packLayer, treeDigest, unpackLayer, walkTree } from '@kiln/store';

const host = createHost();
let place: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'kiln-archive-'));
  chmodSync(place, 0o755);
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const at = (...names: string[]) => join(place, ...names);
const fail = (said: string) => new BuildError('REFUSED', said);

/** A directory that is the build user's, with all in it. */
async function owned(directory: string): Promise<string> {
  const { uid, gid } = await buildUser(host);
  execFileSync('chown', ['--recursive', '--no-dereference', `${uid}:${gid}`, directory]);
  return directory;
}

async function unpack(archive: string, name = 'copy'): Promise<string> {
  mkdirSync(at(name));
  await unpackLayer(host, archive, { directory: at(name), fail });
  return at(name);
}

/** All that an archive keeps of a tree. */
const described = (directory: string) =>
  walkTree(directory).map(({ path, type, stats }) => [
    ...[path, type, stats.mode, stats.uid, stats.gid, stats.mtimeMs, type === 'directory' ? 0 : stats.nlink],
    type === 'link' ? readlinkSync(join(directory, path)) : '',
  ]);

async function makeTree(): Promise<string> {
  const directory = at('layer');
  mkdirSync(join(directory, 'files/usr/bin'), { recursive: true });
  mkdirSync(join(directory, 'files/closed'));
  writeFileSync(join(directory, 'files/usr/bin/tool'), 'tool\n');
  linkSync(join(directory, 'files/usr/bin/tool'), join(directory, 'files/usr/bin/twin'));
  symlinkSync('/usr/bin/tool', join(directory, 'files/link'));
  symlinkSync('../../../outside', join(directory, 'files/usr/dangling'));
  writeFileSync(join(directory, 'files/closed', 'ä name\nwith a line'), 'x'.repeat(70_000));
  writeFileSync(join(directory, `files/${'long'.repeat(60)}`), '');
  await owned(directory);
  chmodSync(join(directory, 'files/usr/bin/tool'), 0o4755);
  chmodSync(join(directory, 'files/closed'), 0o555);
  utimesSync(join(directory, 'files/usr/bin/tool'), 0, 1_234_567_890.123);
  lutimesSync(join(directory, 'files/link'), 0, 987_654_321.5);
  utimesSync(join(directory, 'files/usr'), 0, 42);
  return directory;
}

test('a layer comes out as it went in: modes, links, times', async () => {
  const directory = await makeTree();
  await packLayer(host, directory, at('one.tar.zst'));
  const copy = await unpack(at('one.tar.zst'));
  expect(described(copy)).toEqual(described(directory));
  expect(treeDigest(copy)).toBe(treeDigest(directory));
  expect(lstatSync(copy)).toMatchObject({ uid: process.getuid!(), mode: 0o40755 });
});

test('the same layer, also after it was carried, gives the same archive', async () => {
  await packLayer(host, await makeTree(), at('one.tar.zst'));
  await packLayer(host, await unpack(at('one.tar.zst')), at('two.tar.zst'));
  expect(readFileSync(at('two.tar.zst')).equals(readFileSync(at('one.tar.zst')))).toBe(true);
});

test.runIf(process.getuid!() === 0)('files of others are not packed', async () => {
  const directory = await makeTree();
  writeFileSync(join(directory, 'files/foreign'), '');
  await expect(packLayer(host, directory, at('one.tar.zst'))).rejects.toMatchObject({
    code: 'LAYER_NOT_PACKED',
    message: expect.stringContaining("files/foreign doesn't belong to the build user"),
  });
});

interface Member {
  readonly name: string;
  /** As in the header: 0 a file, 1 a hard link, 2 a link, 3 a device, 6 a pipe, x what is more to say of the next one. */
  readonly type?: string;
  readonly link?: string;
  readonly content?: string;
}

/** An archive with these members, whatever they are (POSIX.1-2017, pax, "ustar Interchange Format"). */
function forge(members: readonly Member[]): string {
  const blocks = members.flatMap(({ name, type = '0', link = '', content = '' }) => {
    const header = Buffer.alloc(512);
    const put = (text: string, offset: number) => header.write(text, offset, 'latin1');
    put(name, 0);
    put('0000644', 100);
    put('0000000', 108);
    put('0000000', 116);
    put(content.length.toString(8).padStart(11, '0'), 124);
    put('00000000000', 136);
    put(' '.repeat(8), 148);
    put(type, 156);
    put(link, 157);
    put('ustar\u000000', 257);
    if (type === '3') put('0000001\u00000000003', 329);
    put(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0`,
      148,
    );
    return [header, Buffer.from(content.padEnd(Math.ceil(content.length / 512) * 512, '\0'))];
  });
  writeFileSync(at('forged.tar'), Buffer.concat([...blocks, Buffer.alloc(1024)]));
  execFileSync('zstd', ['--quiet', '--force', at('forged.tar')]);
  return at('forged.tar.zst');
}

test('attributes of files are carried', async () => {
  const record = '27 SCHILY.xattr.user.a=kept\n';
  const copy = await unpack(
    forge([
      { name: 'x', type: 'x', content: `${record.length}${record.slice(2)}` },
      { name: 'file', content: 'a' },
    ]),
  );
  await packLayer(host, copy, at('again.tar.zst'));
  expect(execFileSync('zstd', ['-dc', at('again.tar.zst')], { encoding: 'latin1' })).toContain(
    'SCHILY.xattr.user.a=kept\n',
  );
});

describe('leaves nothing outside:', () => {
  /** What lies around the directory that is unpacked into; everybody may write there. */
  const around = () => {
    mkdirSync(at('victim'));
    writeFileSync(at('victim', 'file'), 'untouched');
    for (const one of [at('victim'), at('victim', 'file'), place]) chmodSync(one, 0o777);
  };
  const content = 'intruder';

  test.each([
    ['a path with ..', () => [{ name: '../victim/new', content }]],
    ['a path with .. inside', () => [{ name: 'files/../../victim/new', content }]],
    [
      'a link, then a file through it',
      () => [
        { name: 'files', type: '2', link: at('victim') },
        { name: 'files/new', content },
      ],
    ],
    [
      'a relative link, then a file through it',
      () => [
        { name: 'files', type: '2', link: '../victim' },
        { name: 'files/new', content },
      ],
    ],
    [
      'a link to a file, then that file',
      () => [
        { name: 'files', type: '2', link: at('victim/file') },
        { name: 'files', content },
      ],
    ],
    [
      'a hard link to a file outside, then that file',
      () => [
        { name: 'files', type: '1', link: '../victim/file' },
        { name: 'files', content },
      ],
    ],
    ['a device', () => [{ name: 'null', type: '3' }]],
    ['a pipe', () => [{ name: 'pipe', type: '6' }]],
  ])('%s is refused', async (_, members) => {
    around();
    await expect(unpack(forge(members()))).rejects.toMatchObject({ code: 'REFUSED' });
    expect(readdirSync(at('victim'))).toEqual(['file']);
    expect(readFileSync(at('victim', 'file'), 'utf8')).toBe('untouched');
    expect(lstatSync(at('victim', 'file')).nlink).toBe(1);
  });

  test('an absolute path lies below', async () => {
    around();
    const copy = await unpack(forge([{ name: at('victim/new'), content }]));
    expect(existsSync(at('victim/new'))).toBe(false);
    expect(readFileSync(join(copy, at('victim/new')), 'utf8')).toBe(content);
  });
});

test.each([
  ['half an archive', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
  ['an archive with another byte', (bytes: Buffer) => (bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40), bytes)],
  ['something else', () => Buffer.from('no archive')],
])('%s is refused', async (_, change) => {
  await packLayer(host, await makeTree(), at('one.tar.zst'));
  writeFileSync(at('changed.tar.zst'), change(readFileSync(at('one.tar.zst'))));
  await expect(unpack(at('changed.tar.zst'))).rejects.toMatchObject({ code: 'REFUSED' });
});
