/** An RPM file up to its payload: lead, signature header, immutable header. */
import { open } from 'node:fs/promises';
import { sha256, type Sha256 } from '@kiln/build-identity';
import type { Evr } from '@kiln/rpm-package';
import type { HeaderTags } from './header-tags.ts';
import { HEADER_INTRO_SIZE, headerSize, IMMUTABLE_HEADER, parseHeader, SIGNATURE_HEADER } from './header-tags.ts';
import { malformed } from './malformed.ts';
import { readDependencies, type RpmDependencies } from './rpm-dependencies.ts';
import { readFiles, type RpmFileEntry } from './rpm-files.ts';
import { readScriptlets, readTriggers, type Scriptlet, type Trigger } from './rpm-scriptlets.ts';
import { RPM_TAG } from './rpm-tag.ts';

/** Where the parts of the file are, and what the header says of the payload. */
export interface RpmLayout {
  readonly headerOffset: number;
  /** Bytes of the header; the payload follows at `payloadOffset`, up to the end of the file. */
  readonly headerSize: number;
  readonly payloadOffset: number;
}

export interface RpmPayload {
  /** `cpio` for all but drpm. */
  readonly format: string;
  /** `zstd`, `xz`, `gzip`, `bzip2`, `lzma`. Absent when nothing compresses it: rpm reads it as gzip, which takes plain bytes too (lib/rpmte.c). */
  readonly compressor?: string;
  /** What the compressor was told, for example `19`. */
  readonly level?: string;
  /** As the header states it, hexadecimal, of the compressed payload. */
  readonly digest?: string;
  /** PGPHASHALGO number: 8 is SHA-256. */
  readonly digestAlgorithm?: number;
  /** Of the uncompressed payload. */
  readonly uncompressedDigest?: string;
}

export interface ChangelogEntry {
  /** Seconds since the epoch. */
  readonly time: number;
  /** Person and, by custom, EVR. */
  readonly author: string;
  readonly text: string;
}

/** Everything that an RPM says of itself; plain data. `arch` is `src` or `nosrc` for source RPMs. */
export interface RpmPackage extends RpmDependencies {
  readonly name: string;
  readonly evr: Evr;
  readonly arch: string;
  readonly isSource: boolean;
  readonly summary: string;
  readonly description: string;
  readonly license: string;
  readonly group?: string;
  readonly url?: string;
  readonly vendor?: string;
  readonly packager?: string;
  readonly distribution?: string;
  readonly os?: string;
  /** Seconds since the epoch. */
  readonly buildTime?: number;
  readonly buildHost?: string;
  readonly rpmVersion?: string;
  /** File name of the source RPM; absent in source RPMs. */
  readonly sourceRpm?: string;
  /** Hexadecimal MD5 that ties a binary RPM to its source RPM. */
  readonly sourcePackageId?: string;
  /** Bytes when installed. */
  readonly installedSize: number;
  readonly prefixes: readonly string[];
  readonly scriptlets: readonly Scriptlet[];
  readonly triggers: readonly Trigger[];
  readonly files: readonly RpmFileEntry[];
  /** PGPHASHALGO number of the files' digests: 1 MD5, 2 SHA-1, 8 SHA-256, ... */
  readonly fileDigestAlgorithm: number;
  readonly changelog: readonly ChangelogEntry[];
  readonly payload: RpmPayload;
  readonly layout: RpmLayout;
  /** Digest of the header's bytes as they are in the file. */
  readonly headerDigest: Sha256;
}

/** An RPM's header: plain data and access to any tag. */
export interface RpmHeader {
  readonly package: RpmPackage;
  readonly tags: HeaderTags;
  readonly signatureTags: HeaderTags;
}

const LEAD_SIZE = 96;
const LEAD_MAGIC = [0xed, 0xab, 0xee, 0xdb];
const FIRST_READ = 64 * 1024;

/**
 * Reads the headers of an RPM file; of the payload nothing is read.
 * @throws BuildError `RPM_MALFORMED`
 */
export async function readRpmHeader(path: string): Promise<RpmHeader> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    let bytes = new Uint8Array(0);
    for (let wanted = Math.min(size, FIRST_READ); ;) {
      const next = new Uint8Array(wanted);
      const { bytesRead } = await file.read(next, 0, wanted, 0);
      bytes = next.subarray(0, bytesRead);
      const needed = neededBytes(bytes, path);
      if (needed <= bytes.length || bytesRead < wanted || wanted === size) return parseRpmHeader(bytes, path);
      wanted = Math.min(size, needed);
    }
  } finally {
    await file.close();
  }
}

/**
 * The headers at the begin of `bytes`, which may end after them. `origin` names the file in errors.
 * @throws BuildError `RPM_MALFORMED`
 */
export function parseRpmHeader(bytes: Uint8Array, origin: string): RpmHeader {
  checkLead(bytes, origin);
  const signatureTags = parseHeader(bytes, LEAD_SIZE, SIGNATURE_HEADER, origin);
  const headerOffset = LEAD_SIZE + paddedTo8(headerSize(bytes, LEAD_SIZE, SIGNATURE_HEADER, origin));
  const tags = parseHeader(bytes, headerOffset, IMMUTABLE_HEADER, origin);
  const size = headerSize(bytes, headerOffset, IMMUTABLE_HEADER, origin);
  const layout = { headerOffset, headerSize: size, payloadOffset: headerOffset + size };
  const headerDigest = sha256(bytes.subarray(headerOffset, headerOffset + size));
  return { package: { ...describe(tags), layout, headerDigest }, tags, signatureTags };
}

