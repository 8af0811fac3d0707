/** The root's files as an initial RAM disk: cpio in the format `newc`, packed with zstd. */
import { scriptWriter } from '../made-image.ts';

/** The kernel starts /init; a root without one has its init there. */
export const writeInitrd = scriptWriter(`
pack() { LC_ALL=C sort -z | cpio --quiet --create --null --format=newc --reproducible; }
{
  (cd /image; find . -print0 | pack)
  if [ ! -e /image/init ] && [ ! -L /image/init ]; then
    mkdir start
    ln -s usr/sbin/init start/init
    touch --no-dereference --date="@$SOURCE_DATE_EPOCH" start/init
    (cd start; printf 'init\\0' | pack)
  fi
} | zstd --quiet -T2 -12 --check > artifact
`);
