/** `debian.lock`: which source files the Debian archive has, by digest. */
import { readFileSync } from 'node:fs';
import { parseSha256, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import type { ArchiveFile } from './debian-archive.ts';

/** A line `sha256 size main|security pool-path file-name`. */
export interface LockedSource extends ArchiveFile {
  readonly fileName: string;
}

/**
 * Reads the lock at `path`; without such a file it is empty. Lines that begin with `#` are comments.
 * @throws BuildError `DEBIAN_LOCK_MALFORMED` with the line.
 */
export function readDebianLock(path: string): ReadonlyMap<Sha256, LockedSource> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
  return parseDebianLock(text, path);
}

/** @throws BuildError `DEBIAN_LOCK_MALFORMED` with the line. */
export function parseDebianLock(text: string, file: string): ReadonlyMap<Sha256, LockedSource> {
  const sources = new Map<Sha256, LockedSource>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = /^([0-9a-f]{64}) (\d+) (main|security) (pool\/[\w.+~%/-]+) (\S+)$/.exec(line);
    if (match === null || line.includes('..')) {
      throw new BuildError('DEBIAN_LOCK_MALFORMED', `'${line}' is no line of a lock`, {
        location: { file, line: index + 1 },
        hint: 'a line is: sha256 size main|security pool-path file-name',
      });
    }
    const [, digest, size, archive, path, fileName] = match as unknown as string[];
    const sha256 = parseSha256(digest!);
    sources.set(sha256, {
      sha256,
      size: Number(size),
      archive: archive as LockedSource['archive'],
      path: path!,
      fileName: fileName!,
    });
  }
  return sources;
}