/** How many bytes are needed to go on: enough for the next header's intro, at last for both headers. */
function neededBytes(bytes: Uint8Array, origin: string): number {
  let needed = LEAD_SIZE + HEADER_INTRO_SIZE;
  if (bytes.length < needed) return needed;
  checkLead(bytes, origin);
  const headerOffset = LEAD_SIZE + paddedTo8(headerSize(bytes, LEAD_SIZE, SIGNATURE_HEADER, origin));
  needed = headerOffset + HEADER_INTRO_SIZE;
  // A little more than the intro, so that usual headers need one more read only.
  if (bytes.length < needed) return needed + FIRST_READ;
  return headerOffset + headerSize(bytes, headerOffset, IMMUTABLE_HEADER, origin);
}

/** The lead is obsolete: its magic and the type of its signature are all that rpm looks at (rpmLeadRead, lib/rpmlead.c). */
function checkLead(bytes: Uint8Array, origin: string): void {
  const place = `${origin}: lead`;
  if (bytes.length < LEAD_SIZE) throw malformed(place, `the file has ${bytes.length} bytes only`);
  if (LEAD_MAGIC.some((byte, at) => bytes[at] !== byte)) {
    throw malformed(place, `it begins with ${Buffer.from(bytes.subarray(0, 4)).toString('hex')}, not with edabeedb`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, LEAD_SIZE);
  const [major, signatureType] = [view.getUint8(4), view.getUint16(78)];
  if (major < 3 || major > 4) throw malformed(place, `version ${major} of the format is not supported`);
  if (signatureType !== 5) throw malformed(place, `signatures of type ${signatureType} are not supported`);
}

function paddedTo8(size: number): number {
  return Math.ceil(size / 8) * 8;
}

function describe(tags: HeaderTags): Omit<RpmPackage, 'layout' | 'headerDigest'> {
  const isSource = !tags.has(RPM_TAG.SOURCERPM);
  const epoch = tags.integer(RPM_TAG.EPOCH);
  return {
    name: tags.requiredText(RPM_TAG.NAME, 'name'),
    evr: {
      ...(epoch === undefined ? {} : { epoch }),
      version: tags.requiredText(RPM_TAG.VERSION, 'version'),
      release: tags.requiredText(RPM_TAG.RELEASE, 'release'),
    },
    arch: isSource ? sourceArch(tags) : tags.requiredText(RPM_TAG.ARCH, 'architecture'),
    isSource,
    summary: tags.text(RPM_TAG.SUMMARY) ?? '',
    description: tags.text(RPM_TAG.DESCRIPTION) ?? '',
    license: tags.text(RPM_TAG.LICENSE) ?? '',
    ...optionalFacts(tags),
    installedSize: tags.integer(RPM_TAG.LONGSIZE) ?? tags.integer(RPM_TAG.SIZE) ?? 0,
    prefixes: tags.texts(RPM_TAG.PREFIXES) ?? [],
    ...readDependencies(tags),
    scriptlets: readScriptlets(tags),
    triggers: readTriggers(tags),
    files: readFiles(tags),
    fileDigestAlgorithm: tags.integer(RPM_TAG.FILEDIGESTALGO) ?? 1,
    changelog: readChangelog(tags),
    payload: readPayload(tags),
  };
}

function sourceArch(tags: HeaderTags): string {
  return tags.has(RPM_TAG.NOSOURCE) || tags.has(RPM_TAG.NOPATCH) ? 'nosrc' : 'src';
}

function optionalFacts(tags: HeaderTags) {
  const sourcePackageId = tags.bytes(RPM_TAG.SOURCEPKGID);
  return given({
    group: tags.text(RPM_TAG.GROUP),
    url: tags.text(RPM_TAG.URL),
    vendor: tags.text(RPM_TAG.VENDOR),
    packager: tags.text(RPM_TAG.PACKAGER),
    distribution: tags.text(RPM_TAG.DISTRIBUTION),
    os: tags.text(RPM_TAG.OS),
    buildTime: tags.integer(RPM_TAG.BUILDTIME),
    buildHost: tags.text(RPM_TAG.BUILDHOST),
    rpmVersion: tags.text(RPM_TAG.RPMVERSION),
    sourceRpm: tags.text(RPM_TAG.SOURCERPM),
    sourcePackageId: sourcePackageId === undefined ? undefined : Buffer.from(sourcePackageId).toString('hex'),
  });
}

function readChangelog(tags: HeaderTags): ChangelogEntry[] {
  const times = tags.integers(RPM_TAG.CHANGELOGTIME) ?? [];
  const authors = tags.texts(RPM_TAG.CHANGELOGNAME) ?? [];
  const texts = tags.texts(RPM_TAG.CHANGELOGTEXT) ?? [];
  if (times.length !== authors.length || times.length !== texts.length) {
    throw malformed(
      tags.origin,
      `the changelog has ${times.length} times, ${authors.length} authors and ${texts.length} texts`,
    );
  }
  return times.map((time, index) => ({ time, author: authors[index]!, text: texts[index]! }));
}

function readPayload(tags: HeaderTags): RpmPayload {
  return {
    format: tags.text(RPM_TAG.PAYLOADFORMAT) ?? 'cpio',
    ...given({
      compressor: tags.text(RPM_TAG.PAYLOADCOMPRESSOR),
      level: tags.text(RPM_TAG.PAYLOADFLAGS),
      digest: tags.text(RPM_TAG.PAYLOADDIGEST),
      digestAlgorithm: tags.integer(RPM_TAG.PAYLOADDIGESTALGO),
      uncompressedDigest: tags.text(RPM_TAG.PAYLOADDIGESTALT),
    }),
  };
}

type Given<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

/** The members that have a value. */
function given<T extends object>(members: T): Given<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<T>;
}
