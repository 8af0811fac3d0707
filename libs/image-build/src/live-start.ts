/** What starts a system whose files are in one file of a medium: programs of the image itself and a short script. */

/** Run in the initial RAM disk. All but the modules' are needed. */
const PROGRAMS = ['bash', 'mkdir', 'mount', 'sleep', 'switch_root', 'umount'];

/** With which the kernel reads from USB, where they aren't built in. */
const MEDIUM_MODULES = ['xhci-pci', 'ehci-pci', 'uhci-hcd', 'usb-storage'];

/**
 * Runs in the image's root; leaves in /output/start the programs with their libraries, and modules with the list /modules of their order.
 * The directories that are links in the image (/lib64, ...) are so here.
 */
export const COLLECT_SCRIPT = `
export PATH=/usr/bin:/usr/sbin
[ -x /usr/sbin/init ] || { echo 'a system on an ISO image needs /usr/sbin/init, which no package of it has' >&2; exit 1; }
start=/output/start
mkdir -p $start/{dev,proc,run,sys,system,usr/bin,usr/lib,usr/lib64,usr/sbin}
for link in bin lib lib64 sbin; do
  if [ -L "/$link" ]; then cp -P "/$link" "$start/$link"; fi
done
loader=$(echo /lib64/ld-linux-*.so.*)
take() { if [ ! -e "$start$1" ]; then mkdir -p "$start\${1%/*}"; cp -L "$1" "$start$1"; fi; }
program() {
  local line words
  take "$1"
  while read -r line; do
    for words in $line; do
      if [[ $words == /* ]]; then take "$words"; fi
    done
  done < <("$loader" --list "$1")
}
for name in ${PROGRAMS.join(' ')}; do
  path=$(type -P "$name") || { echo "a system on an ISO image needs the program '$name', which no package of it has" >&2; exit 1; }
  program "$path"
done
: > $start/modules
version=$1
if path=$(type -P insmod); then
  program "$path"
  for module in ${MEDIUM_MODULES.join(' ')}; do
    while read -r what file _; do
      if [ "$what" != insmod ] || [ -e "$start$file" ]; then continue; fi
      take "$file"
      echo "$file" >> $start/modules
    done < <(modprobe --set-version "$version" --show-depends "$module" 2> /dev/null)
  done
fi
`;

/**
 * /init of the initial RAM disk.
 * @param file path on the medium: a squashfs with the system's files, of which no other medium has the name
 */
export function startScript(file: string): string {
  return `#!/usr/bin/bash
# Finds the medium with the system's files, lays a file system in memory over them, and starts the system.
export PATH=/usr/bin:/usr/sbin
file='${file}'
shopt -s nullglob

fail() {
  echo "live: $*" > /dev/console
  sleep 30
  exit 1
}

find_medium() {
  local tries device
  for ((tries = 0; tries < 120; tries++)); do
    for device in /sys/class/block/*; do
      device=/dev/\${device##*/}
      case $device in /dev/loop* | /dev/ram*) continue ;; esac
      mount -t iso9660 -o ro "$device" /run/live/medium 2> /dev/null || continue
      if [ -e "/run/live/medium$file" ]; then return 0; fi
      umount /run/live/medium
    done
    sleep 0.5
  done
  return 1
}

mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sys /sys
mount -t devtmpfs -o nosuid,mode=0755 dev /dev
mount -t tmpfs -o nosuid,nodev,mode=0755 run /run
while read -r module; do insmod "$module" 2> /dev/null; done < /modules
mkdir -p /run/live/{medium,files,memory}
find_medium || fail "no medium has $file"
mount -t squashfs -o ro,loop "/run/live/medium$file" /run/live/files || fail "$file can not be read"
mount -t tmpfs -o mode=0755 live /run/live/memory || fail 'there is no memory for changes'
mkdir /run/live/memory/{changes,work}
mount -t overlay -o lowerdir=/run/live/files,upperdir=/run/live/memory/changes,workdir=/run/live/memory/work live /system ||
  fail 'the changes in memory can not be laid over the files'
exec switch_root /system /usr/sbin/init
fail 'the system can not be started'
`;
}
