import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRepository, readRpmHeader, repositoryDirectory, type RepodataPackage } from '../src/index.ts';
import { buildOddRpms, ODD_SPECS } from './odd-rpms.ts';
import { viewOfHeader, viewOfRepodata } from './repodata-oracle.ts';
import { askRpm, viewOf } from './rpm-oracle.ts';

let top = '';
let rpms: string[] = [];
let described: Map<string, RepodataPackage>;

beforeAll(async () => {
  top = mkdtempSync(join(tmpdir(), 'odd-rpms-'));
  rpms = buildOddRpms(top);
  const { stderr, status } = spawnSync('createrepo_c', ['--quiet', '--no-database', top], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`createrepo_c: ${stderr}`);
  described = new Map((await readRepository(repositoryDirectory(top))).map((one) => [join(top, one.path), one]));
}, 120_000);

afterAll(() => rmSync(top, { recursive: true, force: true }));

it('a source and a binary package of every spec and of every compression are there', () => {
  expect(rpms).toHaveLength(2 * (ODD_SPECS.length + 5));
  expect(described.size).toBe(rpms.length);
});

it('headers say what rpm says', async () => {
  for (const path of rpms) expect(viewOf(await readRpmHeader(path)), basename(path)).toEqual(askRpm(path));
});

it('headers and metadata say the same', async () => {
  for (const path of rpms) {
    const header = viewOfHeader(await readRpmHeader(path));
    expect(viewOfRepodata(described.get(path)!), basename(path)).toEqual(header);
  }
});

it('what compresses the payload is read, and that nothing does', async () => {
  const payloads = rpms.filter((path) => basename(path).startsWith('odd-payload-') && !path.endsWith('.src.rpm'));
  const found = await Promise.all(
    payloads.map(async (path) => [
      /odd-payload-(\w+)/.exec(path)![1],
      (await readRpmHeader(path)).package.payload.compressor,
    ]),
  );
  expect(Object.fromEntries(found)).toEqual({
    gzip: 'gzip',
    xz: 'xz',
    zstd: 'zstd',
    bzip2: 'bzip2',
    none: undefined,
  });
});
