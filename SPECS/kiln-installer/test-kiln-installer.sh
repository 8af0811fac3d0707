#!/usr/bin/bash
# Tests of kiln-installer, in a directory that stands for the machine. Programs that change disks and accounts only write
# down how they were called.
#   test-kiln-installer.sh <kiln-installer>
set -uo pipefail
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export KILN_INSTALLER_ROOT=$work/root WORK=$work PATH=$work/bin:$PATH
medium=$work/root/run/live/medium
target=$work/root/run/kiln-installer/target
failed=0

# expect <what> <expected> <actual>
expect() {
    test "$2" = "$3" && return
    printf 'FAILED: %s\n--- expected\n%s\n--- actual\n%s\n' "$1" "$2" "$3"
    failed=1
}

# stub <name>: the rest of it from standard input
stub() {
    { printf '#!/usr/bin/bash\n'; cat; } > "$work/bin/$1"
    chmod +x "$work/bin/$1"
}

mkdir -p "$work/bin"
for name in chown chroot grub2-install mke2fs mkfs.vfat mkswap mount sfdisk systemctl udevadm umount useradd usermod; do
    stub "$name" <<'END'
echo "${0##*/} $*" | sed "s,$WORK/root,,g" >> "$WORK/calls"
case ${0##*/} in
    sfdisk) cat > "$WORK/table" ;;
    useradd) echo "${!#}:x:1000:1000::/home/${!#}:/bin/bash" >> "$2/etc/passwd" ;;
esac
END
done
stub findmnt <<< 'echo /dev/sdb1'
stub lsblk <<'END'
case "$*" in
    *PKNAME*) echo '/dev/sdb /dev/sdb1' ;;
    *) printf '%s\n' '/dev/sda 4294967296 disk 0 Disk of somebody' '/dev/sdb 8589934592 disk 0 The medium' '/dev/sdc 268435456 disk 0 Small' \
        '/dev/sdd 4294967296 disk 1' '/dev/nvme0n1 4294967296 disk 0 Fast' '/dev/sr0 1000000 rom 0' ;;
esac
END
stub wipefs <<< 'case "$*" in *--no-act*sda) echo "0 gpt" ;; *--no-act*) ;; *) echo "wipefs $*" >> "$WORK/calls" ;; esac'
stub blkid <<< 'echo "$5-of-${6##*/}"'
stub zstd <<< 'exec cat "${!#}"'

# machine: a new one with the medium's answers from standard input
machine() {
    rm -rf "$work"/{root,calls,table,system}
    mkdir -p "$medium/installer" "$medium/systems/server" "$work"/system/{boot,etc/sudoers.d}
    printf 'title A server\ncommand-line quiet console=ttyS0,9600\nsize-kib 409600\n' > "$medium/systems/server/description"
    printf 'root:x:0:\nwheel:x:10:\n' > "$work/system/etc/group"
    printf 'root:x:0:0::/root:/bin/bash\n' > "$work/system/etc/passwd"
    echo '127.0.0.1 localhost' > "$work/system/etc/hosts"
    touch "$work"/system/boot/vmlinuz-{6.9,6.12}
    tar --create --file="$medium/systems/server/root.tar.zst" --directory="$work/system" .
    cat > "$medium/installer/answers"
}

auto() {
    "$program" auto > "$work/out" 2>&1 < /dev/null
    status=$?
}

# refuses <message>: what the answers of standard input lead to; nothing is done then
refuses() {
    machine
    auto
    expect "status with: $1" 1 $status
    expect "message" "installer: error: $1" "$(tail -n 1 "$work/out")"
    expect "calls with: $1" '' "$(cat "$work/calls" 2> /dev/null)"
}

