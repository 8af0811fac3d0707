import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { SENSE } from '@kiln/rpm-package';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPrimary, readRepomd, readRepository, repositoryDirectory, type RepodataSource } from '../src/index.ts';

/** File lists of the package 'a' with /usr/bin/z, packed by zstd -19. */
const ZSTD =
  'KLUv/QRobQQAIgkcGICrDmAsuzVt5tGLlmVk7I0WZDIkFqMCAgqpRYuedaxYGOcqtR+eWkO98AS70QfMa3UMi7AbpM64p8SArOenXtjpC35aDFGeInXhKTbCisFPvyx5sexl52qglbkAZzrWdoknZfIUXVscjTKy1o0dKAkAS9sYZRKjaV/2CbMz1JUgLCe7mHnFLBQUMv9Pdw==';
const DIGEST = 'ab'.repeat(32);
const packageXml = (name: string, { digest = DIGEST, href = `${name}.rpm`, format = '' } = {}) => `<package type="rpm">
<name>${name}</name><arch>noarch</arch><version epoch="0" ver="1" rel="2"/>
<checksum type="sha256" pkgid="YES">${digest}</checksum>
<summary>a &amp; b</summary><description/><packager/><url/>
<time file="2" build="1"/><size package="10" installed="20" archive="30"/><location href="${href}"/>
<format><rpm:license>MIT</rpm:license><rpm:header-range start="100" end="200"/>${format}</format></package>`;
const primaryXml = (packages: readonly string[], announced = packages.length) =>
  `<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="${announced}">
${packages.join('\n')}
</metadata>`;
const filelistsXml = (entries: readonly string[]) =>
  `<filelists xmlns="http://linux.duke.edu/metadata/filelists" packages="${entries.length}">${entries.join('')}</filelists>`;
const filesXml = (name: string, digest = DIGEST) =>
  `<package pkgid="${digest}" name="${name}" arch="noarch"><version epoch="0" ver="1" rel="2"/>` +
  '<file> /odd name </file><file type="dir">/etc/x</file><file type="ghost">/run/x</file></package>';

/** One file of a repository: what is stored, and what repomd.xml says of it. */
interface Entry {
  readonly bytes: Uint8Array;
  readonly stated?: string;
  readonly path?: string;
}

function plain(text: string | Uint8Array): Entry {
  return { bytes: Buffer.from(text) };
}

function digestXml(bytes: Uint8Array, algorithm = 'sha256'): string {
  return `<checksum type="${algorithm}">${createHash(algorithm).update(bytes).digest('hex')}</checksum>`;
}

/** A repository in memory. */
function repository(entries: Readonly<Record<string, Entry>>): RepodataSource {
  const files = new Map<string, Uint8Array>();
  const data = Object.entries(entries).map(
    ([type, { bytes, stated = digestXml(bytes), path = `repodata/${type}` }]) => {
      files.set(path, bytes);
      return `<data type="${type}">${stated}<location href="${path}"/></data>`;
    },
  );
  files.set('repodata/repomd.xml', Buffer.from(`<repomd><revision>7</revision>${data.join('')}</repomd>`));
  return { origin: 'memory', read: (path) => Promise.resolve(files.get(path)) };
}

async function refused(source: RepodataSource): Promise<BuildError> {
  const error: unknown = await readRepository(source).then(
    () => new Error('it was accepted'),
    (one: unknown) => one,
  );
  if (error instanceof BuildError) return error;
  throw error;
}

const whole = { primary: plain(primaryXml([packageXml('a')])), filelists: plain(filelistsXml([filesXml('a')])) };

