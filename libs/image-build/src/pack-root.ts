/** Makes an installed root the same each time, and packs it. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { digestFile } from '@kiln/store';
import type { ImagePorts } from './image-ports.ts';
import type { ImageRequest } from './image-request.ts';
import { OUTPUT, ROOT, RPM_DATABASE, toolEnvironment, type ImageDirectories } from './install-packages.ts';
import type { OciLayer } from './oci-image.ts';
import { parseOsRelease } from './os-release.ts';

/** A packed root. */
export interface PackedRoot {
  /** Compressed tar archive, on the machine. */
  readonly file: string;
  readonly layer: OciLayer;
  readonly osRelease: Readonly<Record<string, string>>;
  /** The rpm database, when it was taken out of the image. */
  readonly rpmDatabase?: string;
}

/**
 * Arguments: source date epoch, `keep` or `remove` for the rpm database.
 *
 * /dev: no package has files there; what scriptlets or mounts left are places of device nodes. Times: what the transaction itself made (directories, generated files) and whatever is later than the epoch gets the epoch; packaged
 * files keep their own. tar: GNU tar's recipe for reproducible archives; of extended attributes only capabilities belong to packages.
 */
const PACK_SCRIPT = `
set -euo pipefail
epoch=$1 database=$2
cd ${ROOT}
rpmdb=.${RPM_DATABASE}
if [ -s "$rpmdb/rpmdb.sqlite-wal" ]; then echo "the rpm database was not closed: rpmdb.sqlite-wal has content" >&2; exit 1; fi
rm -f "$rpmdb/rpmdb.sqlite-wal" "$rpmdb/rpmdb.sqlite-shm" "$rpmdb/.rpm.lock"
rm -f ./var/cache/ldconfig/aux-cache ./var/tmp/rpm-tmp.*
if [ -d ./dev ]; then find ./dev -mindepth 1 -delete; fi
if [ "$database" = remove ]; then
  cp "$rpmdb/rpmdb.sqlite" ${OUTPUT}/rpmdb.sqlite
  rm -f "$rpmdb"/rpmdb.sqlite
fi
if [ -e ./usr/lib/os-release ]; then cat ./usr/lib/os-release > ${OUTPUT}/os-release; else : > ${OUTPUT}/os-release; fi
find . \\( -type d -o -newermt "@$epoch" -o \\( -newer ${OUTPUT}/begin ! -newermt now \\) \\) \\
  -exec touch --no-dereference --date="@$epoch" {} +
tar --create --file=${OUTPUT}/root.tar --format=pax --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime \\
  --sort=name --numeric-owner --xattrs --xattrs-include=security.capability --warning=no-file-ignored .
gzip --no-name -6 --keep ${OUTPUT}/root.tar
`;

/** @throws BuildError `IMAGE_PACK_FAILED` */
export async function packRoot(
  ports: ImagePorts,
  request: ImageRequest,
  directories: ImageDirectories,
): Promise<PackedRoot> {
  const { definition, sourceDateEpoch, log } = request;
  const words = [String(sourceDateEpoch), definition.removeRpmDb ? 'remove' : 'keep'];
  const { status, stdout, stderr, command } = await ports.run({
    argv: ['bash', '-c', PACK_SCRIPT, 'kiln', ...words],
    mounts: [
      { source: directories.root, target: ROOT, writable: true },
      { source: directories.output, target: OUTPUT, writable: true },
    ],
    environment: toolEnvironment(sourceDateEpoch),
    ...(log === undefined ? {} : { log }),
  });
  if (status !== 0) {
    const said = (stderr || stdout).trim();
    throw new BuildError('IMAGE_PACK_FAILED', `${definition.name}: the root could not be packed: ${said}`, {
      log,
      command,
    });
  }
  const [tar, file] = [join(directories.output, 'root.tar'), join(directories.output, 'root.tar.gz')];
  return {
    file,
    layer: { digest: await digestFile(file), size: (await stat(file)).size, diffId: await digestFile(tar) },
    osRelease: parseOsRelease(await readFile(join(directories.output, 'os-release'), 'utf8')),
    ...(definition.removeRpmDb ? { rpmDatabase: join(directories.output, 'rpmdb.sqlite') } : {}),
  };
}
