import { execFileSync } from 'node:child_process';
import { sha256 } from '@kiln/build-identity';
import { readRpmHeader } from '@kiln/rpm-repository';
import { digestFile } from '@kiln/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HEADER_REFERENCE, spdxDocument, type SbomInput } from '../src/sbom.ts';
import { specWith } from './test-packages.ts';
import { buildRpms, hasRpmbuild, removeTemporaryDirectories } from './tool-root.ts';

interface Document {
  readonly documentNamespace: string;
  readonly packages: readonly Readonly<Record<string, unknown>>[];
  readonly relationships: readonly Readonly<Record<string, string>>[];
  readonly hasExtractedLicensingInfos: readonly unknown[];
}

let input: SbomInput;
let path: string;

describe.skipIf(!hasRpmbuild())('spdxDocument', () => {
  beforeAll(async () => {
    const spec = specWith('odd+name', 'Epoch: 2', '%files').replace('License: MIT', 'License: GPLv2+ and BSD');
    path = (await buildRpms(spec, 1_700_000_000))[0]!.path;
    const { package: rpm } = await readRpmHeader(path);
    input = {
      name: 'small',
      rootDigest: sha256('root'),
      osRelease: { ID: 'test', VERSION_ID: '1.5' },
      sourceDateEpoch: 1_700_000_000,
      packages: [{ rpm, sha256: await digestFile(path), origin: 'SPECS/odd/odd.spec' }],
    };
  });
  afterAll(removeTemporaryDirectories);

  const read = (changed: Partial<SbomInput> = {}) => JSON.parse(spdxDocument({ ...input, ...changed })) as Document;

  it('names the package as rpm does, with its digests, licence and source', () => {
    const [image, binary, source] = read().packages;
    const ask = (format: string) =>
      execFileSync('rpm', ['-qp', '--nosignature', '--qf', format, path], { encoding: 'utf8' });
    expect(image).toMatchObject({ name: 'small', versionInfo: '1.5', primaryPackagePurpose: 'OPERATING-SYSTEM' });
    expect(binary).toMatchObject({
      name: ask('%{NAME}'),
      versionInfo: ask('%{EPOCH}:%{VERSION}-%{RELEASE}'),
      packageFileName: 'odd+name-1-1.x86_64.rpm',
      checksums: [
        { algorithm: 'SHA256', checksumValue: execFileSync('sha256sum', [path], { encoding: 'utf8' }).slice(0, 64) },
      ],
      sourceInfo: 'built from odd+name-1-1.src.rpm; SPECS/odd/odd.spec',
      externalRefs: [
        {
          referenceType: 'purl',
          referenceLocator: 'pkg:rpm/test/odd%2Bname@1-1?arch=x86_64&epoch=2&upstream=odd%2Bname-1-1.src.rpm',
        },
        { referenceType: HEADER_REFERENCE, referenceLocator: ask('%{SHA256HEADER}') },
      ],
    });
    expect(source).toMatchObject({ name: 'odd+name', packageFileName: 'odd+name-1-1.src.rpm' });
  });

  it('keeps a licence that is no SPDX expression as a text of its own', () => {
    const { packages, hasExtractedLicensingInfos } = read();
    const licenseId = packages[1]!['licenseDeclared'];
    expect(licenseId).toMatch(/^LicenseRef-[0-9a-f]{16}$/);
    expect(hasExtractedLicensingInfos).toEqual([{ licenseId, extractedText: 'GPLv2+ and BSD' }]);
  });

  it('explains names that the list of SPDX lacks', () => {
    const [one] = input.packages;
    const rpm = { ...one!.rpm, license: 'MIT AND LicenseRef-Public-Domain' };
    const { packages, hasExtractedLicensingInfos } = read({ packages: [{ ...one!, rpm }] });
    expect(packages[1]!['licenseDeclared']).toBe('MIT AND LicenseRef-Public-Domain');
    expect(hasExtractedLicensingInfos).toMatchObject([{ licenseId: 'LicenseRef-Public-Domain' }]);
  });

  it('says what is in what, by ids that SPDX allows', () => {
    const { packages, relationships } = read();
    const ids = packages.map(({ SPDXID }) => String(SPDXID));
    expect(ids.every((id) => /^SPDXRef-[A-Za-z0-9.-]+$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect(
      relationships.map(({ spdxElementId, relationshipType, relatedSpdxElement }) => [
        spdxElementId,
        relationshipType,
        relatedSpdxElement,
      ]),
    ).toEqual([
      ['SPDXRef-DOCUMENT', 'DESCRIBES', ids[0]],
      [ids[0], 'CONTAINS', ids[1]],
      [ids[1], 'GENERATED_FROM', ids[2]],
    ]);
  });

  it('is the same for the same image and another for another', () => {
    expect(spdxDocument(input)).toBe(spdxDocument(input));
    expect(read({ rootDigest: sha256('other') }).documentNamespace).not.toBe(read().documentNamespace);
    expect(read().documentNamespace).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
});
