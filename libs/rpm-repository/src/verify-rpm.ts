/** Whether an RPM is what its own digests say, and the digest by which Kiln knows it. */
import { createReadStream } from 'node:fs';
import { createHash } from 'node:crypto';
import { parseSha256, type Sha256 } from '@kiln/build-identity';
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import { readRpmHeader, type RpmHeader } from './rpm-header.ts';
import { RPM_SIGNATURE_TAG } from './rpm-tag.ts';

/** An RPM whose digests were checked. */
export interface VerifiedRpm {
  readonly header: RpmHeader;
  /** Of header and payload; the signature header is not in it, so signing does not change it. */
  readonly artifactDigest: Sha256;
  /** Of the whole file. */
  readonly fileDigest: Sha256;
  /** Bytes of the whole file. */
  readonly size: number;
}

/** PGPHASHALGO numbers (rpm's include/rpm/rpmpgp.h) and OpenSSL's names. */
const HASH_NAMES: Readonly<Record<number, string>> = {
  1: 'md5',
  2: 'sha1',
  8: 'sha256',
  9: 'sha384',
  10: 'sha512',
  11: 'sha224',
};
const SHA256_ALGORITHM = 8;

/** One stated digest: which bytes it covers. The first two protect all content and must be there. */
interface StatedDigest {
  readonly title: string;
  readonly stated: string | undefined;
  readonly hash: string;
  readonly covers: 'header' | 'payload' | 'both';
  readonly required: boolean;
}

/**
 * Checks every digest that the file carries, as `rpm -K --nosignature`; unlike rpm, a file without the SHA-256 of its header or without a
 * payload digest is refused, because its content is not protected. Signatures are not looked at.
 * @throws BuildError `RPM_MALFORMED`, `RPM_DIGEST_MISSING`, `RPM_DIGEST_MISMATCH` (all mismatches as its diagnostics)
 */
export async function verifyRpm(path: string): Promise<VerifiedRpm> {
  const header = await readRpmHeader(path);
  const { layout } = header.package;
  const digests = statedDigests(header);
  const missing = digests.find(({ required, stated }) => required && stated === undefined);
  if (missing !== undefined) {
    throw new BuildError('RPM_DIGEST_MISSING', `${path}: there is no ${missing.title}`, {
      hint: 'build it again with rpm 4.14 or later',
    });
  }

  const file = createHash('sha256');
  const artifact = createHash('sha256');
  const hashes = digests.map(({ hash }) => createHash(hash));
  let position = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    const part = (from: number, to: number) => chunk.subarray(Math.max(0, from - position), Math.max(0, to - position));
    file.update(chunk);
    const parts = {
      header: part(layout.headerOffset, layout.payloadOffset),
      payload: part(layout.payloadOffset, Infinity),
      both: part(layout.headerOffset, Infinity),
    };
    artifact.update(parts.both);
    digests.forEach(({ covers }, index) => hashes[index]!.update(parts[covers]));
    position += chunk.length;
  }

  const found = hashes.map((hash) => hash.digest('hex'));
  const problems = digests.flatMap(({ title, stated }, index) =>
    stated === undefined || stated.toLowerCase() === found[index] ? [] : [mismatch(title, stated, found[index]!)],
  );
  problems.push(...sizeProblem(header, position));
  if (problems.length > 0) {
    throw new BuildError('RPM_DIGEST_MISMATCH', `${path}: the content is not what the package says of itself`, {
      diagnostics: problems,
      hint: 'the file was changed or damaged after it was built: fetch or build it again',
    });
  }
  return {
    header,
    artifactDigest: parseSha256(artifact.digest('hex')),
    fileDigest: parseSha256(file.digest('hex')),
    size: position,
  };
}

/** The artifact digest alone: SHA-256 of the bytes from the header to the end of the file. @throws BuildError `RPM_MALFORMED` */
export async function artifactDigest(path: string): Promise<Sha256> {
  const { layout } = (await readRpmHeader(path)).package;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { start: layout.headerOffset }) as AsyncIterable<Buffer>)
    hash.update(chunk);
  return parseSha256(hash.digest('hex'));
}

function statedDigests({ package: rpm, signatureTags }: RpmHeader): StatedDigest[] {
  const algorithm = rpm.payload.digestAlgorithm ?? SHA256_ALGORITHM;
  const md5 = signatureTags.bytes(RPM_SIGNATURE_TAG.MD5);
  const digests: StatedDigest[] = [
    {
      title: 'SHA-256 of the header',
      stated: signatureTags.text(RPM_SIGNATURE_TAG.SHA256),
      hash: 'sha256',
      covers: 'header',
      required: true,
    },
    {
      title: 'digest of the payload',
      stated: rpm.payload.digest,
      hash: HASH_NAMES[algorithm] ?? 'sha256',
      covers: 'payload',
      required: true,
    },
    {
      title: 'SHA-1 of the header',
      stated: signatureTags.text(RPM_SIGNATURE_TAG.SHA1),
      hash: 'sha1',
      covers: 'header',
      required: false,
    },
    {
      title: 'MD5 of header and payload',
      stated: md5 === undefined ? undefined : Buffer.from(md5).toString('hex'),
      hash: 'md5',
      covers: 'both',
      required: false,
    },
  ];
  return digests.filter(({ required, stated }) => required || stated !== undefined);
}

function sizeProblem({ package: rpm, signatureTags }: RpmHeader, fileSize: number): Diagnostic[] {
  const stated = signatureTags.integer(RPM_SIGNATURE_TAG.LONGSIZE) ?? signatureTags.integer(RPM_SIGNATURE_TAG.SIZE);
  const size = fileSize - rpm.layout.headerOffset;
  return stated === undefined || stated === size
    ? []
    : [mismatch('size of header and payload', String(stated), String(size))];
}

function mismatch(title: string, stated: string, found: string): Diagnostic {
  return { severity: 'error', code: 'RPM_DIGEST_MISMATCH', message: `${title}: stated ${stated}, found ${found}` };
}
