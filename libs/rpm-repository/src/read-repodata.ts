/** Reads the metadata of a repository (rpm-md): packages one by one, or all with their files. */
import { createHash } from 'node:crypto';
import type { Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { formatNevra } from '@kiln/rpm-package';
import { malformedRepodata, mismatchedRepodata } from './repodata-error.ts';
import { parseFiles, parsePackageEvr, parsePrimaryPackage } from './repodata-package.ts';
import type { RepodataFiles, RepodataPackage } from './repodata-package.ts';
import { readStated, type RepodataSource } from './repodata-source.ts';
import { attributeOf, readXml, requiredChild, type XmlElement } from './repodata-xml.ts';
import { parseRepomd, type Repomd } from './repomd.ts';

/** The files of the package whose RPM has the digest. */
export interface PackageFiles extends RepodataFiles {
  readonly digest: string;
  /** `name-[epoch:]version-release.arch`. */
  readonly nevra: string;
}

const REPOMD = 'repodata/repomd.xml';

/**
 * Reads repomd.xml. It names the digests of everything else, so that its own, when given, pins the whole repository.
 * @throws BuildError `REPODATA_MISSING`, `REPODATA_DIGEST_MISMATCH`, `REPODATA_MALFORMED`, `REPODATA_PATH_OUTSIDE`
 */
export async function readRepomd(source: RepodataSource, digest?: Sha256): Promise<Repomd> {
  const file = `${source.origin}/${REPOMD}`;
  const bytes = await source.read(REPOMD);
  if (bytes === undefined) {
    throw new BuildError('REPODATA_MISSING', `there is no ${file}`, {
      hint: 'name the directory that has repodata/ in it, or make the metadata with createrepo_c',
    });
  }
  const found = createHash('sha256').update(bytes).digest('hex');
  if (digest !== undefined && digest !== found) {
    throw mismatchedRepodata(file, `its sha256 is ${found}, expected is ${digest}`);
  }
  return parseRepomd(bytes, file);
}

/** The packages, in the order of `primary`, while it is read. @throws BuildError `REPODATA_*` */
export function readPrimary(source: RepodataSource, repomd: Repomd): AsyncGenerator<RepodataPackage> {
  return readDocument(source, repomd, { type: 'primary', root: 'metadata', parse: parsePrimaryPackage });
}

/** The files of each package, in the order of `filelists`, while it is read. @throws BuildError `REPODATA_*` */
export function readFilelists(source: RepodataSource, repomd: Repomd): AsyncGenerator<PackageFiles> {
  return readDocument(source, repomd, { type: 'filelists', root: 'filelists', parse: parsePackageFiles });
}

/**
 * All packages with all their files, in the order of `primary`.
 * @throws BuildError `REPODATA_*`; also when `primary` and `filelists` don't describe the same packages
 */
export async function readRepository(source: RepodataSource, digest?: Sha256): Promise<RepodataPackage[]> {
  const repomd = await readRepomd(source, digest);
  const packages = new Map<string, RepodataPackage>();
  for await (const one of readPrimary(source, repomd)) packages.set(one.checksum.value, one);
  const lacking = new Set(packages.keys());
  for await (const { digest: rpm, nevra, files, directories, ghosts } of readFilelists(source, repomd)) {
    const one = packages.get(rpm);
    if (one === undefined) throw unmatched(source, `filelists has ${nevra} (${rpm}), primary has no such package`);
    packages.set(rpm, { ...one, files, directories, ghosts });
    lacking.delete(rpm);
  }
  for (const rpm of lacking) {
    throw unmatched(source, `primary has ${formatNevra(packages.get(rpm)!)} (${rpm}), filelists has no such package`);
  }
  return [...packages.values()];
}

interface DocumentKind<T> {
  readonly type: string;
  readonly root: string;
  readonly parse: (element: XmlElement, file: string) => T;
}

async function* readDocument<T>(
  source: RepodataSource,
  repomd: Repomd,
  { type, root, parse }: DocumentKind<T>,
): AsyncGenerator<T> {
  const stated = repomd.files.get(type);
  if (stated === undefined) {
    const known = [...repomd.files.keys()].join(', ') || 'none';
    throw new BuildError('REPODATA_MISSING', `${source.origin}/${REPOMD} names no '${type}'; the types are: ${known}`, {
      hint: 'make the metadata anew with createrepo_c',
    });
  }
  const file = `${source.origin}/${stated.path}`;
  const document = readXml(readStated(source, stated), root, file);
  let count = 0;
  for await (const element of document.children) {
    if (element.name !== 'package') continue;
    count += 1;
    yield parse(element, file);
  }
  const announced = document.attributes()['packages'];
  if (announced !== undefined && announced !== String(count)) {
    throw malformedRepodata({ file, line: 1 }, `it announces ${announced} packages and has ${count}`);
  }
}

function parsePackageFiles(element: XmlElement, file: string): PackageFiles {
  const [name, arch] = [attributeOf(element, 'name', file), attributeOf(element, 'arch', file)];
  const evr = parsePackageEvr(requiredChild(element, 'version', file), file);
  return {
    digest: attributeOf(element, 'pkgid', file),
    nevra: formatNevra({ name, evr, arch }),
    ...parseFiles(element),
  };
}

function unmatched({ origin }: RepodataSource, found: string): BuildError {
  return new BuildError('REPODATA_MALFORMED', `${origin}: ${found}`, {
    hint: 'both files must come from the same run of createrepo_c: make the metadata anew',
  });
}
