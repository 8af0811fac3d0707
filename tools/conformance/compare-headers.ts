/** Every RPM below some directories, read three ways: by us, by `rpm -qp`, and through the metadata of createrepo_c. */
import { spawnSync } from 'node:child_process';
import { linkSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import type { BuildError } from '@kiln/diagnostics';
import { readRepository, readRpmHeader, repositoryDirectory, verifyRpm } from '@kiln/rpm-repository';
import { buildOddRpms, LARGE, ODD_SPECS } from '../../libs/rpm-repository/test/odd-rpms.ts';
import { viewOfHeader, viewOfRepodata } from '../../libs/rpm-repository/test/repodata-oracle.ts';
import { askRpm, viewOf } from '../../libs/rpm-repository/test/rpm-oracle.ts';

interface Difference {
  readonly rpm: string;
  /** Which way of reading we were compared with. */
  readonly with: 'rpm' | 'createrepo_c';
  readonly aspect: string;
  readonly ours: unknown;
  readonly theirs: unknown;
}

interface Report {
  readonly rpms: number;
  /** What both sides refuse. */
  readonly refused: number;
  readonly described: number;
  readonly differences: readonly Difference[];
}

type View = Readonly<Record<string, unknown>>;

export async function compareHeaders(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      odd: { type: 'boolean' },
      rpm: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const work = mkdtempSync(join(tmpdir(), 'kiln-headers-'));
  try {
    const rpms = positionals.flatMap(rpmsBelow);
    if (values.odd === true) rpms.push(...signed(buildOddRpms(join(work, 'odd'), [...ODD_SPECS, LARGE]), work));
    if (rpms.length === 0) throw new Error('no RPMs: name directories that have some, or --odd to have some built');
    const report = await compareAll([...new Set(rpms)], (values.rpm ?? 'rpm').split(' ') as [string], work);
    if (values.json === true) console.log(JSON.stringify(report, undefined, 1));
    else printReport(report);
    if (report.differences.length > 0) process.exitCode = 1;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The packages, and each again with a signature of a key made for it. */
function signed(rpms: readonly string[], work: string): string[] {
  const home = join(work, 'gnupg');
  const copies = join(work, 'signed');
  for (const directory of [home, copies]) mkdirSync(directory, { mode: 0o700 });
  const environment = { ...process.env, GNUPGHOME: home };
  const run = (program: string, ...words: readonly string[]): void => {
    const { status, stderr } = spawnSync(program, words, { encoding: 'utf8', env: environment });
    if (status !== 0) throw new Error(`${program}: ${stderr}`);
  };
  run('gpg', '--batch', '--passphrase', '', '--quick-generate-key', 'odd@kiln.example', 'rsa2048', 'sign', 'never');
  const targets = rpms.map((path) => join(copies, basename(path)));
  rpms.forEach((path, index) => copyFileSync(path, targets[index]!));
  run('rpmsign', '--define', '_gpg_name odd@kiln.example', '--define', '__gpg /usr/bin/gpg', '--addsign', ...targets);
  run('gpgconf', '--kill', 'all');
  return [...rpms, ...targets];
}

function rpmsBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.rpm'))
    .map((entry) => resolve(entry.parentPath, entry.name))
    .sort();
}

async function compareAll(rpms: readonly string[], rpm: readonly [string], work: string): Promise<Report> {
  const differences: Difference[] = [];
  const readable: string[] = [];
  for (const path of rpms) {
    const [ours, theirs] = [
      await attempt(async () => viewOf(await readRpmHeader(path))),
      await attempt(() => askRpm(path, rpm)),
    ];
    if (ours instanceof Error || theirs instanceof Error) {
      if (ours instanceof Error && theirs instanceof Error) continue;
      const said = (one: unknown) => (one instanceof Error ? one.message : 'read');
      differences.push({ rpm: path, with: 'rpm', aspect: 'acceptance', ours: said(ours), theirs: said(theirs) });
      continue;
    }
    readable.push(path);
    differences.push(...compareViews(path, 'rpm', ours, theirs));
    const verified = await attempt(() => verifyRpm(path));
    const status = spawnSync(rpm[0], [...rpm.slice(1), '-K', '--nosignature', path]).status;
    const accepted = !(verified instanceof Error && (verified as BuildError).code === 'RPM_DIGEST_MISMATCH');
    if (accepted !== (status === 0)) {
      differences.push({ rpm: path, with: 'rpm', aspect: 'digests', ours: accepted, theirs: status === 0 });
    }
  }
  differences.push(...(await compareMetadata(readable, join(work, 'repository'))));
  return { rpms: rpms.length, refused: rpms.length - readable.length, described: readable.length, differences };
}

/** All in one repository, under names of their own. */
async function compareMetadata(rpms: readonly string[], directory: string): Promise<Difference[]> {
  mkdirSync(directory);
  const paths = new Map(rpms.map((path, index) => [`${index}.rpm`, path]));
  for (const [name, path] of paths) place(path, join(directory, name));
  const { status, stderr } = spawnSync('createrepo_c', ['--quiet', '--no-database', directory], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`createrepo_c: ${stderr}`);
  const described = new Map(
    (await readRepository(repositoryDirectory(directory))).map((one) => [one.checksum.value, one]),
  );
  const differences: Difference[] = [];
  for (const path of rpms) {
    const { fileDigest, header } = await unverified(path);
    const one = described.get(fileDigest);
    if (one === undefined)
      differences.push({ rpm: path, with: 'createrepo_c', aspect: 'presence', ours: true, theirs: false });
    else differences.push(...compareViews(path, 'createrepo_c', viewOfHeader(header), viewOfRepodata(one)));
  }
  return differences;
}

/** Old packages without digests are described too. */
async function unverified(path: string) {
  const { stdout } = spawnSync('sha256sum', [path], { encoding: 'utf8' });
  return { header: await readRpmHeader(path), fileDigest: stdout.slice(0, 64) };
}

function place(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

function compareViews(rpm: string, other: Difference['with'], ours: View, theirs: View): Difference[] {
  return Object.keys(theirs)
    .filter((aspect) => !isDeepStrictEqual(ours[aspect], theirs[aspect]))
    .map((aspect) => ({ rpm, with: other, aspect, ours: ours[aspect], theirs: theirs[aspect] }));
}

async function attempt<T>(read: () => T | Promise<T>): Promise<T | Error> {
  try {
    return await read();
  } catch (error) {
    return error as Error;
  }
}

function printReport({ rpms, refused, differences }: Report): void {
  for (const { rpm, with: other, aspect, ours, theirs } of differences) {
    console.log(
      `${rpm}: ${aspect}\n  Kiln          ${JSON.stringify(ours)}\n  ${other.padEnd(14)}${JSON.stringify(theirs)}`,
    );
  }
  console.log(`${rpms} RPMs, ${refused} refused by both, ${differences.length} differences`);
}
