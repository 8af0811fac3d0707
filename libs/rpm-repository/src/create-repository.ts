/** Makes a repository directory: packages, rpm-md by createrepo_c, and the ledger. */
import { constants, copyFile, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import { shellQuote, withFileLock, writeFileAtomic, type Host, type RunResult } from '@kiln/host';
import { formatNevra, rpmFileName } from '@kiln/rpm-package';
import { digestFile } from '@kiln/store';
import {
  EMPTY_LEDGER,
  formatLedger,
  parseLedger,
  recordArtifacts,
  type NevraLedger,
  type ReusedNevra,
} from './nevra-ledger.ts';
import { verifyRpm } from './verify-rpm.ts';

/** A program of the toolchain, run isolated: no network, no host paths but the mounts. */
export interface ToolRequest {
  readonly argv: readonly [string, ...string[]];
  readonly mounts: readonly ToolMount[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface ToolMount {
  /** On the host. */
  readonly source: string;
  /** In the sandbox. */
  readonly target: string;
  readonly writable: boolean;
}

/** The door to the toolchain's programs; a non-zero status is a result. */
export type RunTool = (request: ToolRequest) => Promise<RunResult>;

export interface RepositoryRequest {
  /** Is replaced as a whole. The user of the sandbox must be able to write to its parent's new directories: `runTool` sees to that. */
  readonly directory: string;
  /** Ledger to read and to update when the repository itself is made anew elsewhere; by default `ledger.json` in the directory. */
  readonly ledgerFile?: string;
  /** Paths of the RPMs, of any name. */
  readonly rpms: readonly string[];
  /**
   * What to do with a NEVRA that stood for other content before: `refuse` for what others install from, `replace` (with a notice) for a
   * developer's own tree.
   */
  readonly reusedNevra: 'refuse' | 'replace';
  /** Seconds since the epoch, for every time in the metadata; by default the latest build time of the packages. */
  readonly revision?: number;
  /** Metadata of an earlier repository, by the same tools: what it says of unchanged packages is not read from them again. */
  readonly earlier?: EarlierMetadata;
}

export interface EarlierMetadata {
  /** Has `repodata/`. */
  readonly directory: string;
  /** Files of the packages that it describes, by their paths below that repository. */
  readonly packages: Readonly<Record<string, { readonly sha256: Sha256; readonly size: number }>>;
}

export interface RepositoryPackage {
  readonly nevra: string;
  /** Path below the repository. */
  readonly file: string;
  readonly artifactDigest: Sha256;
  readonly fileDigest: Sha256;
  readonly size: number;
}

export interface Repository {
  readonly directory: string;
  readonly revision: number;
  /** Sorted by file name. */
  readonly packages: readonly RepositoryPackage[];
  /** Of repodata/repomd.xml, which names the digests of everything else. */
  readonly repomdDigest: Sha256;
}

interface Candidate extends RepositoryPackage {
  readonly path: string;
  readonly buildTime: number;
}

const READ_AT_ONCE = 16;
const MOST_ANNOUNCED = 3;
const PACKAGES = 'Packages';
const LEDGER = 'ledger.json';
const TARGET = '/repository';
const EARLIER = '/earlier';

/**
 * Verifies the RPMs, copies them into the directory and has createrepo_c describe them. The same RPMs and revision give the same bytes.
 * The old content of the directory stays in place until the new one is complete.
 * @throws BuildError `NEVRA_DUPLICATE`, `NEVRA_REUSED`, `REPOSITORY_FAILED`, `LEDGER_MALFORMED`, and those of `verifyRpm`
 */
export async function createRepository(host: Host, runTool: RunTool, request: RepositoryRequest): Promise<Repository> {
  const { directory } = request;
  const candidates: Candidate[] = [];
  for (let at = 0; at < request.rpms.length; at += READ_AT_ONCE) {
    candidates.push(...(await Promise.all(request.rpms.slice(at, at + READ_AT_ONCE).map(readCandidate))));
  }
  candidates.sort((a, b) => (a.file < b.file ? -1 : 1));
  refuseDuplicates(candidates);
  const revision = request.revision ?? Math.max(0, ...candidates.map(({ buildTime }) => buildTime));
  return withFileLock(
    `${directory}.lock`,
    async () => {
      const [next, previous] = [`${directory}.next`, `${directory}.previous`];
      await restoreInterrupted(directory, previous);
      const ledgerFile = request.ledgerFile ?? join(directory, LEDGER);
      const { ledger, reused } = recordArtifacts(await readLedger(ledgerFile), candidates);
      if (request.reusedNevra === 'refuse') refuseReused(reused);
      else announceReused(host, reused);

      await rm(next, { recursive: true, force: true });
      await mkdir(join(next, PACKAGES), { recursive: true });
      try {
        for (const candidate of candidates) await placePackage(candidate, next);
        const usable = request.earlier !== undefined && isReusable(request.earlier, candidates);
        await describePackages(runTool, next, { revision, ...(usable ? { earlier: request.earlier.directory } : {}) });
        await writeFile(join(next, LEDGER), formatLedger(ledger));
        if (await exists(directory)) await rename(directory, previous);
        await rename(next, directory);
      } finally {
        await rm(next, { recursive: true, force: true });
      }
      await rm(previous, { recursive: true, force: true });
      if (request.ledgerFile !== undefined) await writeFileAtomic(request.ledgerFile, formatLedger(ledger));
      const packages = candidates.map(({ nevra, file, artifactDigest, fileDigest, size }) => ({
        nevra,
        file,
        artifactDigest,
        fileDigest,
        size,
      }));
      return {
        directory,
        revision,
        packages,
        repomdDigest: await digestFile(join(directory, 'repodata', 'repomd.xml')),
      };
    },
    { signal: host.signal },
  );
}

async function readCandidate(path: string): Promise<Candidate> {
  const { header, artifactDigest, fileDigest, size } = await verifyRpm(path);
  const rpm = header.package;
  return {
    path,
    nevra: formatNevra(rpm),
    file: `${PACKAGES}/${rpmFileName(rpm)}`,
    artifactDigest,
    fileDigest,
    size,
    buildTime: rpm.buildTime ?? 0,
  };
}

/** Two packages of one NEVRA, or of one file name (which has no epoch). Expects them sorted by file. */
function refuseDuplicates(candidates: readonly Candidate[]): void {
  const diagnostics = candidates.flatMap((candidate, index): Diagnostic[] => {
    const previous = candidates[index - 1];
    if (previous?.file !== candidate.file) return [];
    const message = `${previous.path} is ${previous.nevra}, ${candidate.path} is ${candidate.nevra}`;
    return [{ severity: 'error', code: 'NEVRA_DUPLICATE', message }];
  });
  if (diagnostics.length === 0) return;
  throw new BuildError('NEVRA_DUPLICATE', `${diagnostics.length} package(s) stand twice in the repository`, {
    diagnostics,
    hint: 'see which specs make them: two specs may not make packages of one name, version, release and architecture',
  });
}

function refuseReused(reused: readonly ReusedNevra[]): void {
  if (reused.length === 0) return;
  throw new BuildError(
    'NEVRA_REUSED',
    `${reused.length} package(s) have other content than was published under their NEVRA`,
    {
      diagnostics: reused.map((entry) => ({ severity: 'error', code: 'NEVRA_REUSED', message: reusedMessage(entry) })),
      hint: 'raise the Release of these packages with `kiln bump <package> -m <why>`, and build again',
    },
  );
}

/** One notice for all: a developer's rebuild changes many packages at once. */
function announceReused(host: Host, reused: readonly ReusedNevra[]): void {
  if (reused.length === 0) return;
  const shown = reused.slice(0, MOST_ANNOUNCED).map(reusedMessage).join('; ');
  const more = reused.length > MOST_ANNOUNCED ? `; and ${reused.length - MOST_ANNOUNCED} more` : '';
  const message = `other content under a known NEVRA: ${shown}${more}; raise the Release with \`kiln bump\` before you publish`;
  host.emit({ type: 'notice', severity: 'warning', code: 'NEVRA_REUSED', message });
}

function reusedMessage({ nevra, known, artifactDigest }: ReusedNevra): string {
  return `${nevra} was ${known.slice(0, 12)}… and is now ${artifactDigest.slice(0, 12)}…`;
}

/** Puts the old directory back when a run was killed between the two renames. */
async function restoreInterrupted(directory: string, previous: string): Promise<void> {
  if ((await exists(previous)) && !(await exists(directory))) await rename(previous, directory);
}

async function readLedger(path: string): Promise<NevraLedger> {
  if (!(await exists(path))) return EMPTY_LEDGER;
  return parseLedger(await readFile(path, 'utf8'), path);
}

/** File times get into the metadata, so they are the packages' own. */
async function placePackage({ path, file, buildTime }: Candidate, directory: string): Promise<void> {
  const target = join(directory, file);
  await copyFile(path, target, constants.COPYFILE_FICLONE);
  await utimes(target, buildTime, buildTime);
}

/**
 * createrepo_c takes a package for unchanged when its size and time are; times are those of builds. So there may be no other content of the
 * same size under a known name.
 */
function isReusable({ packages }: EarlierMetadata, candidates: readonly Candidate[]): boolean {
  return candidates.every(({ file, fileDigest, size }) => {
    const before = packages[file];
    return before === undefined || before.sha256 === fileDigest || before.size !== size;
  });
}

async function describePackages(
  runTool: RunTool,
  directory: string,
  { revision, earlier }: { readonly revision: number; readonly earlier?: string },
): Promise<void> {
  const argv: [string, ...string[]] = [
    'createrepo_c',
    '--quiet',
    '--no-database',
    '--simple-md-filenames',
    '--checksum=sha256',
    `--revision=${revision}`,
    '--set-timestamp-to-revision',
    '--workers=1',
    ...(earlier === undefined ? [] : ['--update', '--update-md-path', EARLIER]),
    TARGET,
  ];
  const { status, stdout, stderr } = await runTool({
    argv,
    mounts: [
      { source: directory, target: TARGET, writable: true },
      ...(earlier === undefined ? [] : [{ source: earlier, target: EARLIER, writable: false }]),
    ],
    environment: { LC_ALL: 'C.UTF-8', TZ: 'UTC', SOURCE_DATE_EPOCH: String(revision) },
  });
  if (status === 0) return;
  throw new BuildError('REPOSITORY_FAILED', `createrepo_c ended with status ${status}: ${(stderr || stdout).trim()}`, {
    command: shellQuote(argv),
  });
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
