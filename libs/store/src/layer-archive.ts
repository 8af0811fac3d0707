/** A layer as one file, to be carried to another store: the same layer gives the same archive. */
import { chmod, chown, readdir } from 'node:fs/promises';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, giveToBuildUser, programRequirement, type Host, type Requirement } from '@kiln/host';
import { walkTree } from './tree-seal.ts';

/** What packing and unpacking need of the machine. */
export const archiveRequirements: readonly Requirement[] = [
  programRequirement({ program: 'tar', why: 'packs layers', debianPackage: 'tar', minimalVersion: '1.30' }),
  programRequirement({ program: 'zstd', why: 'compresses layers', debianPackage: 'zstd' }),
];

/** Builds can give their files attributes of this kind alone. */
const ATTRIBUTES = ['--xattrs', '--xattrs-include=user.*'];

/** GNU tar's recipe for reproducible archives. Times have all their digits; the owner is whoever builds on a machine. */
const PACKING = [
  ...['--format=pax', '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime'],
  ...['--sort=name', '--numeric-owner', '--owner=0', '--group=0', ...ATTRIBUTES],
];

/** tar leaves no directory: not by `..`, not by a link, and nothing is written over. */
const UNPACKING = ['--no-same-owner', '--same-permissions', '--keep-old-files', ...ATTRIBUTES];

/**
 * Packs a directory whose files all belong to the build user, as tar compressed with zstd.
 * @throws BuildError `LAYER_NOT_PACKED`, `PROGRAM_NOT_FOUND`; an error with code `ENOSPC`.
 */
export async function packLayer(host: Host, directory: string, archive: string): Promise<void> {
  const { uid } = await buildUser(host);
  const foreign = walkTree(directory).find(({ stats }) => stats.uid !== uid);
  if (foreign !== undefined) throw notPacked(directory, `${foreign.path} doesn't belong to the build user`);
  await requireZstd(host);
  const names = (await readdir(directory)).sort();
  const tar = ['tar', '--create', `--file=${archive}`, '--use-compress-program=zstd -T2 -9', ...PACKING];
  await run(host, [...tar, `--directory=${directory}`, '--', ...names], (said) => notPacked(directory, said));
}

/**
 * Unpacks such an archive into an empty directory, as the build user. What can't be unpacked in it leaves nothing outside.
 * @param fail what the error is, from tar's or zstd's words
 * @throws the error of `fail`; BuildError `PROGRAM_NOT_FOUND`; an error with code `ENOSPC`.
 */
export async function unpackLayer(
  host: Host,
  archive: string,
  { directory, fail }: { readonly directory: string; readonly fail: (said: string) => BuildError },
): Promise<void> {
  await requireZstd(host);
  const user = await buildUser(host);
  await giveToBuildUser(user, directory);
  const tar = ['tar', '--extract', `--file=${archive}`, '--use-compress-program=zstd', ...UNPACKING];
  await run(host, [...user.prefix, ...tar, `--directory=${directory}`], fail);
  const odd = walkTree(directory).find(({ stats, type }) => type === 'file' && !stats.isFile());
  if (odd !== undefined) throw fail(`${odd.path} is neither a file nor a directory nor a link`);
  // The layer's own directory is not the build user's.
  if (user.prefix.length > 0) await chown(directory, process.getuid!(), process.getgid!());
  await chmod(directory, 0o755);
}

/** tar would say of a missing program what it says of a bad archive. @throws BuildError `PROGRAM_NOT_FOUND` */
async function requireZstd(host: Host): Promise<void> {
  await host.run({ argv: ['zstd', '--version'], cwd: '/' });
}

async function run(host: Host, argv: readonly string[], fail: (said: string) => BuildError): Promise<void> {
  const { status, stderr } = await host.run({
    argv: argv as [string, ...string[]],
    cwd: '/',
    environment: { PATH: host.environment['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' },
  });
  if (status === 0) return;
  if (stderr.includes('No space left on device')) throw Object.assign(new Error(stderr), { code: 'ENOSPC' });
  throw fail(stderr.trim().split('\n', 1)[0] || `${argv[0]} ended with status ${status}`);
}

function notPacked(directory: string, said: string): BuildError {
  return new BuildError('LAYER_NOT_PACKED', `the layer ${directory} can't be packed: ${said}`);
}
