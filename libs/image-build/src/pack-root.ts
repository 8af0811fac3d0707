/** Makes an installed root the same each time, and packs it. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';
import { digestFile } from '@kiln/store';
import { hasReadOnlyRoot } from './file-systems.ts';
import { runScript, type ImageStage } from './image-stage.ts';
import { OUTPUT, ROOT, RPM_DATABASE } from './install-packages.ts';
import type { OciLayer } from './oci-image.ts';
import { parseOsRelease } from './os-release.ts';

/** A packed root; paths are on the machine. */
export interface PackedRoot {
  /** Uncompressed tar archive. */
  readonly tar: string;
  readonly diffId: Sha256;
  /** Compressed with gzip, when an artifact is made of that. */
  readonly gzip?: { readonly file: string; readonly layer: OciLayer };
  readonly osRelease: Readonly<Record<string, string>>;
  /** The rpm database, when it was taken out of the image. */
  readonly rpmDatabase?: string;
}

/**
 * Arguments: source date epoch, `keep` or `remove` for the rpm database, `read-only` or `writable` for the root.
 *
 * Where nothing can be written, sqlite opens no database with a write-ahead log: bytes 18 and 19 of its header say that there is one.
 * /dev: no package has files there; what scriptlets or mounts left are places of device nodes. Times: what the transaction itself made
 * (directories, generated files) and whatever is later than the epoch gets the epoch; packaged files keep their own.
 */
const SETTLE_SCRIPT = `
epoch=$1 database=$2 root=$3
cd ${ROOT}
rpmdb=.${RPM_DATABASE}
if [ -s "$rpmdb/rpmdb.sqlite-wal" ]; then echo "the rpm database was not closed: rpmdb.sqlite-wal has content" >&2; exit 1; fi
rm -f "$rpmdb/rpmdb.sqlite-wal" "$rpmdb/rpmdb.sqlite-shm" "$rpmdb/.rpm.lock"
rm -f ./var/cache/ldconfig/aux-cache ./var/tmp/rpm-tmp.*
if [ -d ./dev ]; then find ./dev -mindepth 1 -delete; fi
if [ "$root" = read-only ] && [ -e "$rpmdb/rpmdb.sqlite" ]; then
  printf '\\001\\001' | dd of="$rpmdb/rpmdb.sqlite" bs=1 seek=18 conv=notrunc status=none
fi
if [ "$database" = remove ]; then
  cp "$rpmdb/rpmdb.sqlite" ${OUTPUT}/rpmdb.sqlite
  rm -f "$rpmdb"/rpmdb.sqlite
fi
if [ -e ./usr/lib/os-release ]; then cat ./usr/lib/os-release > ${OUTPUT}/os-release; else : > ${OUTPUT}/os-release; fi
find . \\( -type d -o -newermt "@$epoch" -o \\( -newer ${OUTPUT}/begin ! -newermt now \\) \\) \\
  -exec touch --no-dereference --date="@$epoch" {} +
`;

/**
 * GNU tar's recipe for reproducible archives; of extended attributes only capabilities belong to packages. A gzip file consists of members
 * (RFC 1952, 2.2), which are made side by side.
 */
const TAR_SCRIPT = `
cd ${ROOT}
tar --create --file=${OUTPUT}/root.tar --format=pax --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime \\
  --sort=name --numeric-owner --xattrs --xattrs-include=security.capability --warning=no-file-ignored .
if [ "$1" = gzip ]; then
  cd ${OUTPUT}
  mkdir members
  last=$((($(find root.tar -printf %s) - 1) / PIECE))
  for ((piece = 0; piece <= last; piece++)); do printf '%06d\\n' "$piece"; done | xargs --max-procs=4 --replace bash -c \\
    'set -o pipefail; dd if=root.tar bs=PIECE skip=$((10#{})) count=1 iflag=fullblock status=none | gzip --no-name -6 > members/{}'
  cat members/* > root.tar.gz
  rm -r members
fi
`.replaceAll('PIECE', String(16 * 1024 * 1024));

/** Types of artifacts that the compressed archive is part of. */
const GZIP_TYPES = new Set(['oci', 'tar.gz']);

/** Takes traces of the installation out of the root and gives it its times. @throws BuildError `IMAGE_PACK_FAILED` */
export async function settleRoot(stage: ImageStage): Promise<void> {
  const { definition, sourceDateEpoch } = stage.request;
  await runScript(stage, {
    script: SETTLE_SCRIPT,
    words: [
      String(sourceDateEpoch),
      definition.removeRpmDb ? 'remove' : 'keep',
      hasReadOnlyRoot(definition) ? 'read-only' : 'writable',
    ],
    failure: 'the root could not be packed',
    code: 'IMAGE_PACK_FAILED',
    tools: 'toolchain',
    changesRoot: true,
  });
}

/** @throws BuildError `IMAGE_PACK_FAILED` */
export async function packRoot(stage: ImageStage): Promise<PackedRoot> {
  const { definition } = stage.request;
  const { output } = stage.directories;
  const isCompressed = definition.artifacts.some(({ type }) => GZIP_TYPES.has(type));
  await runScript(stage, {
    script: TAR_SCRIPT,
    words: [isCompressed ? 'gzip' : 'plain'],
    failure: 'the root could not be packed',
    code: 'IMAGE_PACK_FAILED',
    tools: 'toolchain',
  });
  const [tar, file] = [join(output, 'root.tar'), join(output, 'root.tar.gz')];
  const diffId = await digestFile(tar);
  const layer = async () => ({ digest: await digestFile(file), size: (await stat(file)).size, diffId });
  return {
    tar,
    diffId,
    ...(isCompressed ? { gzip: { file, layer: await layer() } } : {}),
    osRelease: parseOsRelease(await readFile(join(output, 'os-release'), 'utf8')),
    ...(definition.removeRpmDb ? { rpmDatabase: join(output, 'rpmdb.sqlite') } : {}),
  };
}