machine <<'END'
# A comment
disk /dev/sda
overwrite yes
hostname web.example
user ann
password-hash $6$salt$digest
ssh-key ssh-ed25519 AAAA ann@x
ssh-key ssh-ed25519 BBBB ann@y
root-password-hash $y$j9T$salt$digest
swap 512
end reboot
END
auto
expect 'status' 0 $status
expect 'what is said' 'installer: A server is installed on /dev/sda' "$(tail -n 1 "$work/out")"
expect 'calls' 'wipefs --quiet --all --force /dev/sda
sfdisk --quiet --wipe always --wipe-partitions always /dev/sda
udevadm settle --timeout=30
mkfs.vfat -F 32 -n ESP /dev/sda2
mkswap --quiet /dev/sda3
mke2fs -q -F -t ext4 -L root /dev/sda4
udevadm settle --timeout=30
mount -o defaults /dev/sda4 /run/kiln-installer/target
mount -o umask=0077 /dev/sda2 /run/kiln-installer/target/boot/efi
usermod --root /run/kiln-installer/target --password $y$j9T$salt$digest root
useradd --root /run/kiln-installer/target --create-home --shell /bin/bash --groups wheel --password $6$salt$digest ann
chown -R 1000:1000 /run/kiln-installer/target/home/ann/.ssh
grub2-install --target=i386-pc --boot-directory=/run/kiln-installer/target/boot /dev/sda
grub2-install --target=x86_64-efi --boot-directory=/run/kiln-installer/target/boot --efi-directory=/run/kiln-installer/target/boot/efi --removable --no-nvram
umount --recursive /run/kiln-installer/target
systemctl --no-block reboot' "$(cat "$work/calls")"
expect 'partitions' 'label: gpt
start=1MiB, size=8MiB, type=21686148-6449-6E6F-744E-656564454649, name="loader"
start=9MiB, size=64MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name="esp"
start=73MiB, size=512MiB, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F, name="swap"
start=585MiB, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name="root"' "$(cat "$work/table")"
expect 'fstab' 'PARTUUID=PART_ENTRY_UUID-of-sda4 / ext4 defaults 0 1
PARTUUID=PART_ENTRY_UUID-of-sda2 /boot/efi vfat umask=0077 0 2
PARTUUID=PART_ENTRY_UUID-of-sda3 none swap sw 0 0' "$(cat "$target/etc/fstab")"
expect 'host name' web.example "$(cat "$target/etc/hostname")"
expect 'hosts' '127.0.0.1 localhost
127.0.1.1 web.example' "$(cat "$target/etc/hosts")"
expect 'rule of sudo' 'ann ALL=(ALL) ALL' "$(cat "$target/etc/sudoers.d/50-installer")"
expect 'keys' 'ssh-ed25519 AAAA ann@x
ssh-ed25519 BBBB ann@y' "$(cat "$target/home/ann/.ssh/authorized_keys")"
expect 'menu' "serial --unit=0 --speed=9600
terminal_input serial console
terminal_output serial console
set default=0
set timeout=0
search --no-floppy --fs-uuid --set=root UUID-of-sda4
menuentry 'server 6.12' {
  linux /boot/vmlinuz-6.12 root=PARTUUID=PART_ENTRY_UUID-of-sda4 rootfstype=TYPE-of-sda4 quiet console=ttyS0,9600
}
menuentry 'server 6.9' {
  linux /boot/vmlinuz-6.9 root=PARTUUID=PART_ENTRY_UUID-of-sda4 rootfstype=TYPE-of-sda4 quiet console=ttyS0,9600
}" "$(cat "$target/boot/grub2/grub.cfg")"

# An empty disk needs no leave; partitions of some disks have a letter before the number.
machine <<< 'disk /dev/nvme0n1'
auto
expect 'status' 0 $status
expect 'root' 'mke2fs -q -F -t ext4 -L root /dev/nvme0n1p3' "$(grep mke2fs "$work/calls")"
expect 'end' 'systemctl --no-block poweroff' "$(tail -n 1 "$work/calls")"

machine < /dev/null
rm "$medium/installer/answers"
auto
expect 'status without answers' 0 $status
expect 'said without answers' '' "$(cat "$work/out")"

ln -s /dev/nvme0n1 "$work/by-id"
machine <<< "disk $work/by-id"
auto
expect 'status with a link' 0 $status
expect 'loader with a link' 'grub2-install --target=i386-pc --boot-directory=/run/kiln-installer/target/boot /dev/nvme0n1' \
    "$(grep i386 "$work/calls")"

