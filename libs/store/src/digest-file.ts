/** Digests of files, as fast as they can be read. */
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { parseSha256, type Sha256 } from '@kiln/build-identity';

/** Bytes: smaller pieces would cost more than the digest of them. */
const PIECE = 1024 * 1024;

/** Pairs of pieces that nobody uses: memory that comes and goes with each file would be collected all the time. */
const idlePieces: [Buffer, Buffer][] = [];

/** SHA-256 of a file's content. */
export async function digestFile(path: string): Promise<Sha256> {
  return digestOpenFile(await open(path));
}

/** The same of a file that may lose its name meanwhile; closes it. A piece is read while the one before is digested. */
export async function digestOpenFile(file: FileHandle): Promise<Sha256> {
  const hash = createHash('sha256');
  const pieces = idlePieces.pop() ?? [Buffer.allocUnsafe(PIECE), Buffer.allocUnsafe(PIECE)];
  try {
    let [piece, other] = pieces;
    let reading = file.read(piece, 0, PIECE);
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) break;
      reading = file.read(other, 0, PIECE);
      hash.update(piece.subarray(0, bytesRead));
      [piece, other] = [other, piece];
    }
    // After a failure something may still be read into them.
    idlePieces.push(pieces);
    return parseSha256(hash.digest('hex'));
  } finally {
    await file.close();
  }
}
