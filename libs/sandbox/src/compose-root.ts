/** The script between unshare and bubblewrap: composes the layers in its own mount namespace, then becomes the command. */

/** The descriptor on which bubblewrap gets the filter of system calls. */
export const FILTER_DESCRIPTOR = 3;

/** A file without content in that namespace. */
export const EMPTY_FILE = '/sys/empty';

/** Where the composed root is in that namespace. /sys is always there and nobody in there needs it. */
export const COMPOSED_ROOT = '/sys/root';

/**
 * Arguments: `null` or `keep` for standard input (bash reads start-up files when that is a socket), the filter of system calls in base64, layers, `--`, missing directories, `--`, missing files, `--`, command. Layers get one-digit names because all options of
 * a mount share one page. Descriptors that we inherited are closed: one of a directory would lead out of the sandbox.
 */
export const COMPOSE_SCRIPT = `
set -euo pipefail
for each in /proc/self/fd/*; do
  number=\${each##*/}
  if [ "$number" -gt 2 ]; then eval "exec $number>&-"; fi
done
if [ "$1" = null ]; then exec < /dev/null; fi
shift
umask 022
mount -t tmpfs -o mode=0755 kiln /sys
cd /sys
: > empty
printf %s "$1" | base64 --decode > filter
exec ${FILTER_DESCRIPTOR}< filter
shift
lower='' count=0
while [ "$1" != -- ]; do
  ln -s -- "$1" "$count"
  lower="$lower:$count" count=$((count + 1))
  shift
done
shift
if [ "$1" != -- ] || [ "$2" != -- ]; then
  mkdir points
  lower="$lower:points" count=$((count + 1))
  while [ "$1" != -- ]; do mkdir -p "points$1"; shift; done
  shift
  while [ "$1" != -- ]; do mkdir -p "points\${1%/*}"; : > "points$1"; shift; done
else
  shift
fi
shift
if [ "$count" -gt 1 ]; then
  mkdir root
  mount -t overlay -o "lowerdir=\${lower#:},userxattr" kiln root
else
  ln -s 0 root
fi
cd /
exec "$@"
`;