describe('readRepository', () => {
  it('gives packages as plain data, with all files', async () => {
    const [one] = await readRepository(repository(whole));
    expect(one).toMatchObject({
      name: 'a',
      evr: { version: '1', release: '2' },
      arch: 'noarch',
      path: 'a.rpm',
      checksum: { algorithm: 'sha256', value: DIGEST },
      summary: 'a & b',
      size: { package: 10, installed: 20, archive: 30 },
      files: [' /odd name ', '/etc/x', '/run/x'],
      directories: ['/etc/x'],
      ghosts: ['/run/x'],
    });
    expect(Object.keys(one!)).not.toContain('url');
    expect(JSON.parse(JSON.stringify(one))).toEqual(one);
  });

  it('reads dependencies with versions, epochs, marks and parentheses', async () => {
    const format =
      '<rpm:requires><rpm:entry name="x" flags="GE" epoch="1" ver="2~rc1" rel="3" pre="1"/>' +
      '<rpm:entry name="y" flags="LT" epoch="0" ver="2"/><rpm:entry name="(a or b)"/></rpm:requires>';
    const source = repository({ ...whole, primary: plain(primaryXml([packageXml('a', { format })])) });
    expect((await readRepository(source))[0]!.requires).toEqual([
      { name: 'x', operator: '>=', evr: { epoch: 1, version: '2~rc1', release: '3' }, sense: SENSE.prereq },
      { name: 'y', operator: '<', evr: { version: '2' } },
      { name: '(a or b)' },
    ]);
  });

  it('unpacks gzip and zstd, whatever the names of the files are', async () => {
    const primary = Buffer.from(primaryXml([packageXml('a')]));
    const stated = `${digestXml(gzipSync(primary))}<open-checksum type="sha256">${sha256(primary)}</open-checksum><open-size>${primary.length}</open-size>`;
    const source = repository({ ...whole, primary: { bytes: gzipSync(primary), stated, path: 'x.zck' } });
    expect(await readRepository(source)).toEqual(await readRepository(repository(whole)));
    const zstd = Buffer.from(ZSTD, 'base64');
    expect((await readRepository(repository({ ...whole, filelists: { bytes: zstd } })))[0]!.files).toEqual([
      '/usr/bin/z',
    ]);
  });

  it('gives packages while it reads', async () => {
    const broken = primaryXml([packageXml('a'), packageXml('b')]).replace('</metadata>', `${' '.repeat(100_000)}<<`);
    const source = repository({ primary: plain(broken) });
    const packages = readPrimary(source, await readRepomd(source));
    expect((await packages.next()).value).toMatchObject({ name: 'a' });
    expect((await packages.next()).value).toMatchObject({ name: 'b' });
    await expect(packages.next()).rejects.toMatchObject({ code: 'REPODATA_MALFORMED' });
  });

  it('is pinned by the digest of repomd.xml', async () => {
    const source = repository(whole);
    const digest = sha256((await source.read('repodata/repomd.xml'))!);
    expect(await readRepository(source, digest)).toHaveLength(1);
    await expect(readRepository(source, sha256('other'))).rejects.toMatchObject({ code: 'REPODATA_DIGEST_MISMATCH' });
  });
});

