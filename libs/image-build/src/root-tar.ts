/** Archives of a root, and how they are packed: in the sandbox, as Node's zlib gives other bytes on other machines. */
import { OUTPUT } from './install-packages.ts';

/** GNU tar's recipe for reproducible archives, to be run in the root; of extended attributes only capabilities belong to packages. */
export const TAR_COMMAND = [
  'tar --create --format=pax --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime --sort=name --numeric-owner',
  '--xattrs --xattrs-include=security.capability --warning=no-file-ignored',
].join(' ');

/** Bytes: one piece is packed by one process. */
const PIECE = 16 * 1024 * 1024;

/**
 * Bash: `gzip_pieces <file>` writes `<file>.gz` in the output directory. A gzip file consists of members (RFC 1952, 2.2), which are made side by
 * side.
 */
export const GZIP_FUNCTION = `
gzip_pieces() {
  local file=$1 last piece members
  members=${OUTPUT}/members-\${1##*/}
  mkdir "$members"
  last=$((($(find "$file" -printf %s) - 1) / ${PIECE}))
  for ((piece = 0; piece <= last; piece++)); do printf '%06d\\n' "$piece"; done | xargs --max-procs=4 --replace bash -c \\
    'set -o pipefail; dd if="$1" bs=${PIECE} skip=$((10#$2)) count=1 iflag=fullblock status=none | gzip --no-name -6 > "$3/$2"' \\
    kiln "$file" {} "$members"
  cat "$members"/* > "${OUTPUT}/\${1##*/}.gz"
  rm -r "$members"
}
`;
