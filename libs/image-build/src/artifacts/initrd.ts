/** The root's files as an initial RAM disk, and the kernel that starts it. */
import { scriptWriter } from '../made-image.ts';

/** cpio in the format `newc`, packed with zstd. What is in /boot is of no use in it. The kernel starts /init; a root without one has its init there. */
export const writeInitrd = scriptWriter(`
pack() { LC_ALL=C sort -z | cpio --quiet --create --null --format=newc --reproducible; }
{
  (cd /image; find . -path './boot/*' -prune -o -print0 | pack)
  if [ ! -e /image/init ] && [ ! -L /image/init ]; then
    mkdir start
    ln -s usr/sbin/init start/init
    touch --no-dereference --date="@$SOURCE_DATE_EPOCH" start/init
    (cd start; printf 'init\\0' | pack)
  fi
} | zstd --quiet -T2 -12 --check > artifact
`);

/** The newest one of the root. */
export const writeKernel = scriptWriter(`
kernel=$(find /image/boot -maxdepth 1 -name 'vmlinuz-*' | sort --version-sort | tail -n 1)
if [ -z "$kernel" ]; then echo 'there is no /boot/vmlinuz-*' >&2; exit 1; fi
cp "$kernel" artifact
`);
