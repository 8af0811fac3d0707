/** Reads from a bill of materials what can be compared with an rpm database. */
import { HEADER_REFERENCE } from './sbom.ts';

/** A package as an rpm database knows it. */
export interface PackageRecord {
  /** As rpm prints it: without an epoch that isn't there. */
  readonly nevra: string;
  /** SHA-256 of its header. */
  readonly headerDigest: string;
}

interface SpdxPackage {
  readonly name?: unknown;
  readonly versionInfo?: unknown;
  readonly packageFileName?: unknown;
  readonly externalRefs?: readonly { readonly referenceType?: unknown; readonly referenceLocator?: unknown }[];
}

/** The binary packages; undefined when the text is no such document. */
export function packagesOfSbom(text: string): PackageRecord[] | undefined {
  let document: { readonly spdxVersion?: unknown; readonly packages?: readonly SpdxPackage[] };
  try {
    document = JSON.parse(text) as typeof document;
  } catch {
    return undefined;
  }
  if (document?.spdxVersion !== 'SPDX-2.3' || !Array.isArray(document.packages)) return undefined;
  return document.packages.flatMap(({ name, versionInfo, packageFileName, externalRefs = [] }: SpdxPackage) => {
    const header = externalRefs.find(({ referenceType }) => referenceType === HEADER_REFERENCE)?.referenceLocator;
    if (header === undefined) return [];
    const arch = /\.([^.]+)\.rpm$/.exec(String(packageFileName))?.[1] ?? '';
    return [{ nevra: `${String(name)}-${String(versionInfo)}.${arch}`, headerDigest: String(header) }];
  });
}
