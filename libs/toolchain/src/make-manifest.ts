/** Makes a manifest: what is asked for, and all that it requires, chosen among what the repositories offer. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError, nearestWord, type Diagnostic } from '@kiln/diagnostics';
import { ProviderIndex, resolveClosure, type Closure } from '@kiln/package-graph';
import {
  compareEvr,
  formatDependency,
  formatEvr,
  formatNevra,
  parseDependency,
  rpmFileName,
  type Dependency,
} from '@kiln/rpm-package';
import { programCapabilities } from './layer-programs.ts';
import { offeredRpms, type ManifestPlace, type OfferedFiles, type OfferedRpm } from './offered-rpms.ts';
import { parsePackageList, type ListedRpm } from './package-lists.ts';
import {
  DEFAULT_PRIORITY,
  type ManifestPackage,
  type ManifestRequest,
  type ToolchainManifest,
} from './toolchain-manifest.ts';

/**
 * Reads the repositories and resolves the request. The manifest is closed: every requirement of a member is met by a member.
 * @param file how the manifest is called in messages
 * @throws BuildError `TOOLCHAIN_UNRESOLVED` with everything that is missing, `TOOLCHAIN_LIST_INVALID`, those of `offeredRpms`.
 */
export async function makeToolchainManifest(
  place: ManifestPlace,
  request: ManifestRequest,
  file: string,
): Promise<ToolchainManifest> {
  const listed = request.lists.flatMap((path) => parsePackageList(readList(place.root, path, file), path));
  const resolve = async (files: OfferedFiles): Promise<Resolved> => {
    const offers: OfferedRpm[] = [];
    for (const repository of request.repositories)
      offers.push(...(await offeredRpms(place, repository, { keys: request.keys, files })));
    return resolveOffers(request, offers, listed);
  };
  const resolved = await resolve('primary');
  const lacksPath = resolved.closure.unresolved.some(({ dependency }) => HAS_PATH.test(dependency.name));
  return manifestOf(request, lacksPath ? await resolve('all') : resolved, file);
}

