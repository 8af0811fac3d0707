/** Makes the lock of mode `debian-full` from the archive's indexes as apt gets them now. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import { makeWorkDirectory, removeWorkDirectory } from '@kiln/sandbox';
import type { Store } from '@kiln/store';
import {
  answerRequirement,
  keysFor,
  packagesByStem,
  type Answer,
  type AnswerContext,
  type Requirement,
  type StatedAnswer,
} from './answer-requirements.ts';
import { FoundFiles, parsePackagesIndex, type ArchivePackage } from './debian-archive-index.ts';
import { countDependents, resolveDepends } from './debian-closure.ts';
import { upstreamVersion } from './debian-toolchain.ts';
import { privateApt, type RunApt } from './private-apt.ts';
import type { LockedAnswer, LockedNode, RequirementsLock } from './requirements-lock.ts';
import type { ToolchainLock } from './toolchain-lock.ts';

export interface RequirementsToLock {
  readonly requirements: readonly Requirement[];
  /** The base layer. */
  readonly base: Pick<ToolchainLock, 'suite' | 'packages'>;
  readonly stated: Readonly<Record<string, StatedAnswer>>;
  /** Debian packages that no root needs. */
  readonly exclude: readonly string[];
  /** Those of the requirements that every root has. */
  readonly inEveryRoot: readonly string[];
}

/** Rules whose capability gets the version that the file itself has. */
const RULES_OF_VERSIONED_FILES = new Set(['pkgconfig', 'perl', 'python', 'cmake', 'library', 'path']);

/**
 * Answers all requirements; the same archive gives the same lock.
 * @throws BuildError `TOOLCHAIN_UNRESOLVED` when apt fails, `TOOLCHAIN_CONFIG_INVALID` for a stated package that doesn't exist.
 */
export async function lockRequirements(
  host: Host,
  store: Store,
  { requirements, base, stated, exclude, inEveryRoot }: RequirementsToLock,
): Promise<RequirementsLock> {
  const work = await makeWorkDirectory(host, store, 'apt');
  try {
    const apt = await privateApt(host, work, { suite: base.suite, withContents: true });
    await apt(['apt-get', 'update', '--quiet']);
    const indexes = await listIndexes(apt);
    const archive = await readPackages(apt, indexes);
    const files = await readContents(apt, indexes, requirements);
    const context: AnswerContext = {
      archive,
      files,
      base: new Set(base.packages.map(({ name }) => name)),
      stated,
      dependents: countDependents(archive),
      stems: packagesByStem(archive),
    };
    checkStated(stated, archive);
    const answers = new Map<string, LockedAnswer>();
    const unanswered: string[] = [];
    for (const requirement of [...requirements].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const answer = answerRequirement(requirement, context);
      if (answer === undefined) unanswered.push(requirement.name);
      else answers.set(requirement.name, versioned(answer, requirement, archive));
    }
    for (const { name, needs = [] } of requirements) {
      const known = needs.filter((one) => answers.has(one)).sort();
      if (known.length > 0 && answers.has(name)) answers.set(name, { ...answers.get(name)!, needs: known });
    }
    const roots = new Set([...answers.values()].flatMap(({ packages }) => packages));
    const closure = { ...context, exclude: new Set(exclude) };
    const always = missingOfBase(resolveDepends(context.base, closure), context.base);
    const depends = resolveDepends([...roots, ...always], closure);
    return {
      suite: base.suite,
      releases: await releaseDigests(join(work, 'lists')),
      answers,
      unanswered,
      always,
      inEveryRoot: inEveryRoot.filter((name) => answers.has(name)).sort(),
      packages: lockedNodes(depends, archive),
    };
  } finally {
    await removeWorkDirectory(host, work);
  }
}

function missingOfBase(depends: ReadonlyMap<string, readonly string[]>, base: ReadonlySet<string>): string[] {
  const needed = [...depends].filter(([name]) => base.has(name)).flatMap(([, names]) => names);
  return [...new Set(needed)].filter((name) => !base.has(name)).sort();
}

interface IndexFile {
  readonly kind: 'Packages' | 'Contents-deb';
  readonly file: string;
}

/** In the order of sources.list: updates come after the suite. */
async function listIndexes(apt: RunApt): Promise<IndexFile[]> {
  const format = '$(CREATED_BY) $(FILENAME)';
  const { stdout } = await apt(['apt-get', 'indextargets', '--format', format]);
  return stdout.split('\n').flatMap((line): IndexFile[] => {
    const [kind, file] = line.split(' ');
    if (kind !== 'Packages' && kind !== 'Contents-deb') return [];
    return [{ kind, file: file! }];
  });
}

async function readPackages(apt: RunApt, indexes: readonly IndexFile[]): Promise<Map<string, ArchivePackage>> {
  const archive = new Map<string, ArchivePackage>();
  for (const { kind, file } of indexes) {
    if (kind !== 'Packages') continue;
    const { stdout } = await apt(['/usr/lib/apt/apt-helper', 'cat-file', file]);
    for (const [name, one] of parsePackagesIndex(stdout)) archive.set(name, one);
  }
  return archive;
}

async function readContents(
  apt: RunApt,
  indexes: readonly IndexFile[],
  requirements: readonly Requirement[],
): Promise<FoundFiles> {
  const files = new FoundFiles(requirements.flatMap(keysFor));
  for (const { kind, file } of indexes) {
    // With a log the text isn't kept.
    if (kind === 'Contents-deb')
      await apt(['/usr/lib/apt/apt-helper', 'cat-file', file], { log: '/dev/null', onLine: (line) => files.add(line) });
  }
  return files;
}

function versioned(answer: Answer, { epoch }: Requirement, archive: ReadonlyMap<string, ArchivePackage>): LockedAnswer {
  const [first] = answer.packages;
  if (first === undefined || RULES_OF_VERSIONED_FILES.has(answer.rule)) return answer;
  const upstream = upstreamVersion(archive.get(first)!.version);
  return { ...answer, version: epoch === undefined ? upstream : `${epoch}:${upstream}` };
}

function lockedNodes(
  depends: ReadonlyMap<string, readonly string[]>,
  archive: ReadonlyMap<string, ArchivePackage>,
): Map<string, LockedNode> {
  const names = [...depends.keys()].sort();
  return new Map(
    names.map((name): [string, LockedNode] => {
      const { version, architecture, sha256, size, archive: from, path } = archive.get(name)!;
      return [name, { name, version, architecture, sha256, size, archive: from, path, depends: depends.get(name)! }];
    }),
  );
}

function checkStated(
  stated: Readonly<Record<string, StatedAnswer>>,
  archive: ReadonlyMap<string, ArchivePackage>,
): void {
  for (const [capability, { packages }] of Object.entries(stated)) {
    const unknown = packages.find((name) => !archive.has(name));
    if (unknown === undefined) continue;
    throw new BuildError(
      'TOOLCHAIN_CONFIG_INVALID',
      `'${capability}' is stated to be '${unknown}', which Debian doesn't have`,
      {
        hint: 'correct the list of stated answers',
      },
    );
  }
}

/** Of the signed files that name all indexes by digest, by suite. */
async function releaseDigests(lists: string): Promise<Record<string, string>> {
  const names = (await readdir(lists)).filter((name) => name.endsWith('_InRelease'));
  const texts = await Promise.all(names.map((name) => readFile(join(lists, name), 'utf8')));
  const digests = texts.map((text) => [/^Codename: (.*)$/m.exec(text)?.[1] ?? 'unknown', sha256(text)] as const);
  return Object.fromEntries(digests.sort(([a], [b]) => (a < b ? -1 : 1)));
}