disks='the disks are: /dev/sda /dev/sdc /dev/nvme0n1'
refuses "\"disk\" is missing; $disks" <<< 'overwrite yes'
refuses "there is no disk /dev/vda; $disks" <<< 'disk /dev/vda'
refuses "there is no disk /dev/sdb; $disks" <<< 'disk /dev/sdb'
refuses 'the disk /dev/sdc has 256 MiB, and 830 MiB are needed' <<< 'disk /dev/sdc'
refuses 'the disk /dev/sda is not empty; "overwrite yes" lets everything on it be lost' <<< 'disk /dev/sda'
refuses 'line 2 of the answers: "dsk" is not understood; README of kiln-installer has what is' <<< $'# one\ndsk /dev/sda'
refuses 'line 2 of the answers: "disk" is there twice' <<< $'disk /dev/sda\ndisk /dev/sdc'
refuses 'line 1 of the answers: "disk" says nothing' <<< 'disk'
refuses 'there is no system "desktop"; the systems are: server' <<< 'system desktop'
refuses '"swap 1G" is no number of MiB' <<< $'disk /dev/nvme0n1\nswap 1G'
refuses '"-a" is no host name' <<< $'disk /dev/nvme0n1\nhostname -a'
refuses '"Ann" is no name of a user' <<< $'disk /dev/nvme0n1\nuser Ann'
refuses '"password-hash" is no hash as in /etc/shadow' <<< $'disk /dev/nvme0n1\nuser ann\npassword-hash secret'
refuses '"password-hash" and "ssh-key" need "user"' <<< $'disk /dev/nvme0n1\nssh-key ssh-ed25519 AAAA'
refuses '"end halt" is none of poweroff, reboot, stay' <<< $'disk /dev/nvme0n1\nend halt'

# describe: the system has standard input too
describe() {
    cat >> "$medium/systems/server/description"
}

# A system that says what its disk is divided into, hides processes and has labels.
machine <<< 'disk /dev/sda
overwrite yes'
describe <<'END'
hidepid yes
selinux yes
table gpt
partition 1 9 - - partuuid bios - - 
partition 9 73 - fat32 uuid esp,active /boot/efi umask=0077 The "ESP"
partition 73 585 - ext3 partlabel - /boot ro,noatime boot
partition 585 1000 - linux-swap uuid - - - swap
partition 1000 2500 933AC7E1-2EB4-4F13-B844-0E14E2AEF915 ext4 partuuid - /home nodev home
partition 2500 0 - ext4 partuuid - / defaults root
END
mkdir -p "$work"/system/{etc/selinux/own/contexts/files,boot/efi/EFI}
echo SELINUXTYPE=own > "$work/system/etc/selinux/config"
touch "$work/system/etc/selinux/own/contexts/files/file_contexts" "$work/system/boot/efi/EFI/file"
tar --create --file="$medium/systems/server/root.tar.zst" --directory="$work/system" .
auto
expect 'status with partitions' 0 $status
expect 'table' 'label: gpt
start=1MiB, size=8MiB, type=21686148-6449-6E6F-744E-656564454649
start=9MiB, size=64MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name="The \x22ESP\x22"
start=73MiB, size=512MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name="boot"
start=585MiB, size=415MiB, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F, name="swap"
start=1000MiB, size=1500MiB, type=933AC7E1-2EB4-4F13-B844-0E14E2AEF915, name="home"
start=2500MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name="root"' "$(cat "$work/table")"
expect 'file systems and mounts' 'mkfs.vfat -F 32 -n THE__ESP_ /dev/sda2
mke2fs -q -F -t ext3 -L boot /dev/sda3
mkswap --quiet /dev/sda4
mke2fs -q -F -t ext4 -L home /dev/sda5
mke2fs -q -F -t ext4 -L root /dev/sda6
mount -o defaults /dev/sda6 /run/kiln-installer/target
mount -o noatime /dev/sda3 /run/kiln-installer/target/boot
mount -o nodev /dev/sda5 /run/kiln-installer/target/home
mount -o umask=0077 /dev/sda2 /run/kiln-installer/target/boot/efi' "$(grep -E '^(mk|mount -o)' "$work/calls")"
expect 'fstab with partitions' 'PARTUUID=PART_ENTRY_UUID-of-sda6 / ext4 defaults 0 1
PARTLABEL=PART_ENTRY_NAME-of-sda3 /boot ext3 ro,noatime 0 2
UUID=UUID-of-sda2 /boot/efi vfat umask=0077 0 2
PARTUUID=PART_ENTRY_UUID-of-sda5 /home ext4 nodev 0 2
UUID=UUID-of-sda4 none swap sw 0 0
proc /proc proc nosuid,nodev,noexec,hidepid=2 0 0' "$(cat "$target/etc/fstab")"
expect 'menu with /boot' 'search --no-floppy --fs-uuid --set=root UUID-of-sda3
  linux /vmlinuz-6.12 root=PARTUUID=PART_ENTRY_UUID-of-sda6 rootfstype=TYPE-of-sda6 quiet console=ttyS0,9600' \
    "$(grep -E -m 2 'search|linux' "$target/boot/grub2/grub.cfg")"
