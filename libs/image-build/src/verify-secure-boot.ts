/** Whether the files of an image that says that it is signed for Secure Boot are. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { authenticodeProblem, isSignedProgram } from './authenticode.ts';
import type { Findings } from './image-checks.ts';
import { isCertificateFile } from './image-files.ts';

/**
 * By the one certificate beside it, with nothing but the files. Unified kernel images are looked at as files; those in disks and packed ones are not.
 * @param names of the files that are listed
 */
export async function secureBootProblems(directory: string, names: readonly string[]): Promise<Findings> {
  const certificates = names.filter(isCertificateFile);
  const programs = names.filter((name) => name.endsWith('.efi'));
  const read = (name: string) => readFile(join(directory, name)).catch(() => Buffer.alloc(0));
  const [certificateFile, another] = certificates;
  if (certificateFile === undefined) {
    const signed: string[] = [];
    for (const name of programs) if (isSignedProgram(await read(name))) signed.push(name);
    if (signed.length > 0) return signed.map((name) => `${name} is signed, and no certificate is listed`);
    return { skipped: 'the image does not say that it is signed: it has no certificate' };
  }
  if (another !== undefined) return [`there are several certificates: ${certificates.join(', ')}`];
  const certificate = parseCertificate(await read(certificateFile));
  if (certificate === undefined) return [`${certificateFile} is not one certificate in PEM`];
  if (programs.length === 0)
    return { skipped: 'no unified kernel image is listed as a file (*.efi); those in disks are not looked at' };
  const problems: string[] = [];
  for (const name of programs) {
    const problem = authenticodeProblem(await read(name), certificate);
    if (problem !== undefined) problems.push(`${name}: ${problem}`);
  }
  return problems;
}

function parseCertificate(text: Buffer): X509Certificate | undefined {
  if (text.toString('latin1').split('-----BEGIN CERTIFICATE-----').length !== 2) return undefined;
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}
