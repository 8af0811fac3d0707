import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { listTar, readTarEntry } from '../src/tar-reader.ts';
import { writeTar } from '../src/tar-writer.ts';

const directory = mkdtempSync(join(tmpdir(), 'tar-'));
const archive = join(directory, 'a.tar');
afterAll(() => rmSync(directory, { recursive: true }));

describe('tar archives', () => {
  it('are what GNU tar reads', async () => {
    const file = join(directory, 'content');
    writeFileSync(file, 'x'.repeat(1000));
    await writeTar(
      archive,
      [
        { name: 'a', content: 'text' },
        { name: 'd/' },
        { name: 'd/b', file, size: 1000 },
        { name: 'empty', content: '' },
      ],
      7,
    );
    const listing = execFileSync('tar', ['--list', '--verbose', '--numeric-owner', '--full-time', '--file', archive], {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' },
    });
    expect(listing.replace(/ +/g, ' ').trim().split('\n')).toEqual([
      '-rw-r--r-- 0/0 4 1970-01-01 00:00:07 a',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00:07 d/',
      '-rw-r--r-- 0/0 1000 1970-01-01 00:00:07 d/b',
      '-rw-r--r-- 0/0 0 1970-01-01 00:00:07 empty',
    ]);
    expect(readFileSync(archive).length % 10_240).toBe(0);
    const entries = await listTar(archive);
    expect([...entries.keys()]).toEqual(['a', 'd/b', 'empty']);
    expect((await readTarEntry(archive, entries.get('a')!, 10)).toString()).toBe('text');
    await expect(readTarEntry(archive, entries.get('d/b')!, 10)).rejects.toMatchObject({ code: 'ARCHIVE_MALFORMED' });
  });

  it('are refused when they are damaged', async () => {
    await writeTar(archive, [{ name: 'a', content: 'text' }], 7);
    const bytes = readFileSync(archive);
    const damaged: [string, Buffer][] = [
      ['cut', bytes.subarray(0, 1024)],
      ['a changed header', Buffer.from(bytes).fill('z', 3, 4)],
      ['nothing', Buffer.alloc(0)],
      ['twice', Buffer.concat([bytes.subarray(0, 1024), bytes])],
    ];
    for (const [, content] of damaged) {
      writeFileSync(archive, content);
      await expect(listTar(archive)).rejects.toMatchObject({ code: 'ARCHIVE_MALFORMED' });
    }
  });
});
