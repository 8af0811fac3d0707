/** After rpmbuild: reads the RPMs, checks them, computes their digests and puts them into the store. */
import { join, relative } from 'node:path';
import { contentDigest, normalizedFileDigest, type ContentFile, type Sha256 } from '@kiln/build-identity';
import { artifactDigest, FILE_FLAG, isRegular, readRpmHeader, type RpmPackage } from '@kiln/rpm-repository';
import type { Host } from '@kiln/host';
import { rpmFileName } from '@kiln/rpm-package';
import type { ActionResult, Blob, Store } from '@kiln/store';
import { compareWithHeaders } from './agreement.ts';
import { checksFailed, type PackageBuild } from './build-package.ts';
import { buildrootOf, entriesOf, expectPlace, payloadFiles } from './build-root-files.ts';
import {
  checkFile,
  checkLargeFile,
  offeredCapabilities,
  ruledFile,
  type Finding,
  type RuleContext,
  type RuledFile,
} from './file-rules.ts';
import { judge } from './check-policy.ts';
import { checkPackages } from './package-rules.ts';
import { isPrimaryPath, type BuiltRpm, type PackageResult } from './package-result.ts';

export interface CollectedBuild {
  readonly build: PackageBuild;
  readonly work: string;
}

interface FoundRpm {
  readonly path: string;
  readonly fileName: string;
  readonly header: RpmPackage;
}

/**
 * @throws BuildError `CHECKS_FAILED` with everything that is wrong, `BUILD_OUTPUT_STRANGE`, `PAYLOAD_DIFFERS`, `RPM_MALFORMED`.
 */
export async function collectResult(
  host: Host,
  store: Store,
  place: CollectedBuild,
): Promise<Omit<ActionResult, 'key'>> {
  const { build, work } = place;
  const { checks } = build.request;
  const found = await findRpms(join(work, 'top'));
  const headers = found.map(({ header }) => header);
  const examined = await examinePayloads(found, await buildrootOf(join(work, 'top')), { ...place, store });
  const findings = [...examined.findings, ...checkPackages(headers.filter(({ isSource }) => !isSource))];
  const diagnostics = [...compareWithHeaders(build.source, headers), ...judge(findings, checks)];
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw checksFailed(build, errors);
  for (const { code, message } of diagnostics)
    host.emit({ type: 'notice', severity: 'warning', code, message: `${build.id}: ${message}` });

  const outputs: Record<string, Blob> = {};
  const rpms: BuiltRpm[] = [];
  for (const one of found) {
    outputs[one.fileName] = await store.putFile(one.path);
    rpms.push(await describe(one, examined.digests.get(one.fileName)));
  }
  const network = build.request.network === true ? { network: true as const } : {};
  const trial = build.toolchain.trial === true ? { trial: true as const } : {};
  const facts: PackageResult = { source: build.source.name, rpms, ...network, ...trial };
  return { outputs, facts };
}

async function findRpms(top: string): Promise<FoundRpm[]> {
  const directories = [join(top, 'SRPMS')];
  const all = join(top, 'RPMS');
  for (const arch of await entriesOf(all, 'directory')) directories.push(join(all, arch));
  const found: FoundRpm[] = [];
  for (const directory of directories) {
    for (const fileName of await entriesOf(directory, 'file')) {
      const path = join(directory, fileName);
      const header = (await readRpmHeader(path)).package;
      expectPlace(relative(top, path), header);
      found.push({ path, fileName, header });
    }
  }
  return found;
}

interface Examined {
  readonly findings: readonly Finding[];
  /** Normalised digests of regular files by path, by RPM file name. */
  readonly digests: ReadonlyMap<string, ReadonlyMap<string, Sha256>>;
}

