import { expect, test } from 'vitest';
import { findFileConflicts, type RpmFileEntry } from '@kiln/rpm-repository';

const file = (path: string, more: Partial<RpmFileEntry> = {}): RpmFileEntry => ({
  path,
  mode: 0o100644,
  size: 1,
  mtime: 0,
  user: 'root',
  group: 'root',
  digest: 'aa',
  flags: 0,
  verifyFlags: 0,
  device: 1,
  inode: 1,
  linkCount: 1,
  rdev: 0,
  color: 0,
  ...more,
});
const link = (path: string, linkTarget: string) => file(path, { mode: 0o120777, linkTarget, size: linkTarget.length });
const conflicts = (a: RpmFileEntry[], b: RpmFileEntry[]) =>
  findFileConflicts([
    { name: 'a', files: a },
    { name: 'b', files: b },
  ]).map(({ path, packages, differs }) => [path, packages.map(({ name }) => name).join(' '), differs]);

// rpmfilesCompare, lib/rpmfi.c
test.each<[string, RpmFileEntry, RpmFileEntry, string | undefined]>([
  ['equal files', file('/x'), file('/x'), undefined],
  ['other times', file('/x'), file('/x', { mtime: 9 }), undefined],
  ['content', file('/x'), file('/x', { digest: 'bb' }), 'content'],
  ['sizes', file('/x'), file('/x', { size: 2 }), 'size'],
  ['modes', file('/x'), file('/x', { mode: 0o100755 }), 'mode'],
  ['modes of directories', file('/x', { mode: 0o040755 }), file('/x', { mode: 0o040700 }), 'mode'],
  ['sizes of directories', file('/x', { mode: 0o040755 }), file('/x', { mode: 0o040755, size: 2 }), undefined],
  ['owners', file('/x'), file('/x', { group: 'adm' }), 'owner'],
  ['file and link', file('/x'), link('/x', 'y'), 'mode'],
  ['targets', link('/x', 'y'), link('/x', 'z'), 'link target'],
  ['equal links', link('/x', 'y'), link('/x', 'y'), undefined],
  ['a ghost', file('/x', { flags: 1 << 6 }), file('/x', { digest: 'bb' }), undefined],
  ['device numbers', file('/x', { mode: 0o020600 }), file('/x', { mode: 0o020600, rdev: 3 }), 'device'],
])('%s', (_what, a, b, differs) => {
  expect(conflicts([a], [b])).toEqual(differs === undefined ? [] : [['/x', 'a b', differs]]);
});

test('directories that are links are followed', () => {
  const files = [link('/lib', 'usr/lib'), link('/usr/lib/alias', '../share'), file('/lib/x')];
  expect(conflicts(files, [file('/usr/lib/x', { digest: 'bb' })])).toEqual([['/usr/lib/x', 'a b', 'content']]);
  expect(conflicts([...files, file('/usr/share/y')], [file('/lib/alias/y', { size: 9 })])).toEqual([
    ['/usr/share/y', 'a b', 'size'],
  ]);
});

test('links in a circle end', () => {
  expect(conflicts([link('/a', 'b'), link('/b', 'a'), file('/a/x')], [file('/a/x', { size: 3 })])).toHaveLength(1);
});
