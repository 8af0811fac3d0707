import type { RpmFileEntry } from '@kiln/rpm-repository';
import { FILE_FLAG } from '@kiln/rpm-repository';
import { describe, expect, it } from 'vitest';
import { foreignFiles, type PackagedFile } from '../src/foreign-files.ts';
import { checkImage, type ImageFindings } from '../src/image-checks.ts';
import { parseOsRelease } from '../src/index.ts';
import { parseScan, RootPaths } from '../src/root-scan.ts';

const entry: RpmFileEntry = {
  path: '/usr/bin/a',
  mode: 0o100755,
  size: 1000,
  mtime: 0,
  user: 'root',
  group: 'root',
  digest: 'a'.repeat(64),
  flags: 0,
  verifyFlags: 0,
  device: 1,
  inode: 1,
  linkCount: 1,
  rdev: 0,
  color: 0,
};
const file = (more: Partial<RpmFileEntry>): PackagedFile => ({ ...entry, ...more, owner: 'a-1-1.noarch' });
const toolchain = new Map([[entry.digest!, '/bin/tool']]);

describe('foreignFiles', () => {
  it.each<[string, Partial<RpmFileEntry>, boolean]>([
    ['a script', {}, true],
    ['machine code', { color: 2 }, true],
    [
      'machine code that calls itself documentation',
      { class: 'ELF 64-bit LSB pie executable', flags: FILE_FLAG.doc },
      true,
    ],
    ['an archive of no objects', { class: 'current ar archive', size: 8 }, false],
    ['a library archive', { class: 'current ar archive', flags: FILE_FLAG.license }, true],
    ['a licence', { flags: FILE_FLAG.license }, false],
    ['a message catalogue', { path: '/usr/share/locale/de/LC_MESSAGES/a.mo' }, false],
    ['a short text', { size: 9 }, false],
    ['a directory', { mode: 0o040755 }, false],
    ['other content', { digest: 'b'.repeat(64) }, false],
  ])('%s', (_, more, foreign) => {
    expect(foreignFiles([file(more)], toolchain)).toHaveLength(foreign ? 1 : 0);
  });
});

describe('every command starts', () => {
  const outcome = (status: number, firstLine: string) => {
    const commands = [{ path: '/usr/bin/a', status, firstLine }];
    const findings: ImageFindings = {
      ...{ files: [], packagedFiles: [], hasRpmDatabase: false, customized: [], expectedNevras: [], foundNevras: [] },
      ...{ rpmVerify: { status: 0, output: '' }, osRelease: {}, filesWithHostPaths: [], foreignFiles: [] },
      shell: { status: 0, output: '', id: 'test', commands },
    };
    return checkImage(findings).find(({ name }) => name === 'every command starts')?.outcome;
  };

  it.each([
    [0, 'a 1.0'],
    [1, ''],
    [2, "a: unrecognized option '--version'"],
    [255, 'Option "-version" is unknown'],
  ])('status %d, "%s": it has started', (status, firstLine) => {
    expect(outcome(status, firstLine)).toBe('passed');
  });

  it.each([
    [126, 'bash: /usr/bin/a: cannot execute'],
    [127, '/usr/bin/a: error while loading shared libraries: libb.so.1: cannot open shared object file'],
    [139, ''],
    [2, "Can't locate Some/Module.pm in @INC (you may need to install the Some::Module module)"],
    [1, 'Traceback (most recent call last):'],
  ])('status %d, "%s": it has not', (status, firstLine) => {
    expect(outcome(status, firstLine)).toBe('failed');
  });
});

describe('RootPaths', () => {
  const scan = [
    ['l', '7', '777', '0', '0', 'usr/lib', 'lib64'],
    ['d', '0', '755', '0', '0', '', ''],
    ['d', '0', '755', '0', '0', '', 'usr'],
    ['d', '0', '755', '0', '0', '', 'usr/lib'],
    ['f', '5', '4755', '7', '8', '', 'usr/lib/a b'],
    ['l', '3', '777', '0', '0', '../lib64', 'usr/up'],
    ['l', '1', '777', '0', '0', 'loop', 'loop'],
  ].flat();
  const files = parseScan(`${scan.join('\0')}\0`);
  const paths = new RootPaths(files);

  it('follows links in directories, not the last one', () => {
    expect(files[0]).toEqual({ path: '/lib64', type: 'l', size: 7, mode: 0o777, uid: 0, gid: 0, target: 'usr/lib' });
    expect(paths.real('/lib64/a b')).toBe('/usr/lib/a b');
    expect(paths.real('/usr/up/a b')).toBe('/usr/lib/a b');
    expect(paths.real('/lib64')).toBe('/lib64');
    expect(paths.real('/')).toBe('/');
    expect(paths.real('/not/there')).toBe('/not/there');
    expect(paths.real('/loop/x')).toMatch(/x$/);
    expect(paths.get('/lib64/a b')).toMatchObject({ size: 5, mode: 0o4755, uid: 7, gid: 8 });
    expect(paths.follow('/usr/up')?.path).toBe('/usr/lib');
    expect(paths.follow('/usr/up/nothing')).toBeUndefined();
  });
});

describe('parseOsRelease', () => {
  it('reads what os-release(5) allows', () => {
    const text = `# comment\nNAME="A \\"quoted\\" name"\nID=a\nVERSION='1 2'\nEMPTY=\nnot an assignment\n`;
    expect(parseOsRelease(text)).toEqual({ NAME: 'A "quoted" name', ID: 'a', VERSION: '1 2', EMPTY: '' });
  });
});