/** A path, or a rich dependency with one. */
const HAS_PATH = /(^|[( ])\//;

/** The pure part: the same offers in any order give the same manifest. */
export function resolveManifest(
  request: ManifestRequest,
  offers: readonly OfferedRpm[],
  { listed, file }: { readonly listed: readonly ListedRpm[]; readonly file: string },
): ToolchainManifest {
  return manifestOf(request, resolveOffers(request, offers, listed), file);
}

interface Resolved {
  readonly listed: readonly ListedRpm[];
  /** What the repositories have for this architecture and at this time. */
  readonly usable: readonly OfferedRpm[];
  readonly chosen: readonly OfferedRpm[];
  readonly closure: Closure;
}

function resolveOffers(
  request: ManifestRequest,
  offers: readonly OfferedRpm[],
  listed: readonly ListedRpm[],
): Resolved {
  const usable = offers.filter(
    ({ arch, published }) =>
      (arch === request.architecture || arch === 'noarch') && published <= snapshotSeconds(request),
  );
  const pinned = pinListed(listed.flatMap(asPin), usable);
  const chosen = [...bestOffers(usable, pinned).values()];
  const roots: Dependency[] = [
    ...request.roots.map(parseDependency),
    ...listed.filter(({ fileName }) => fileName === undefined).map(({ name }) => ({ name })),
    ...[...pinned.values()].map(({ name, evr }) => ({ name, operator: '=' as const, evr })),
  ];
  return { listed, usable, chosen, closure: resolveClosure(new ProviderIndex(chosen), roots) };
}

/** @throws BuildError `TOOLCHAIN_UNRESOLVED` */
function manifestOf(request: ManifestRequest, resolved: Resolved, file: string): ToolchainManifest {
  refuseOpen(resolved, request, file);
  const { usable, chosen, closure } = resolved;
  const offerOf = new Map(chosen.map((one) => [one as object, one]));
  const members = closure.members
    .map((one) => offerOf.get(one)!)
    .sort((a, b) => (formatNevra(a) < formatNevra(b) ? -1 : 1));
  return {
    ...{ architecture: request.architecture, keys: request.keys, repositories: request.repositories },
    ...(request.snapshot === undefined ? {} : { snapshot: request.snapshot }),
    roots: request.roots,
    lists: request.lists,
    packages: members.map(manifestPackage),
    provides: Object.fromEntries(members.map((one) => [formatNevra(one), offeredCapabilities(one)])),
    specs: {},
    others: othersOf(members, usable).map(manifestPackage),
  };
}

/** The RPMs that come from the same source RPMs, from the best repository that has them. */
function othersOf(members: readonly OfferedRpm[], usable: readonly OfferedRpm[]): OfferedRpm[] {
  const sources = new Set(members.flatMap(({ source }) => source ?? []));
  const found = new Map<string, OfferedRpm>();
  for (const one of usable) {
    if (one.source === undefined || !sources.has(one.source)) continue;
    const known = found.get(formatNevra(one));
    if (known === undefined || isBefore(one, known)) found.set(formatNevra(one), one);
  }
  for (const one of members) found.delete(formatNevra(one));
  return [...found.keys()].sort().map((nevra) => found.get(nevra)!);
}

/** Capabilities and programs, sorted, as plans compare them. */
export function offeredCapabilities({ provides, files = [] }: Pick<OfferedRpm, 'provides' | 'files'>): string[] {
  const programs = files.filter((path) => PROGRAM.test(path)).map((path) => path.replace(/^\/(s?bin)\//, '/usr/$1/'));
  return [...new Set([...provides.map(formatDependency), ...programs.flatMap(programCapabilities)])].sort();
}

const PROGRAM = /^(\/usr)?\/s?bin\/[^/]+$/;

function snapshotSeconds({ snapshot }: ManifestRequest): number {
  return snapshot === undefined ? Infinity : Date.parse(snapshot) / 1000;
}

function readList(root: string, path: string, file: string): string {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch (cause) {
    throw new BuildError('TOOLCHAIN_LIST_INVALID', `${path} can't be read`, {
      location: { file, line: 1 },
      hint: 'write the list, or take it out of "lists" of the manifest',
      cause,
    });
  }
}

/** A line of a list that names one version. */
type Pin = Required<ListedRpm>;

function asPin({ fileName, ...rest }: ListedRpm): Pin[] {
  return fileName === undefined ? [] : [{ ...rest, fileName }];
}

/** The offers that lists name, by package name. @throws BuildError `TOOLCHAIN_UNRESOLVED`, `TOOLCHAIN_LIST_INVALID` */
function pinListed(listed: readonly Pin[], offers: readonly OfferedRpm[]): ReadonlyMap<string, OfferedRpm> {
  const byFile = new Map<string, OfferedRpm>();
  for (const one of offers) {
    const name = rpmFileName(one);
    const known = byFile.get(name);
    if (known === undefined || isBefore(one, known)) byFile.set(name, one);
  }
  const lacking = listed.filter(({ fileName }) => !byFile.has(fileName));
  if (lacking.length > 0) {
    throw unresolved(
      lacking[0]!.location.file,
      lacking.map(({ fileName, name, location }) => {
        const others = offers.filter((one) => one.name === name).map(({ evr }) => formatEvr(evr));
        const has =
          others.length === 0 ? 'no package of that name' : `${name} ${[...new Set(others)].sort().join(', ')}`;
        return { message: `no repository has ${fileName}; there is ${has}`, location };
      }),
    );
  }
  const pinned = new Map<string, OfferedRpm>();
  for (const { name, fileName, location } of listed) {
    const [one, known] = [byFile.get(fileName)!, pinned.get(name)];
    if (known !== undefined && known !== one) {
      throw new BuildError('TOOLCHAIN_LIST_INVALID', `${fileName} is listed, and ${rpmFileName(known)} too`, {
        location,
        hint: 'a toolchain has one version of a package: keep one of the lines',
      });
    }
    pinned.set(name, one);
  }
  return pinned;
}

/** For each name the pinned offer, else the newest of the repository with the smallest priority. */
function bestOffers(
  offers: readonly OfferedRpm[],
  pinned: ReadonlyMap<string, OfferedRpm>,
): ReadonlyMap<string, OfferedRpm> {
  const best = new Map<string, OfferedRpm>(pinned);
  for (const one of offers) {
    if (pinned.has(one.name)) continue;
    const known = best.get(one.name);
    if (known === undefined || isBefore(one, known)) best.set(one.name, one);
  }
  return best;
}

/** Priority, then the newer version, then names and digests, so that the order of the repositories' content has no influence. */
function isBefore(a: OfferedRpm, b: OfferedRpm): boolean {
  const priority = ({ repository }: OfferedRpm) => repository.priority ?? DEFAULT_PRIORITY;
  const text = ({ arch, repository, sha256 }: OfferedRpm) => `${arch} ${repository.name} ${sha256}`;
  const order = priority(a) - priority(b) || compareEvr(b.evr, a.evr);
  return order === 0 ? text(a) < text(b) : order < 0;
}

/** @throws BuildError `TOOLCHAIN_UNRESOLVED` */
function refuseOpen({ listed, chosen, closure }: Resolved, request: ManifestRequest, file: string): void {
  const { unresolved: lacks, conflicts } = closure;
  const names = chosen.map(({ name }) => name);
  const problems = [
    ...lacks.map(({ dependency, requiredBy, offers }) => {
      const near = offers.length === 0 ? nearestWord(dependency.name, names) : undefined;
      const text = formatDependency(dependency);
      const line = requiredBy === undefined ? listed.find(({ name }) => name === text) : undefined;
      const by = requiredBy ?? line?.location.file ?? "'roots'";
      const there = offers.length > 0 ? `; there is ${offers.map(formatDependency).join(', ')}` : '';
      const hint = near === undefined ? '' : `; did you mean '${near}'?`;
      return {
        message: `nothing provides '${text}', which ${by} asks for${there}${hint}`,
        ...(line === undefined ? {} : { location: line.location }),
      };
    }),
    ...conflicts.map((one) => ({
      message: `${one.package} excludes ${one.with.join(', ')}: ${one.kind} ${one.dependency}`,
    })),
  ];
  if (problems.length === 0) return;
  const only = request.snapshot === undefined ? '' : ` as they were at ${request.snapshot}`;
  throw unresolved(file, problems, only);
}

function unresolved(
  file: string,
  problems: readonly Pick<Diagnostic, 'message' | 'location'>[],
  only = '',
): BuildError {
  return new BuildError(
    'TOOLCHAIN_UNRESOLVED',
    `the repositories${only} don't have all that the toolchain needs: ${problems.length} problem${problems.length === 1 ? '' : 's'}`,
    {
      location: { file, line: 1 },
      diagnostics: problems.map((one) => ({ severity: 'error', code: 'TOOLCHAIN_UNRESOLVED', ...one })),
      hint: 'add a repository that has it, or correct "roots" and lists of the manifest',
    },
  );
}

function manifestPackage(one: OfferedRpm): ManifestPackage {
  const { repository, size, sha256, path, source } = one;
  return {
    nevra: formatNevra(one),
    ...{ size, sha256, repository: repository.name, path },
    ...(repository.rpmKey === undefined ? {} : { key: repository.rpmKey }),
    ...(source === undefined ? {} : { source }),
  };
}