describe('what is refused', () => {
  const primary = (text: string): RepodataSource => repository({ ...whole, primary: plain(text) });
  const one = (text: string) => primary(primaryXml([text]));
  const stating = (stated: string) => repository({ ...whole, primary: { ...whole.primary, stated } });
  const digest = digestXml(whole.primary.bytes);

  it.each<[string, RepodataSource, string, RegExp]>([
    [
      'no metadata',
      { origin: '/r', read: () => Promise.resolve(undefined) },
      'REPODATA_MISSING',
      /no \/r\/repodata\/repomd\.xml/,
    ],
    [
      'no primary',
      repository({ filelists: whole.filelists }),
      'REPODATA_MISSING',
      /no 'primary'; the types are: filelists/,
    ],
    [
      'other bytes',
      stating(`<checksum type="sha256">${DIGEST}</checksum>`),
      'REPODATA_DIGEST_MISMATCH',
      /stated is abab/,
    ],
    [
      'another size',
      stating(`${digest}<size>3</size>`),
      'REPODATA_DIGEST_MISMATCH',
      /has \d+ bytes, repomd.xml states 3/,
    ],
    [
      'more than stated',
      stating(`${digest}<open-size>3</open-size>`),
      'REPODATA_DIGEST_MISMATCH',
      /more than the stated 3/,
    ],
    [
      'other unpacked bytes',
      stating(`${digest}<open-checksum type="sha256">${DIGEST}</open-checksum>`),
      'REPODATA_DIGEST_MISMATCH',
      /unpacked: its sha256/,
    ],
    ['a weak digest', stating(digestXml(whole.primary.bytes, 'md5')), 'REPODATA_UNSUPPORTED', /'md5' protects nothing/],
    ['no digest', stating(''), 'REPODATA_MALFORMED', /'data' has no 'checksum'/],
    [
      'broken gzip',
      repository({ ...whole, primary: { bytes: gzipSync('x'.repeat(999)).subarray(0, 10) } }),
      'REPODATA_MALFORMED',
      /can't be unpacked/,
    ],
    ['no XML', primary('hello'), 'REPODATA_MALFORMED', /./],
    ['another document', primary('<filelists/>'), 'REPODATA_MALFORMED', /is a 'filelists', expected is 'metadata'/],
    ['a cut document', primary('<metadata packages="0">'), 'REPODATA_MALFORMED', /./],
    ['an unknown entity', one(packageXml('a&b;')), 'REPODATA_MALFORMED', /./],
    [
      'entities of its own',
      primary('<!DOCTYPE metadata [<!ENTITY a "b">]><metadata/>'),
      'REPODATA_MALFORMED',
      /document type/,
    ],
    ['deep nesting', primary(`<metadata>${'<a>'.repeat(100_000)}`), 'REPODATA_MALFORMED', /more than 16 deep/],
    [
      'another number of packages',
      primary(primaryXml([packageXml('a')], 2)),
      'REPODATA_MALFORMED',
      /announces 2 packages and has 1/,
    ],
    ['no name', one(packageXml('')), 'REPODATA_MALFORMED', /has no name/],
    [
      'no version',
      one(packageXml('a').replace('<version epoch="0" ver="1" rel="2"/>', '')),
      'REPODATA_MALFORMED',
      /has no 'version'/,
    ],
    [
      'no number',
      one(packageXml('a').replace('installed="20"', 'installed="-1"')),
      'REPODATA_MALFORMED',
      /'-1' in the element 'size'/,
    ],
    [
      'an unknown comparison',
      one(packageXml('a', { format: '<rpm:requires><rpm:entry name="x" flags="NE" ver="1"/></rpm:requires>' })),
      'REPODATA_MALFORMED',
      /'x' has the unknown comparison 'NE'/,
    ],
    [
      'a path upwards',
      one(packageXml('a', { href: 'x/../../a.rpm' })),
      'REPODATA_PATH_OUTSIDE',
      /'x\/\.\.\/\.\.\/a\.rpm' leaves/,
    ],
    [
      'an absolute path',
      one(packageXml('a', { href: '/etc/passwd' })),
      'REPODATA_PATH_OUTSIDE',
      /leaves the repository/,
    ],
    ['an address', one(packageXml('a', { href: 'http://x/a.rpm' })), 'REPODATA_PATH_OUTSIDE', /leaves the repository/],
    [
      'metadata upwards',
      repository({ primary: { ...whole.primary, path: '../primary' } }),
      'REPODATA_PATH_OUTSIDE',
      /leaves/,
    ],
    [
      'files of nobody',
      repository({ ...whole, filelists: plain(filelistsXml([filesXml('b', 'cd')])) }),
      'REPODATA_MALFORMED',
      /filelists has b-1-2\.noarch/,
    ],
    [
      'no files of a package',
      repository({ ...whole, filelists: plain(filelistsXml([])) }),
      'REPODATA_MALFORMED',
      /primary has a-1-2\.noarch/,
    ],
    [
      'text that is not UTF-8',
      repository({ ...whole, primary: plain(Buffer.from('<metadata>\xff</metadata>', 'latin1')) }),
      'REPODATA_MALFORMED',
      /not UTF-8/,
    ],
  ])('%s', async (_, source, code, message) => {
    const error = await refused(source);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.hint).toBeDefined();
  });

  it('tells the place', async () => {
    const { location } = await refused(one(packageXml('a', { href: '../a' })));
    expect(location).toMatchObject({ file: 'memory/repodata/primary', line: 7 });
  });

  it('other compressions are named', async () => {
    const bytes = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]);
    const error = await refused(repository({ ...whole, primary: { bytes } }));
    expect(error.format()).toMatch(/REPODATA_UNSUPPORTED: .*packed with xz\n {2}hint: .*zstd/);
  });
});

describe('repositoryDirectory', () => {
  let top = '';
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'repodata-'));
    mkdirSync(join(top, 'repository/repodata'), { recursive: true });
  });
  afterEach(() => rmSync(top, { recursive: true }));

  it('does not follow links out of the directory', async () => {
    writeFileSync(join(top, 'outside'), '<repomd/>');
    symlinkSync('../../outside', join(top, 'repository/repodata/repomd.xml'));
    const error = await refused(repositoryDirectory(join(top, 'repository')));
    expect(error.code).toBe('REPODATA_PATH_OUTSIDE');
  });

  it('a directory without metadata says so', async () => {
    expect((await refused(repositoryDirectory(join(top, 'repository')))).code).toBe('REPODATA_MISSING');
    expect((await refused(repositoryDirectory(join(top, 'absent')))).code).toBe('REPODATA_MISSING');
  });
});
