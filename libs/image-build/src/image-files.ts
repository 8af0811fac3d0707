/** Names of the files that lie beside the artifacts of an image. */

export const CHECKSUM_FILE = 'SHA256SUMS';
/** Of the rpm database of an image that has none in itself. */
export const RPM_DATABASE_SUFFIX = '.rpmdb.sqlite';
/** Of the bill of materials. */
export const SBOM_SUFFIX = '.spdx.json';

const CERTIFICATE_PREFIX = 'SECURE-BOOT-';

/** Of the certificate whose key has signed what the firmware starts. */
export function certificateFile(distribution: string): string {
  return `${CERTIFICATE_PREFIX}${distribution}.pem`;
}

export function isCertificateFile(name: string): boolean {
  return name.startsWith(CERTIFICATE_PREFIX) && name.endsWith('.pem');
}