expect 'content for FAT' file "$(ls "$target/boot/efi/EFI")"
expect 'labels' 'mount -t proc proc /run/kiln-installer/target/proc
mount --bind /run/kiln-installer/target /run/kiln-installer/target/tmp/label
chroot /run/kiln-installer/target setfiles -m -r /tmp/label /etc/selinux/own/contexts/files/file_contexts /tmp/label
umount /run/kiln-installer/target/tmp/label
mount --bind /run/kiln-installer/target/boot /run/kiln-installer/target/tmp/label/boot
chroot /run/kiln-installer/target setfiles -m -r /tmp/label /etc/selinux/own/contexts/files/file_contexts /tmp/label/boot
umount /run/kiln-installer/target/tmp/label/boot
mount --bind /run/kiln-installer/target/home /run/kiln-installer/target/tmp/label/home
chroot /run/kiln-installer/target setfiles -m -r /tmp/label /etc/selinux/own/contexts/files/file_contexts /tmp/label/home
umount /run/kiln-installer/target/tmp/label/home
umount /run/kiln-installer/target/proc
umount --recursive /run/kiln-installer/target' "$(grep -A 20 'proc proc' "$work/calls" | grep -v systemctl)"

# One loader of an MBR; nothing is left for another size of swap space.
machine <<< 'disk /dev/nvme0n1'
describe <<< $'table mbr\npartition 1 0 - ext4 partuuid active / defaults'
auto
expect 'status with an MBR' 0 $status
expect 'MBR' $'label: dos\nstart=1MiB, type=83, bootable' "$(cat "$work/table")"
expect 'loaders of an MBR' 'grub2-install --target=i386-pc --boot-directory=/run/kiln-installer/target/boot /dev/nvme0n1' "$(grep grub2 "$work/calls")"

machine <<< $'disk /dev/nvme0n1\nswap 64'
describe <<< $'table mbr\npartition 1 0 - ext4 partuuid active / defaults'
auto
expect 'swap space twice' "installer: error: \"swap\" can't be said: A server says itself what the disk is divided into" "$(tail -n 1 "$work/out")"

# kickstart <firmware> <answers>: a system whose script writes what standard input has
kickstart() {
    local firmware=$1
    machine <<< "$2"
    describe <<< $'script 1 "two words" three'
    mkdir -p "$medium/systems/server/scripts" "$work"/root/{proc,sys/firmware}
    printf 'quiet' > "$work/root/proc/cmdline"
    test "$firmware" != uefi || mkdir "$work/root/sys/firmware/efi"
    cat > "$work/lines"
    cat > "$medium/systems/server/scripts/1" <<< 'echo "$# $1" > "$WORK/arguments"; cp "$WORK/lines" "$KILN_INSTALLER_ROOT/tmp/part-include"'
    auto
}

scripted=$'disk by-script\noverwrite yes'
kickstart uefi "$scripted" <<'END'
# Whatever else kickstart has
clearpart --all
part /boot/efi --fstype=efi --ondisk=/dev/nvme0n1 --size=100
part swap --fstype=swap --ondrive=nvme0n1 --size=200

part / --fstype=ext4 --size=1 --grow --ondisk=nvme0n1 --asprimary
END
expect 'status of a kickstart' 0 $status
expect 'arguments of its script' '2 two words' "$(cat "$work/arguments")"
expect 'table of a kickstart' 'label: gpt
start=1MiB, size=100MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
start=101MiB, size=200MiB, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F
start=301MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4' "$(cat "$work/table")"
expect 'loader of a kickstart' /boot/efi "$(grep -o -- '--efi-directory=[^ ]*' "$work/calls" | sed 's,.*/target,,')"

kickstart bios "$scripted" <<< $'part biosboot --ondisk=sda --size=8\npart / --ondisk=sda --size=3000'
expect 'table of a kickstart with a BIOS' 'label: dos
start=1MiB, size=8MiB, type=da, bootable
start=9MiB, size=3000MiB, type=83' "$(cat "$work/table")"

