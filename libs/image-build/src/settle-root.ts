/** Makes a root the same each time: traces of the machine and of the clock go. */
import { hasReadOnlyRoot } from './file-systems.ts';
import type { ImageStage, JoinedScript } from './image-stage.ts';
import { OUTPUT, ROOT, RPM_DATABASE } from './install-packages.ts';

/**
 * Of bash, in the root; $epoch is the source date epoch.
 *
 * /dev: no package has files there; what scriptlets or mounts left are places of device nodes. Times: what was made here
 * (directories, generated files) and whatever is later than the epoch gets the epoch; packaged files keep their own.
 */
export const SETTLE_COMMANDS = `
rpmdb=.${RPM_DATABASE}
if [ -s "$rpmdb/rpmdb.sqlite-wal" ]; then echo "the rpm database was not closed: rpmdb.sqlite-wal has content" >&2; exit 1; fi
rm -f "$rpmdb/rpmdb.sqlite-wal" "$rpmdb/rpmdb.sqlite-shm" "$rpmdb/.rpm.lock"
rm -f ./var/cache/ldconfig/aux-cache ./var/tmp/rpm-tmp.*
if [ -d ./dev ]; then find ./dev -mindepth 1 -delete; fi
find . \\( -type d -o -newermt "@$epoch" -o \\( -newer ${OUTPUT}/begin ! -newermt now \\) \\) \\
  -exec touch --no-dereference --date="@$epoch" {} +
`;

/**
 * Arguments: source date epoch, `keep` or `remove` for the rpm database, `read-only` or `writable` for the root.
 *
 * Where nothing can be written, sqlite opens no database with a write-ahead log: bytes 18 and 19 of its header say that there is one.
 */
const SETTLE_SCRIPT = `
epoch=$1 database=$2 root=$3
cd ${ROOT}
database_file=.${RPM_DATABASE}/rpmdb.sqlite
if [ "$root" = read-only ] && [ -e "$database_file" ]; then
  printf '\\001\\001' | dd of="$database_file" bs=1 seek=18 conv=notrunc status=none
fi
if [ "$database" = remove ]; then
  cp "$database_file" ${OUTPUT}/rpmdb.sqlite
  rm -f "$database_file"
fi
if [ -e ./usr/lib/os-release ]; then cat ./usr/lib/os-release > ${OUTPUT}/os-release; else : > ${OUTPUT}/os-release; fi
${SETTLE_COMMANDS}`;

/** Takes traces of customizing out of the root, and its rpm database where the definition wants that. */
export function settleScript({ request }: ImageStage): JoinedScript {
  const { definition, sourceDateEpoch } = request;
  return {
    script: SETTLE_SCRIPT,
    words: [
      String(sourceDateEpoch),
      definition.removeRpmDb ? 'remove' : 'keep',
      hasReadOnlyRoot(definition) ? 'read-only' : 'writable',
    ],
    failure: 'the root could not be packed',
    code: 'IMAGE_PACK_FAILED',
  };
}
