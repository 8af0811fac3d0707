/** Whether a program for UEFI is signed by a certificate, as firmware checks it ("Windows Authenticode Portable Executable Signature Format"). Pure. */
import { createHash, verify, type X509Certificate } from 'node:crypto';
import { identifierOf, INTEGER, OCTETS, partsOf, readDer, SEQUENCE, SET, tagged, type DerValue } from './der.ts';

/** Places in the headers (Microsoft PE format); those of the optional header are relative to it. */
const [PE_POINTER, OPTIONAL, CHECKSUM] = [0x3c, 24, 64];
/** Where the data directories begin, by the header's magic number, and which of them has the signatures. */
const DIRECTORIES: Readonly<Record<number, number>> = { 0x10b: 96, 0x20b: 112 };
const [CERTIFICATES, ENTRY] = [4, 8];
/** Revision 2.0 and kind of a signature (WIN_CERT_TYPE_PKCS_SIGNED_DATA). */
const PKCS_SIGNED_DATA = 0x2_0200;

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const INDIRECT_DATA = '1.3.6.1.4.1.311.2.1.4';
const SHA256 = '2.16.840.1.101.3.4.2.1';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const VERSION_1 = Buffer.from([INTEGER, 1, 1]);
/** Alone, and with SHA-256. */
const RSA = ['1.2.840.113549.1.1.1', '1.2.840.113549.1.1.11'];

/** A program's digest without its signatures, and these. */
interface SignedProgram {
  readonly digest: Buffer;
  readonly signatures: readonly Buffer[];
}

/** What is wrong with a program that `certificate` (PEM) should have signed; undefined when nothing is. */
export function authenticodeProblem(program: Buffer, certificate: X509Certificate): string | undefined {
  const read = readProgram(program);
  if (read === undefined) return 'it is no program for UEFI';
  if (read.signatures.length === 0) return 'it is not signed';
  const problems = read.signatures.map((signature) => signatureProblem(signature, read.digest, certificate));
  return problems.includes(undefined) ? undefined : problems[0];
}

/** Whether it has a signature, of whomever. */
export function isSignedProgram(program: Buffer): boolean {
  return (readProgram(program)?.signatures.length ?? 0) > 0;
}

/** Undefined when it isn't well-formed. What the signature doesn't cover: the checksum, the place of the signatures, and these, which are at the end. */
function readProgram(file: Buffer): SignedProgram | undefined {
  if (file.length < PE_POINTER + 4 || file.toString('latin1', 0, 2) !== 'MZ') return undefined;
  const header = file.readUInt32LE(PE_POINTER);
  const optional = header + OPTIONAL;
  if (optional + 2 > file.length || file.toString('latin1', header, header + 4) !== 'PE\0\0') return undefined;
  const directories = DIRECTORIES[file.readUInt16LE(optional)];
  if (directories === undefined) return undefined;
  const entry = optional + directories + CERTIFICATES * ENTRY;
  if (entry + ENTRY > file.length) return undefined;
  // The number of directories stands before them.
  const count = file.readUInt32LE(optional + directories - 4);
  const [start, size] = count > CERTIFICATES ? [file.readUInt32LE(entry), file.readUInt32LE(entry + 4)] : [0, 0];
  if (size > 0 && (start < entry + ENTRY || start + size !== file.length)) return undefined;
  const end = size > 0 ? start : file.length;
  const checksum = optional + CHECKSUM;
  const digest = createHash('sha256')
    .update(file.subarray(0, checksum))
    .update(file.subarray(checksum + 4, entry))
    .update(file.subarray(entry + ENTRY, end))
    .digest();
  return { digest, signatures: size > 0 ? signaturesIn(file.subarray(start)) : [] };
}

/** A length, a revision and a kind before each, and places that are multiples of eight. */
function signaturesIn(table: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at + 8 <= table.length;) {
    const length = table.readUInt32LE(at);
    if (length < 8 || at + length > table.length) break;
    if (table.readUInt32LE(at + 4) === PKCS_SIGNED_DATA) found.push(table.subarray(at + 8, at + length));
    at += Math.ceil(length / 8) * 8;
  }
  return found;
}