async function examinePayloads(
  found: readonly FoundRpm[],
  buildroot: string,
  { build, store }: CollectedBuild & { readonly store: Store },
): Promise<Examined> {
  const binaries = found.filter(({ header }) => !header.isSource);
  const libraries = new Set([
    ...build.toolchain.libraryCapabilities,
    ...build.root.flatMap(({ provides }) => provides.map(({ name }) => name)),
  ]);
  const headers = await headersOf(build.root.map(({ blob }) => store.blobPath(blob.sha256)));
  const context: RuleContext = {
    architecture: build.request.architecture,
    compilerFlags: build.request.checks.compilerFlags,
    hasLibrary: (capability) => libraries.has(capability),
    hasHeader: (path) => headers.has(path) || build.toolchain.ownsHeader(path),
  };
  const digests = new Map<string, ReadonlyMap<string, Sha256>>();
  const elves: RuledFile[] = [];
  const findings: Finding[] = [];
  for (const { fileName, header } of binaries) {
    const own = new Map<string, Sha256>();
    for await (const payload of payloadFiles(header, buildroot)) {
      if ('digest' in payload) {
        own.set(payload.entry.path, payload.digest);
        findings.push(...checkLargeFile(header.name, payload));
        continue;
      }
      own.set(payload.entry.path, normalizedFileDigest(payload.bytes));
      const file = ruledFile(header.name, payload);
      if (file.elf === undefined) findings.push(...checkFile(file, context));
      else elves.push(file);
      if (file.elf?.type === 3) for (const one of offeredCapabilities(file.elf, baseName(file))) libraries.add(one);
    }
    digests.set(fileName, own);
  }
  for (const file of elves) findings.push(...checkFile(file, context));
  return { findings, digests };
}

async function headersOf(rpmPaths: readonly string[]): Promise<Set<string>> {
  const files = await Promise.all(rpmPaths.map(async (path) => (await readRpmHeader(path)).package.files));
  return new Set(
    files
      .flat()
      .map(({ path }) => path)
      .filter((path) => path.startsWith('/usr/include/')),
  );
}

function baseName({ entry }: RuledFile): string {
  return entry.path.slice(entry.path.lastIndexOf('/') + 1);
}

/** What a package hands on that was built elsewhere: nothing is left out of its content. @throws BuildError `RPM_MALFORMED` */
export async function describeRpm(path: string): Promise<BuiltRpm> {
  const { package: header } = await readRpmHeader(path);
  return describe({ path, fileName: rpmFileName(header), header }, undefined);
}

async function describe(
  { path, fileName, header }: FoundRpm,
  digests: ReadonlyMap<string, Sha256> | undefined,
): Promise<BuiltRpm> {
  const artifact = await artifactDigest(path);
  const { name, evr, arch, provides, requires, isSource, buildTime } = header;
  return {
    fileName,
    kind: isSource ? 'source' : 'binary',
    name,
    evr,
    arch,
    artifact,
    content: isSource || digests === undefined ? artifact : contentOf(header, digests),
    provides: isSource ? [] : provides,
    requires,
    paths: isSource ? [] : header.files.map((file) => file.path).filter(isPrimaryPath),
    buildTime: buildTime ?? 0,
  };
}

function contentOf(header: RpmPackage, digests: ReadonlyMap<string, Sha256>): Sha256 {
  const { name, arch, evr, provides, requires, conflicts, obsoletes, recommends, suggests, supplements, enhances } =
    header;
  const files = header.files.map((file): ContentFile => {
    const digest = digests.get(file.path);
    return {
      path: file.path,
      mode: file.mode,
      user: file.user,
      group: file.group,
      flags: file.flags & ~FILE_FLAG.artifact,
      ...(file.linkTarget === undefined ? {} : { linkTarget: file.linkTarget }),
      ...(file.capabilities === undefined ? {} : { capabilities: file.capabilities }),
      ...(isRegular(file) && digest !== undefined ? { digest } : {}),
    };
  });
  const scriptlets = [
    ...header.scriptlets.map(
      ({ kind, interpreter, body }) => [kind, `${interpreter.join(' ')}\n${body ?? ''}`] as const,
    ),
    ...header.triggers.map((trigger, i) => [`trigger ${i}`, JSON.stringify(trigger)] as const),
  ];
  return contentDigest({
    name,
    arch,
    evr,
    dependencies: { provides, requires, conflicts, obsoletes, recommends, suggests, supplements, enhances },
    scriptlets: Object.fromEntries(scriptlets),
    files,
  });
}
