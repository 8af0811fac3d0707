/** The bill of materials of an image: an SPDX 2.3 document in JSON that names every package, what it was built from, and its digests. */
import { sha256, type Sha256 } from '@kiln/build-identity';
import { formatEvr, formatNevra } from '@kiln/rpm-package';
import type { RpmPackage } from '@kiln/rpm-repository';
import parseLicense from 'spdx-expression-parse';

/** A package of the image. */
export interface SbomPackage {
  readonly rpm: RpmPackage;
  /** Of the whole file. */
  readonly sha256: Sha256;
  /** What built it, in the distribution's words. */
  readonly origin?: string | undefined;
}

export interface SbomInput {
  readonly name: string;
  /** Content of the image, whatever its form. */
  readonly rootDigest: Sha256;
  readonly osRelease: Readonly<Record<string, string>>;
  readonly sourceDateEpoch: number;
  readonly packages: readonly SbomPackage[];
  /** Images that are in this one. */
  readonly images?: readonly SbomReference[];
}

/** Another image's document. */
export interface SbomReference {
  /** Name of the image. */
  readonly name: string;
  readonly namespace: string;
  /** Of the document. */
  readonly sha256: Sha256;
}

/** Type of the reference to the digest of a package's header, which the rpm database of the image has too. */
export const HEADER_REFERENCE = 'rpm-header-sha256';

const IMAGE = 'SPDXRef-Image';
const DOCUMENT = 'SPDXRef-DOCUMENT';

/** The document as text: the same for the same input. */
export function spdxDocument({
  name,
  rootDigest,
  osRelease,
  sourceDateEpoch,
  packages,
  images = [],
}: SbomInput): string {
  const licenses = new Map<string, string>();
  const sources = new Set(packages.flatMap(({ rpm }) => rpm.sourceRpm ?? []));
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: DOCUMENT,
    name,
    documentNamespace: `urn:uuid:${uuidOf(sha256(`${name}\0${rootDigest}`))}`,
    creationInfo: {
      created: new Date(sourceDateEpoch * 1000).toISOString().replace('.000', ''),
      creators: ['Tool: kiln'],
    },
    ...(images.length === 0 ? {} : { externalDocumentRefs: images.map(documentReference) }),
    packages: [
      imagePackage(name, rootDigest, osRelease),
      ...packages.map((one) => binaryPackage(one, osRelease['ID'] ?? 'linux', licenses)),
      ...[...sources].map(sourcePackage),
    ],
    relationships: [
      relationship(DOCUMENT, 'DESCRIBES', IMAGE),
      ...packages.map(({ rpm }) => relationship(IMAGE, 'CONTAINS', idOf(formatNevra(rpm)))),
      ...images.map((one) => relationship(IMAGE, 'CONTAINS', `${documentIdOf(one)}:${IMAGE}`)),
      ...packages.flatMap(({ rpm }) =>
        rpm.sourceRpm === undefined
          ? []
          : [relationship(idOf(formatNevra(rpm)), 'GENERATED_FROM', idOf(rpm.sourceRpm))],
      ),
    ],
    hasExtractedLicensingInfos: [...licenses].map(([licenseId, extractedText]) => ({ licenseId, extractedText })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function documentReference(image: SbomReference) {
  return {
    externalDocumentId: documentIdOf(image),
    spdxDocument: image.namespace,
    checksum: { algorithm: 'SHA256', checksumValue: image.sha256 },
  };
}

function documentIdOf({ name }: SbomReference): string {
  return idOf(name).replace('SPDXRef-', 'DocumentRef-');
}

function imagePackage(name: string, rootDigest: Sha256, osRelease: Readonly<Record<string, string>>) {
  return {
    SPDXID: IMAGE,
    name,
    ...(osRelease['VERSION_ID'] ? { versionInfo: osRelease['VERSION_ID'] } : {}),
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    primaryPackagePurpose: 'OPERATING-SYSTEM',
    comment: `The files of the image as a tar archive have the SHA-256 digest ${rootDigest}.`,
  };
}

function binaryPackage(
  { rpm, sha256: digest, origin }: SbomPackage,
  distribution: string,
  licenses: Map<string, string>,
) {
  return {
    SPDXID: idOf(formatNevra(rpm)),
    name: rpm.name,
    versionInfo: formatEvr(rpm.evr),
    packageFileName: `${rpm.name}-${rpm.evr.version}-${rpm.evr.release}.${rpm.arch}.rpm`,
    ...(rpm.vendor === undefined ? {} : { supplier: `Organization: ${rpm.vendor}` }),
    downloadLocation: 'NOASSERTION',
    ...(rpm.url === undefined ? {} : { homepage: rpm.url }),
    filesAnalyzed: false,
    checksums: [{ algorithm: 'SHA256', checksumValue: digest }],
    sourceInfo: [
      `built from ${rpm.sourceRpm ?? 'an unknown source package'}`,
      ...(origin === undefined ? [] : [origin]),
    ].join('; '),
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: licenseOf(rpm.license, licenses),
    copyrightText: 'NOASSERTION',
    summary: rpm.summary,
    externalRefs: [
      { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl(rpm, distribution) },
      { referenceCategory: 'OTHER', referenceType: HEADER_REFERENCE, referenceLocator: rpm.headerDigest },
    ],
  };
}

/** By its name alone: another source package can give the very same package, which is then no other image. */
function sourcePackage(fileName: string) {
  return {
    SPDXID: idOf(fileName),
    name: fileName.replace(/-[^-]+-[^-]+$/, ''),
    packageFileName: fileName,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    primaryPackagePurpose: 'SOURCE',
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: 'NOASSERTION',
    copyrightText: 'NOASSERTION',
  };
}

function relationship(from: string, type: string, to: string) {
  return { spdxElementId: from, relationshipType: type, relatedSpdxElement: to };
}

/** Letters, digits, `.` and `-` are all that an id may have; what is replaced is told apart by a digest. */
function idOf(text: string): string {
  const plain = text.replaceAll(/[^A-Za-z0-9.-]/g, '-');
  return `SPDXRef-${plain === text ? plain : `${plain}-${sha256(text).slice(0, 8)}`}`;
}

/** An expression of SPDX as it is; any other text gets a name. Every name that isn't on the list of SPDX stands in the document. */
function licenseOf(text: string, licenses: Map<string, string>): string {
  try {
    parseLicense(text);
    for (const [id] of text.matchAll(/LicenseRef-[A-Za-z0-9.-]+/g)) licenses.set(id, `What the package calls ${id}`);
    return text;
  } catch {
    const id = `LicenseRef-${sha256(text).slice(0, 16)}`;
    licenses.set(id, text);
    return id;
  }
}

/** The package-url specification's type rpm. */
function purl({ name, evr, arch, sourceRpm }: RpmPackage, distribution: string): string {
  const { epoch, version, release } = evr;
  const words = [
    `arch=${arch}`,
    ...(epoch ? [`epoch=${epoch}`] : []),
    ...(sourceRpm === undefined ? [] : [`upstream=${encodeURIComponent(sourceRpm)}`]),
  ];
  const path = [distribution, name].map(encodeURIComponent).join('/');
  return `pkg:rpm/${path}@${encodeURIComponent(`${version}-${release}`)}?${words.join('&')}`;
}

/** RFC 9562, version 8: what it is made of is ours. */
function uuidOf(digest: Sha256): string {
  const hex = digest.slice(0, 32);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)];
  return parts.join('-');
}
