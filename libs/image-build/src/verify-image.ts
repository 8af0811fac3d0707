/** Whether the files of an image are what was published: for people who have downloaded them, with nothing of the build but the files. */
import { createReadStream, createWriteStream } from 'node:fs';
import { access, copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { BuildError } from '@kiln/diagnostics';
import type { Host, RunResult } from '@kiln/host';
import { digestFile } from '@kiln/store';
import { CHECKSUM_FILE, RPM_DATABASE_SUFFIX, SBOM_SUFFIX } from './image-files.ts';
import type { Findings, ImageCheck } from './image-checks.ts';
import { RPM_DATABASE } from './install-packages.ts';
import { readOciArchive } from './oci-archive.ts';
import { packagesOfSbom, type PackageRecord } from './sbom-packages.ts';
import { secureBootProblems } from './verify-secure-boot.ts';

export interface VerifyRequest {
  /** Has SHA256SUMS and what it lists. */
  readonly directory: string;
  /** Armored OpenPGP key of the publisher; without it nobody's signature is believed. */
  readonly publicKeyFile?: string;
}

const CHECKSUM_LINE = /^([0-9a-f]{64}) [ *]([^/\0]+)$/;
const QUERY = '%{NEVRA}\\t%{SHA256HEADER}\\n';

/**
 * All checks, in a fixed order; what can't be checked is skipped with the reason as its problem.
 * @throws BuildError `VERIFY_INPUT` when there is no list of checksums, `PROGRAM_NOT_FOUND`
 */
export async function verifyImage(host: Host, request: VerifyRequest): Promise<ImageCheck[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'kiln-verify-'));
  try {
    const sums = await readSums(request.directory);
    return [
      check('the list of checksums is signed', await signatureProblems(host, request, scratch)),
      check('every file is as it is listed', await checksumProblems(request.directory, sums)),
      check('the bill of materials names what is installed', await sbomProblems(host, request, { sums, scratch })),
      check('what the firmware starts is signed', await secureBootProblems(request.directory, [...sums.keys()])),
    ];
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function check(name: string, findings: Findings): ImageCheck {
  if ('skipped' in findings) return { name, outcome: 'skipped', problems: [findings.skipped] };
  return { name, outcome: findings.length === 0 ? 'passed' : 'failed', problems: findings };
}

/** Digest by file name. */
async function readSums(directory: string): Promise<ReadonlyMap<string, string>> {
  const path = join(directory, CHECKSUM_FILE);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new BuildError('VERIFY_INPUT', `${path} can't be read`, { cause, hint: 'name the directory of the image' });
  });
  const rows = text.split('\n').filter((line) => line !== '');
  if (rows.length === 0) throw new BuildError('VERIFY_INPUT', `${path} is empty`);
  return new Map(
    rows.map((line, index) => {
      const match = CHECKSUM_LINE.exec(line);
      if (match !== null) return [match[2]!, match[1]!];
      throw new BuildError('VERIFY_INPUT', `this is no line of checksums: '${line}'`, {
        location: { file: path, line: index + 1 },
      });
    }),
  );
}

async function checksumProblems(directory: string, sums: ReadonlyMap<string, string>): Promise<string[]> {
  const problems: string[] = [];
  for (const [name, expected] of sums) {
    const found = await digestFile(join(directory, name)).catch(() => undefined);
    if (found === undefined) problems.push(`${name} is missing`);
    else if (found !== expected) problems.push(`${name} has SHA-256 ${found}, listed is ${expected}`);
  }
  return problems;
}

/** With nothing but the given key. */
async function signatureProblems(
  host: Host,
  { directory, publicKeyFile }: VerifyRequest,
  scratch: string,
): Promise<Findings> {
  const signature = join(directory, `${CHECKSUM_FILE}.asc`);
  const isSigned = await exists(signature);
  if (publicKeyFile === undefined)
    return {
      skipped: isSigned ? 'no key was given to check the signature with' : 'there is neither a signature nor a key',
    };
  if (!isSigned) return [`there is no ${CHECKSUM_FILE}.asc`];
  const home = join(scratch, 'gnupg');
  await mkdir(home, { mode: 0o700 });
  const gpg = (...words: string[]) =>
    run(host, ['gpg', '--batch', '--no-autostart', '--homedir', home, '--status-fd', '1', ...words]);
  const imported = await gpg('--import', resolve(publicKeyFile));
  if (!/^\[GNUPG:\] IMPORT_OK /m.test(imported.stdout))
    return [`${publicKeyFile} is no OpenPGP key: ${said(imported)}`];
  const { status, stdout, stderr } = await gpg(
    '--trust-model',
    'always',
    '--verify',
    signature,
    join(directory, CHECKSUM_FILE),
  );
  const isGood = /^\[GNUPG:\] GOODSIG /m.test(stdout) && /^\[GNUPG:\] VALIDSIG /m.test(stdout);
  return status === 0 && isGood ? [] : [`gpg does not accept the signature: ${stderr.trim()}`];
}

