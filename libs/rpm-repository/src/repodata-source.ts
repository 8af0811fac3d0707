/** The files of a repository, as bytes: read from a directory, checked against their stated digest, unpacked as a stream. */
import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { createGunzip } from 'node:zlib';
import { BuildError, type SourceLocation } from '@kiln/diagnostics';
import { Decompress } from 'fzstd';
import { locationOutside, mismatchedRepodata } from './repodata-error.ts';

/** Where the files of a repository come from: a directory here, a mirror or a test elsewhere. */
export interface RepodataSource {
  /** Names the repository in messages. */
  readonly origin: string;
  /** The bytes of a file by its path below the repository; undefined when there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
}

/** A digest with the name of its algorithm, for example `sha256`. */
export interface Checksum {
  readonly algorithm: string;
  /** Lower-case hexadecimal. */
  readonly value: string;
}

/** What repomd.xml states of a file. Sizes are in bytes; `open` is what stands in the file when it is unpacked. */
export interface StatedFile {
  /** Path below the repository. */
  readonly path: string;
  readonly checksum: Checksum;
  readonly size?: number;
  readonly openChecksum?: Checksum;
  readonly openSize?: number;
  /** Where it is stated. */
  readonly location: SourceLocation;
}

/** Digests that protect content. */
const STRONG_ALGORITHMS = ['sha224', 'sha256', 'sha384', 'sha512'];
const PIECE = 64 * 1024;

/** A repository in a directory. What its links lead out of the directory is not read: `REPODATA_PATH_OUTSIDE`. */
export function repositoryDirectory(directory: string): RepodataSource {
  return {
    origin: directory,
    read: async (path) => {
      const file = join(directory, path);
      try {
        const [top, real] = await Promise.all([realpath(directory), realpath(file)]);
        if (!real.startsWith(top.endsWith(sep) ? top : `${top}${sep}`)) throw locationOutside({ file, line: 1 }, real);
        return await readFile(real);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
  };
}

/**
 * The unpacked bytes of a stated file. Its digest is checked before the first of them is given; size and digest of the unpacked
 * content are checked as far as they are stated.
 * @throws BuildError `REPODATA_MISSING`, `REPODATA_DIGEST_MISMATCH`, `REPODATA_UNSUPPORTED`, `REPODATA_MALFORMED`
 */
export async function* readStated(source: RepodataSource, stated: StatedFile): AsyncGenerator<Uint8Array> {
  const { checksum, openChecksum, openSize = Infinity, size } = stated;
  for (const { algorithm } of openChecksum === undefined ? [checksum] : [checksum, openChecksum]) {
    if (!STRONG_ALGORITHMS.includes(algorithm)) throw unsupportedAlgorithm(algorithm, stated.location);
  }
  const file = `${source.origin}/${stated.path}`;
  const bytes = await source.read(stated.path);
  if (bytes === undefined) throw missing(file, stated.location);
  if (size !== undefined && bytes.length !== size) {
    throw mismatchedRepodata(file, `it has ${bytes.length} bytes, repomd.xml states ${size}`);
  }
  expectDigest(file, checksum, createHash(checksum.algorithm).update(bytes).digest('hex'));

  const open = createHash(openChecksum?.algorithm ?? 'sha256');
  let length = 0;
  for await (const part of unpack(bytes, file)) {
    length += part.length;
    if (length > openSize) throw mismatchedRepodata(file, `it unpacks to more than the stated ${openSize} bytes`);
    open.update(part);
    yield part;
  }
  if (openSize !== Infinity && length !== openSize) {
    throw mismatchedRepodata(file, `it unpacks to ${length} bytes, repomd.xml states ${openSize}`);
  }
  if (openChecksum !== undefined) expectDigest(`${file}, unpacked`, openChecksum, open.digest('hex'));
}

function expectDigest(file: string, { algorithm, value }: Checksum, found: string): void {
  if (value !== found) throw mismatchedRepodata(file, `its ${algorithm} is ${found}, stated is ${value}`);
}

type Unpacker = (bytes: Uint8Array) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** By the first bytes of the file, whatever its name says. */
const COMPRESSIONS: readonly {
  readonly name: string;
  readonly magic: readonly number[];
  readonly unpack?: Unpacker;
}[] = [
  { name: 'gzip', magic: [0x1f, 0x8b], unpack: gunzip },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: unzstd },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68] },
  { name: 'zchunk', magic: [0x00, 0x5a, 0x43, 0x4b, 0x31] },
];

async function* unpack(bytes: Uint8Array, file: string): AsyncGenerator<Uint8Array> {
  const compression = COMPRESSIONS.find(({ magic }) => magic.every((byte, at) => bytes[at] === byte));
  if (compression === undefined) return yield* pieces(bytes);
  if (compression.unpack === undefined) {
    throw new BuildError('REPODATA_UNSUPPORTED', `${file} is packed with ${compression.name}`, {
      hint: 'have the metadata made with gzip or zstd (createrepo_c --general-compress-type=gz)',
    });
  }
  try {
    yield* compression.unpack(bytes);
  } catch (cause) {
    throw new BuildError('REPODATA_MALFORMED', `${file} can't be unpacked: ${(cause as Error).message}`, {
      hint: `it begins like ${compression.name} and is damaged: make the metadata anew`,
      cause,
    });
  }
}

async function* gunzip(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const unpacker = createGunzip({ chunkSize: PIECE });
  unpacker.end(bytes);
  yield* unpacker as AsyncIterable<Buffer>;
}

function* unzstd(bytes: Uint8Array): Generator<Uint8Array> {
  let unpacked: Uint8Array[] = [];
  const unpacker = new Decompress((part) => void unpacked.push(part));
  let position = 0;
  for (const piece of pieces(bytes)) {
    position += piece.length;
    unpacker.push(piece, position === bytes.length);
    yield* unpacked;
    unpacked = [];
  }
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

function missing(file: string, location: SourceLocation): BuildError {
  return new BuildError('REPODATA_MISSING', `there is no ${file}`, {
    location,
    hint: 'copy the whole repository, or make its metadata anew with createrepo_c',
  });
}

function unsupportedAlgorithm(algorithm: string, location: SourceLocation): BuildError {
  return new BuildError('REPODATA_UNSUPPORTED', `a checksum of the type '${algorithm}' protects nothing`, {
    location,
    hint: 'have the metadata made with createrepo_c --checksum=sha256',
  });
}