# fails <message> <answers>: of a kickstart with the partitions of standard input
fails() {
    kickstart bios "$2"
    expect "status with: $1" 1 $status
    expect 'message of a kickstart' "installer: error: $1" "$(tail -n 1 "$work/out")"
    expect "calls with: $1" '' "$(cat "$work/calls" 2> /dev/null)"
}
fails 'line 1 of the partitions: "raid" is not understood' "$scripted" <<< 'raid / --device=md0'
fails 'line 1 of the partitions: "--onpart=sda1" is not understood' "$scripted" <<< 'part / --onpart=sda1'
fails 'line 1 of the partitions needs a place and --ondisk=' "$scripted" <<< 'part / --size=8'
fails 'line 2 of the partitions: /dev/sdc is another disk than /dev/sda' "$scripted" <<< $'part / --ondisk=sda --size=8\npart /a --ondisk=sdc --size=8'
fails 'line 2 of the partitions: nothing is left behind the one that grows' "$scripted" <<< $'part / --ondisk=sda --grow\npart /a --ondisk=sda --size=8'
fails 'no partition is for /' "$scripted" <<< 'part /home --ondisk=sda --grow'
fails 'there is no program that makes file systems of type zfs' "$scripted" <<< 'part / --ondisk=sda --grow --fstype=zfs'
fails "the disk /dev/sda has 4096 MiB, and 9002 MiB are needed" "$scripted" <<< 'part / --ondisk=sda --size=9000'
fails 'there is no disk /dev/vda; the disks are: /dev/sda /dev/sdc /dev/nvme0n1' "$scripted" <<< 'part / --ondisk=vda --grow'
fails 'the disk /dev/sda is not empty; "overwrite yes" lets everything on it be lost' 'disk by-script' <<< 'part / --ondisk=sda --grow'
refuses 'A server has no scripts that say which disk' <<< 'disk by-script'

# check <message> <system>...: of the answers of standard input
check() {
    local message=$1
    shift
    expect "check of: $message" "$message" "$("$program" check /dev/stdin "$@" 2>&1 || echo failed)"
}
check '' server <<< 'disk /dev/anything'
check '' server desktop <<< $'disk /dev/anything\nsystem desktop'
check 'installer: error: "disk" is missing
failed' server <<< 'swap 4'
check 'installer: error: "system" is missing; the systems are: server desktop
failed' server desktop <<< 'disk /dev/sda'
check 'installer: error: "overwrite maybe" is neither yes nor no
failed' server <<< $'disk /dev/sda\noverwrite maybe'

# On a terminal: a wrong disk and host name are asked again.
machine < /dev/null
stub openssl <<< 'read -r word; echo "\$6\$salt\$of-$word"'
stub sleep <<< ':'
printf '%s\n' '' /dev/sdz /dev/nvme0n1 '-' box bob secret other secret secret yes '' | "$program" > "$work/out" 2>&1
expect 'status on a terminal' 0 $?
expect 'host name on a terminal' box "$(cat "$target/etc/hostname")"
expect 'user on a terminal' 'useradd --root /run/kiln-installer/target --create-home --shell /bin/bash --groups wheel --password $6$salt$of-secret bob' \
    "$(grep useradd "$work/calls")"
expect 'end on a terminal' 'systemctl reboot' "$(tail -n 1 "$work/calls")"

# Of several systems one is chosen by its number; its scripts name the disk.
machine < /dev/null
cp -r "$medium/systems/server" "$medium/systems/desktop"
mkdir "$medium/systems/server/scripts" "$work/root/proc"
printf 'title Another\nscript 1\n' >> "$medium/systems/server/description"
echo "echo 'part / --ondisk=nvme0n1 --grow' > $work/root/tmp/part-include" > "$medium/systems/server/scripts/1"
touch "$work/root/proc/cmdline"
printf '%s\n' '' tower 2 '' bob secret secret yes '' | "$program" > "$work/out" 2>&1
expect 'status with two systems' 0 $?
expect 'systems to choose from' '  desktop  A server
  server  Another
Type one of: desktop server
Another will be installed.
installer: Another is installed on /dev/nvme0n1' "$(grep -E '^  |Type|Another (will|is)' "$work/out" | grep -v MiB | sed 's/.*Type one/Type one/')"

machine < /dev/null
printf '%s\n' '' '' '' bob secret secret no | "$program" > "$work/out" 2>&1
expect 'status without leave' 2 $?
expect 'calls without leave' '' "$(cat "$work/calls" 2> /dev/null)"

machine < /dev/null
printf '%s\n' '' /dev/sdc '' bob secret secret yes | "$program" > "$work/out" 2>&1
expect 'status with a small disk' 1 $?
expect 'said of a small disk' 'installer: error: the disk /dev/sdc has 256 MiB, and 830 MiB are needed' "$(grep error: "$work/out")"
expect 'calls with a small disk' '' "$(cat "$work/calls" 2> /dev/null)"

test $failed -eq 0 && echo 'all tests passed'
exit $failed
