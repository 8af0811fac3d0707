import { describe, expect, it } from 'vitest';
import { parseInodes, xfsCommands } from '../src/xfs-commands.ts';
import { parseXfsScan, planXfs, type XfsFile } from '../src/xfs-tree.ts';

const PLACES = { content: '/image', copies: '/output/copies' };

let number = 0;
const file = (path: string, more: Partial<XfsFile> = {}): XfsFile => ({
  ...{ path, type: 'f', mode: 0o644, uid: 0, gid: 0, modified: 0n, identity: String((number += 1)), isSparse: false },
  target: '',
  ...more,
});
const root = file('', { type: 'd', mode: 0o755 });

describe('parseXfsScan', () => {
  it('reads every field, in the order of the bytes of paths', () => {
    const fields = [
      ...['f', '4755', '1', '2', '1700000000.0123456789', '5:7', '8', '4097', '', 'b'],
      ...['d', '755', '0', '0', '-5.0000000010', '5:6', '0', '4096', '', ''],
    ];
    expect(parseXfsScan(fields.map((one) => `${one}\0`).join(''))).toEqual([
      expect.objectContaining({ path: '', type: 'd', modified: -4_999_999_999n, isSparse: false }),
      expect.objectContaining({
        path: 'b',
        mode: 0o4755,
        uid: 1,
        gid: 2,
        modified: 1_700_000_000_012_345_678n,
        identity: '5:7',
      }),
    ]);
    expect(
      parseXfsScan(
        fields
          .slice(0, 10)
          .map((one) => `${one}\0`)
          .join(''),
      )[0]!.isSparse,
    ).toBe(true);
    expect(() => parseXfsScan('f\0')).toThrow('find printed 1 fields');
  });
});

describe('planXfs', () => {
  it('makes what a protofile can say, and keeps the rest for later', () => {
    const files = [
      root,
      file('$', { uid: 7, gid: 8 }),
      file('a b', { type: 'd' }),
      file('a b/c', { isSparse: true, identity: 'linked' }),
      file('d', { identity: 'linked' }),
      file('e', { type: 'l', target: 'of e' }),
      file('f', { type: 'p', mode: 0o1600 }),
    ];
    const plan = planXfs(files, PLACES);
    expect(plan.protofile).toBe(
      [
        ...['-', '0 0', 'd--000 0 0', 'kiln-name-0 ---000 7 8 /image/$'],
        ...['a/b d--000 0 0', 'c ---000 0 0 /output/copies/0', '$'],
        ...['e l--000 0 0 xxxx', 'f p--000 0 0', '$', ''],
      ].join('\n'),
    );
    expect(plan.copied).toEqual(['a b/c']);
    const inodes = parseInodes('rootino = 128\n 131 kiln-name-0\n 132 a b/.\n 133 a b/c\n 134 e\n 135 f\n');
    const labels = [{ path: '/d', label: 'u:r:t' }];
    expect(xfsCommands(plan, inodes, labels).split('\n')).toEqual([
      ...['inode 128', 'link -i 131 -- $', 'unlink -- kiln-name-0'],
      ...['inode 128', 'link -i 133 -- d'],
      ...['inode 133', 'attr_set -s selinux u:r:t'],
      ...['inode 128', 'write core.mode 040755', 'write core.mtime.sec 2147483648000000000'],
      ...['inode 131', 'write core.mode 0100644', 'write core.mtime.sec 2147483648000000000'],
      ...['inode 132', 'write core.mode 040644', 'write core.mtime.sec 2147483648000000000'],
      ...['inode 133', 'write core.mode 0100644', 'write core.mtime.sec 2147483648000000000'],
      ...['inode 134', 'write core.mode 0120644', 'write core.mtime.sec 2147483648000000000'],
      String.raw`write u3.symlink "\157\146\040\145"`,
      ...['inode 135', 'write core.mode 011600', 'write core.mtime.sec 2147483648000000000', ''],
    ]);
  });

  it('takes for the first name of a file the one that has spaces', () => {
    const directory = file('a b', { type: 'd' });
    const plan = planXfs([root, directory, file('a b/c', { identity: '-' }), file('d e', { identity: '-' })], PLACES);
    expect(plan.protofile).toContain('\nd/e ---000 0 0 /output/copies/0\n$');
    expect(plan.lateNames).toMatchObject([{ name: 'c', madeDirectory: 'a b', file: { path: 'd e' } }]);
  });

  it.each([
    ['a socket', [file('s', { type: 's' })], '"/s" can\'t be in an XFS file system: it is a device or a socket'],
    ['a line break', [file('a\nb')], '"/a\\nb" can\'t be in'],
    ['a colon and a space', [file(': a')], '"/: a" can\'t be in'],
    ['two names with spaces', [file('a b', { identity: 'x' }), file('c d', { identity: 'x' })], '"/c d" can\'t be in'],
    ['a long target', [file('l', { type: 'l', target: ' '.repeat(337) })], 'its target has spaces, and is too long'],
  ])('refuses %s', (_, files, message) => {
    expect(() => planXfs([root, ...files], PLACES)).toThrow(message);
  });
});

describe('xfsCommands', () => {
  it('fails when a file was not made', () => {
    const plan = planXfs([root, file('a')], PLACES);
    expect(() => xfsCommands(plan, parseInodes('rootino = 128\n'), [])).toThrow('mkfs.xfs made no "a"');
    expect(() => parseInodes('error\n')).toThrow('not known: error');
  });

  it('fails when there is no file for a label', () => {
    const plan = planXfs([root], PLACES);
    const labels = [{ path: '/a', label: 'u:r:t' }];
    expect(() => xfsCommands(plan, parseInodes('rootino = 128\n'), labels)).toThrow('no "/a" to label');
  });
});