/** The three steps: the content has the program's digest, the signer names the content's digest, the key has signed what the signer names. */
function signatureProblem(signature: Buffer, digest: Buffer, certificate: X509Certificate): string | undefined {
  const signed = readSignedData(signature);
  if (signed === undefined) return 'its signature is none that can be read: PKCS #7 with SHA-256';
  if (!signed.programDigest.equals(digest)) return 'it was changed after it was signed';
  if (!signed.messageDigest.equals(createHash('sha256').update(signed.content).digest()))
    return 'what its signature says of it was changed';
  // Firmware looks for it there, by the name that the signer gives.
  const carries = signed.certificates.some(({ bytes }) => bytes.equals(certificate.raw));
  const isOurs =
    carries &&
    signed.signer.equals(nameOf(certificate)) &&
    verify('sha256', signed.attributes, certificate.publicKey, signed.value);
  return isOurs ? undefined : `the key of the certificate (${certificate.subject}) did not sign it`;
}

/** The parts of PKCS #7 (RFC 2315) that count here. */
interface SignedData {
  /** What is signed, without its identifier and length. */
  readonly content: Buffer;
  /** Of the program, as the content has it. */
  readonly programDigest: Buffer;
  /** Of the content, as the signer has it. */
  readonly messageDigest: Buffer;
  /** Of the signers, as they stand beside. */
  readonly certificates: readonly DerValue[];
  /** Issuer and serial number of the signer's certificate. */
  readonly signer: Buffer;
  /** What the key has signed. */
  readonly attributes: Buffer;
  readonly value: Buffer;
}

function readSignedData(bytes: Buffer): SignedData | undefined {
  const [type, wrapped] = partsIn(readDer(bytes), SEQUENCE);
  const [signedData] = partsIn(wrapped, tagged(0));
  const members = partsIn(signedData, SEQUENCE);
  if (identifierOf(type) !== SIGNED_DATA) return undefined;
  const [version, algorithms, encapsulated] = members;
  const [kind, data] = partsIn(encapsulated, SEQUENCE);
  const [content] = partsIn(data, tagged(0));
  const [, digestInfo] = partsIn(content, SEQUENCE);
  const [algorithm, programDigest] = partsIn(digestInfo, SEQUENCE);
  const signers = members.findLast(({ tag }) => tag === SET);
  const signer = partsIn(partsIn(signers, SET)[0], SEQUENCE);
  const attributes = signer.find(({ tag }) => tag === tagged(0));
  const value = signer.find(({ tag }) => tag === OCTETS);
  const messageDigest = partsIn(attributes, tagged(0))
    .map((one) => partsIn(one, SEQUENCE))
    .filter(([name]) => identifierOf(name) === MESSAGE_DIGEST)
    .map(([, values]) => partsIn(values, SET)[0])[0];
  const [signerVersion, issuer, signerDigest] = signer;
  if (![version, signerVersion].every((one) => one?.bytes.equals(VERSION_1) === true)) return undefined;
  const digests = [algorithm, partsIn(algorithms, SET)[0], signerDigest].map(algorithmOf);
  if (identifierOf(kind) !== INDIRECT_DATA || digests.some((one) => one !== SHA256)) return undefined;
  if (!RSA.includes(algorithmOf(signer.filter(({ tag }) => tag === SEQUENCE).at(-1)))) return undefined;
  if (content === undefined || programDigest?.tag !== OCTETS || messageDigest?.tag !== OCTETS) return undefined;
  if (attributes === undefined || value === undefined || issuer?.tag !== SEQUENCE) return undefined;
  return {
    content: content.content,
    programDigest: programDigest.content,
    messageDigest: messageDigest.content,
    certificates: partsIn(
      members.find(({ tag }) => tag === tagged(0)),
      tagged(0),
    ),
    signer: issuer.content,
    // They are signed as the set that they are, whatever tag they have here.
    attributes: Buffer.concat([Buffer.from([SET]), attributes.bytes.subarray(1)]),
    value: value.content,
  };
}

function partsIn(value: DerValue | undefined, tag: number): readonly DerValue[] {
  return value?.tag === tag ? (partsOf(value) ?? []) : [];
}

function algorithmOf(value: DerValue | undefined): string {
  return identifierOf(partsIn(value, SEQUENCE)[0]);
}

/** As a signer names it: issuer and serial number (RFC 5280, 4.1). */
function nameOf({ raw }: X509Certificate): Buffer {
  const [body] = partsIn(readDer(raw), SEQUENCE);
  const members = partsIn(body, SEQUENCE);
  const serial = members.find(({ tag }) => tag === INTEGER);
  // After the algorithm of the signature.
  const issuer = members.filter(({ tag }) => tag === SEQUENCE)[1];
  return Buffer.concat([issuer?.bytes ?? Buffer.alloc(0), serial?.bytes ?? Buffer.alloc(0)]);
}