interface VerifyPlaces {
  readonly sums: ReadonlyMap<string, string>;
  readonly scratch: string;
}

async function sbomProblems(
  host: Host,
  { directory }: VerifyRequest,
  { sums, scratch }: VerifyPlaces,
): Promise<Findings> {
  const name = [...sums.keys()].find((one) => one.endsWith(SBOM_SUFFIX));
  if (name === undefined) return [`${CHECKSUM_FILE} lists no bill of materials (*${SBOM_SUFFIX})`];
  const stated = packagesOfSbom(await readFile(join(directory, name), 'utf8').catch(() => ''));
  if (stated === undefined) return [`${name} is no SPDX document of an image`];
  const database = join(scratch, 'rpmdb');
  await mkdir(database);
  if (!(await takeDatabase(host, { directory, files: [...sums.keys()], database })))
    return { skipped: 'no file that was listed has an rpm database that can be read' };
  const queried = await run(host, [
    ...['rpm', '--dbpath', database, '--define', '_db_backend sqlite', '--nosignature', '--nodigest'],
    ...['--query', '--all', '--queryformat', QUERY],
  ]);
  if (queried.status !== 0) return [`rpm can't read the database of the image: ${said(queried)}`];
  return compare(stated, recordsOf(queried.stdout));
}

/** Copies the image's database: one that lies beside it, or that of its root file system. False when there is none. */
async function takeDatabase(
  host: Host,
  {
    directory,
    files,
    database,
  }: { readonly directory: string; readonly files: readonly string[]; readonly database: string },
): Promise<boolean> {
  const copy = join(database, 'rpmdb.sqlite');
  const beside = files.find((name) => name.endsWith(RPM_DATABASE_SUFFIX));
  if (beside !== undefined)
    return copyFile(join(directory, beside), copy).then(
      () => true,
      () => false,
    );
  const member = `.${RPM_DATABASE}/rpmdb.sqlite`;
  for (const archive of await rootArchives(directory, files, database)) {
    const words = ['--extract', '--gzip', '--file', archive, '--directory', database, '--strip-components=5', member];
    if ((await run(host, ['tar', ...words])).status === 0) return true;
  }
  return false;
}

/** Compressed tar archives of the root file system: what is in an earlier one hides what is in later ones. */
async function rootArchives(directory: string, files: readonly string[], scratch: string): Promise<string[]> {
  const archive = files.find((name) => name.endsWith('.tar.gz'));
  if (archive !== undefined) return [join(directory, archive)];
  const oci = files.find((name) => name.endsWith('.oci.tar'));
  if (oci === undefined) return [];
  const { layers } = await readOciArchive(join(directory, oci));
  const copies: string[] = [];
  for (const [index, { offset, size }] of layers.entries()) {
    const copy = join(scratch, `layer-${index}.tar.gz`);
    await pipeline(
      createReadStream(join(directory, oci), { start: offset, end: offset + size - 1 }),
      createWriteStream(copy),
    );
    copies.unshift(copy);
  }
  return copies;
}

function recordsOf(text: string): PackageRecord[] {
  return text
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([nevra]) => nevra !== '' && !nevra!.startsWith('gpg-pubkey-'))
    .map(([nevra, headerDigest]) => ({ nevra: nevra!, headerDigest: headerDigest! }));
}

function compare(stated: readonly PackageRecord[], installed: readonly PackageRecord[]): string[] {
  const found = new Map(installed.map((one) => [one.nevra, one.headerDigest]));
  const names = new Set(stated.map(({ nevra }) => nevra));
  return [
    ...stated.filter(({ nevra }) => !found.has(nevra)).map(({ nevra }) => `${nevra} is named but not installed`),
    ...installed.filter(({ nevra }) => !names.has(nevra)).map(({ nevra }) => `${nevra} is installed but not named`),
    ...stated
      .filter(({ nevra, headerDigest }) => found.has(nevra) && found.get(nevra) !== headerDigest)
      .map(
        ({ nevra, headerDigest }) =>
          `${nevra} was installed with the header ${found.get(nevra)}, named is ${headerDigest}`,
      ),
  ];
}

function run({ run: start, environment }: Host, argv: readonly string[]): Promise<RunResult> {
  return start({
    argv: argv as [string, ...string[]],
    environment: { PATH: environment['PATH'] ?? '/usr/bin:/bin', HOME: '/', LC_ALL: 'C.UTF-8' },
  });
}

function said({ stdout, stderr }: RunResult): string {
  return (stderr || stdout).trim();
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
