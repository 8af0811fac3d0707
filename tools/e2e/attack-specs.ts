/** Specs that attack the machine they are built on, and how each has to end. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@kiln/build-identity';
import type { PackageSettings } from '@kiln/distribution';

/** What the machine has that a build must not reach. */
export interface Bait {
  /** Port of a server on 127.0.0.1 and ::1. */
  readonly port: number;
  /** Name of an abstract socket of the machine. */
  readonly socket: string;
  /** Path of a file that everybody on the machine may read. */
  readonly file: string;
  /** The words in that file and in Kiln's environment. */
  readonly secret: string;
}

export interface Attack {
  readonly sources?: string;
  readonly prep?: string;
  readonly build?: string;
  readonly install?: string;
  readonly head?: string;
  /** More of the preamble. */
  readonly tags?: string;
  /** Links beside the spec: name and target. */
  readonly links?: Readonly<Record<string, string>>;
  readonly settings?: PackageSettings;
  /** Only root can notice it: others may not look at what processes have mapped. */
  readonly asRoot?: boolean;
  /** It is refused before anything is built. */
  readonly early?: boolean;
  /** Code of the error that ends it; undefined when the build ends well and the attempts came to nothing. */
  readonly ends: string | undefined;
}

const MiB = 1024 ** 2;

/** Finds a word and not itself. */
const pattern = (word: string) => `${word.slice(0, -1)}[${word.at(-1)}]`;

/** Each attempt prints `LEAK` and what it reached. */
const spying = ({ port, socket, file, secret }: Bait) => `
leak() { echo "LEAK $*"; }
(exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null && leak IPv4
(exec 3<>/dev/tcp/::1/${port}) 2>/dev/null && leak IPv6
(exec 3<>/dev/tcp/198.51.100.1/80) 2>/dev/null && leak routing
getent hosts localhost.kiln.example && leak names
perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); exit(connect(S, pack("S a*", AF_UNIX, "\\0${socket}")) ? 0 : 1)' && leak abstract socket
perl -e 'exit(syscall(41, 40, 1, 0) < 0 ? 1 : 0)' && leak vsock
[ "$(grep -c : /proc/net/dev)" = 1 ] || leak interfaces

cat ${file} /proc/1/root${file} /proc/self/root${file} 2>/dev/null && leak file
cat /etc/shadow 2>/dev/null | grep -q : && leak shadow
env | grep -q '${pattern(secret)}' && leak environment
cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -q '${pattern(secret)}' && leak environment of others
cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -q 'run-[a]ttacks' && leak processes
[ -s /proc/cmdline ] && leak kernel command line
found=$(find /home /root /sys /mnt /media /work /srv -mindepth 1 2>/dev/null | head -n 3); [ -z "$found" ] || leak directories $found
for fd in /proc/$$/fd/*; do
  target=$(readlink "$fd") || continue
  case $target in pipe:*|/dev/null|/var/tmp/rpm-tmp.*|/usr/src/kiln/*) ;; *) leak descriptor $fd $target ;; esac
done

for place in /etc /usr /usr/bin /usr/src /bin /var /; do touch $place/kiln-attack 2>/dev/null && leak writing to $place; done
echo x 2>/dev/null > /proc/sys/kernel/core_pattern && leak core pattern
echo c 2>/dev/null > /proc/sysrq-trigger && leak sysrq
for device in /dev/*; do case $device in
  /dev/console|/dev/core|/dev/fd|/dev/full|/dev/null|/dev/ptmx|/dev/pts|/dev/random|/dev/shm|/dev/std*|/dev/tty|/dev/urandom|/dev/zero) ;;
  *) leak device $device ;;
esac; done

mount -t tmpfs none /tmp 2>/dev/null && leak mount
mknod /tmp/disk b 8 0 2>/dev/null && leak device node
unshare --user --map-root-user true 2>/dev/null && leak user namespace
perl -e '$c = "x"; exit(syscall(16, 0, 0x5412, $c) == 0 ? 0 : 1)' && leak terminal
cp /bin/sh /tmp/sh && chmod 6755 /tmp/sh && /tmp/sh -p -c '[ "$(id -u)" = 0 ]' && leak set-user-id
kill -KILL -- -1 2>/dev/null < /dev/null & 
hostname | grep -qx builder || leak host name
[ "$(umask):\${TZ%0}:$PATH" = "0022:UTC:/usr/bin:/usr/sbin" ] || leak environment "$(umask):$TZ:$PATH"
(setsid bash -c 'exec </dev/null >/dev/null 2>&1; (sleep 77777 &); exit' &)
`;

/** Makes a package with rpmbuild and puts it among those of the build. The lines of its spec must not be sections of the build's. */
function plantedRpm(name: string, path: string): string {
  const lines = [`Name: ${name}`, 'Version: 1.0', 'Release: 1.kl1', 'Summary: x', 'License: MIT', 'BuildArch: noarch'];
  const spec = [...lines, '@description', 'x', '@files'].map((line) => `'${line}'`).join(' ');
  return `printf '%%s\\n' ${spec} | sed s/@/%%/ > planted.spec
rpmbuild --quiet --define '_topdir %{_topdir}/planted' -bb planted.spec
mkdir -p %{_topdir}/RPMS/{noarch,other}
cp %{_topdir}/planted/RPMS/noarch/*.rpm %{_topdir}/RPMS/${path}
rmdir --ignore-fail-on-non-empty %{_topdir}/RPMS/*`;
}

/** By package name. */
export function attacks(bait: Bait): Record<string, Attack> {
  return {
    // The line with kill would end the build itself too.
    spy: { build: spying(bait).replace(/^kill -KILL.*$/m, ''), ends: undefined },
    tracer: {
      build: `perl -e 'for $pid (1, getppid) { print "traced $pid\\n" if syscall(101, 0x4206, $pid, 0, 0) == 0 }'\n[ "$(ls -d /proc/[0-9]* | wc -l)" -lt 20 ] || echo LEAK processes`,
      ends: undefined,
    },
    killer: { build: 'kill -KILL -- -1', ends: 'RPMBUILD_FAILED' },
    forks: {
      build: 'bomb() { bomb | bomb & }; bomb; sleep 1000',
      settings: { limits: { processes: 150 } },
      ends: 'PROCESS_LIMIT',
    },
    memory: {
      build: `perl -e 'push @all, "x" x 1e7 while 1'`,
      settings: { limits: { memoryBytes: 300 * MiB } },
      ends: 'MEMORY_LIMIT',
    },
    shared: {
      build: 'cat /dev/zero > /dev/shm/x',
      settings: { limits: { memoryBytes: 300 * MiB } },
      ends: 'MEMORY_LIMIT',
    },
    // It belongs to no process's own memory and to no file system.
    nowhere: {
      build: `perl -e '$name = "x\\0"; $fd = syscall(319, $name, 0); open(F, ">&=", $fd); $some = "x" x 1e6; syswrite(F, $some) while 1'`,
      settings: { limits: { memoryBytes: 300 * MiB } },
      ends: 'MEMORY_LIMIT',
    },
    common: {
      build: `python3 -c '
import mmap
some = mmap.mmap(-1, 1 << 30)
while some.tell() < 1 << 30: some.write(bytes([1]) * (1 << 20))
while True: pass'`,
      settings: { limits: { memoryBytes: 300 * MiB } },
      ends: 'MEMORY_LIMIT',
    },
    // Nobody has them attached.
    segments: {
      build: `perl -MIPC::SysV=IPC_PRIVATE -e 'while (1) { $id = shmget(IPC_PRIVATE, 4e7, 0600) // sleep 1000; shmwrite($id, "x" x 4e7, 0, 4e7); select(undef, undef, undef, 0.2) }'`,
      settings: { limits: { memoryBytes: 300 * MiB } },
      ends: 'MEMORY_LIMIT',
    },
    disk: {
      build: 'cat /dev/zero > big; sleep 1000',
      settings: { limits: { diskBytes: 200 * MiB } },
      ends: 'DISK_LIMIT',
    },
    reserve: {
      build: 'fallocate --length 1G big; sleep 1000',
      settings: { limits: { diskBytes: 200 * MiB } },
      ends: 'DISK_LIMIT',
    },
    removed: {
      build: 'exec 5> big; rm big; cat /dev/zero >&5; sleep 1000',
      settings: { limits: { diskBytes: 200 * MiB } },
      ends: 'DISK_LIMIT',
    },
    mapped: {
      build: `python3 -c '
import mmap, os
file = os.open("big", os.O_RDWR | os.O_CREAT)
os.ftruncate(file, 600 << 20)
some = mmap.mmap(file, 600 << 20)
os.close(file)
os.unlink("big")
while some.tell() < 600 << 20: some.write(bytes([1]) * (1 << 20))
some.flush()
while True: pass'`,
      settings: { limits: { diskBytes: 200 * MiB } },
      ends: 'DISK_LIMIT',
      asRoot: true,
    },
    single: {
      build: 'dd if=/dev/zero of=big bs=1M count=100',
      settings: { limits: { fileSizeBytes: 20 * MiB } },
      ends: 'FILE_SIZE_LIMIT',
    },
    files: { build: 'while exec {fd}< /dev/null; do :; done; exit 1', ends: 'OPEN_FILES_LIMIT' },
    noise: { build: 'yes', settings: { limits: { outputBytes: 2 * MiB } }, ends: 'LOG_LIMIT' },
    line: {
      build: `tr '\\0' x < /dev/zero`,
      settings: { limits: { outputBytes: 2 * MiB } },
      ends: 'LOG_LIMIT',
    },
    sleeper: { build: 'sleep 1000', settings: { limits: { seconds: 3 } }, ends: 'BUILD_TIMEOUT' },
    links: {
      install: `mkdir -p %{_topdir}/RPMS/x86_64; ln -s ${bait.file} %{_topdir}/RPMS/x86_64/evil.rpm`,
      ends: 'BUILD_OUTPUT_STRANGE',
    },
    pipe: {
      install: 'mkdir -p %{_topdir}/RPMS/x86_64; mkfifo %{_topdir}/RPMS/x86_64/pipe.rpm',
      ends: 'BUILD_OUTPUT_STRANGE',
    },
    directory: { install: 'ln -s / %{_topdir}/RPMS/etc', ends: 'BUILD_OUTPUT_STRANGE' },
    root: { install: 'ln -s / %{_topdir}/BUILDROOT/other', ends: 'BUILD_OUTPUT_STRANGE' },
    second: {
      install: `ln -s ${bait.file} %{_topdir}/SRPMS/evil.src.rpm`,
      ends: 'BUILD_OUTPUT_STRANGE',
    },
    impostor: { install: plantedRpm('bash', 'noarch/bash-1.0-1.kl1.noarch.rpm'), ends: 'CHECKS_FAILED' },
    twin: { install: plantedRpm('twin', `noarch/$'twin\\n\\e[31m.rpm'`), ends: 'BUILD_OUTPUT_STRANGE' },
    double: { install: plantedRpm('double', 'other/double-1.0-1.kl1.noarch.rpm'), ends: 'BUILD_OUTPUT_STRANGE' },
    // Clears the screen, names the window, fills the clipboard.
    terminal: {
      build: `printf '\\033[2J\\033]0;x\\007\\033]52;c;eA==\\007\\302\\233\\r'; exit 1`,
      ends: 'RPMBUILD_FAILED',
    },
    // What it leaves in the store must not be for everybody.
    setuid: { build: 'cp /bin/bash shell; chmod 6755 shell; exit 1', ends: 'RPMBUILD_FAILED' },
    parent: { tags: 'Source1: https://sources.example/..', early: true, ends: 'SOURCE_NAME_INVALID' },
    hidden: { tags: 'Source1: https://sources.example/.bashrc', early: true, ends: 'SOURCE_NAME_INVALID' },
    // The name of the file is what follows the last slash.
    fragment: {
      tags: 'Source1: https://sources.example/x#/../../../tmp/kiln-slipped',
      early: true,
      ends: 'SOURCE_UNSIGNED',
    },
    thief: { tags: 'Patch0: secret.patch', links: { 'secret.patch': bait.file }, early: true, ends: 'SOURCE_OUTSIDE' },
    reader: {
      tags: '%include SPECS/reader/secret',
      links: { secret: bait.file },
      early: true,
      ends: 'INCLUDE_OUTSIDE',
    },
    climber: { head: '%define _rpmfilename ../../../../escaped-%%{NAME}.rpm', ends: 'RPMBUILD_FAILED' },
    moved: { head: '%define _rpmdir %{_topdir}/../../..', ends: 'RPMBUILD_FAILED' },
    slip: { sources: 'slip.tar', prep: 'tar -xPf %{SOURCE0} || :\nls -R', ends: undefined },
    deep: {
      build: `perl -e 'for (1 .. 3000) { mkdir q(d); chdir q(d) } chmod 0, q(.)'; exit 1`,
      ends: 'RPMBUILD_FAILED',
    },
  };
}

/** Writes the specs and the settings into a tree that has no other packages. */
export function writeAttacks(root: string, list: Readonly<Record<string, Attack>>): void {
  const settings: Record<string, PackageSettings> = {};
  for (const [name, attack] of Object.entries(list)) {
    const directory = join(root, 'SPECS', name);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `${name}.spec`), specOf(name, attack));
    if (attack.sources !== undefined) {
      const path = join(directory, attack.sources);
      writeSlippingArchive(path);
      const signatures = { Signatures: { [attack.sources]: sha256(readFileSync(path)) } };
      writeFileSync(join(directory, `${name}.signatures.json`), JSON.stringify(signatures));
    }
    for (const [link, target] of Object.entries(attack.links ?? {})) symlinkSync(target, join(directory, link));
    if (attack.settings !== undefined) settings[`${name}/${name}`] = attack.settings;
  }
  writeFileSync(join(root, 'toolkit/packages.json'), JSON.stringify(settings, undefined, 2));
}

function specOf(name: string, { head = '', tags = '', sources, prep = '', build = '', install = '' }: Attack): string {
  return `${head}
Name:           ${name}
Version:        1.0
Release:        1%{?dist}
Summary:        An attack
License:        MIT
${sources === undefined ? '' : `Source0:        ${sources}`}
${tags}

%description
An attack.

%prep
${prep}

%build
${build}

%install
mkdir -p %{buildroot}/usr/share/${name}
install -d %{buildroot}/usr/share/licenses/${name}
echo MIT > %{buildroot}/usr/share/licenses/${name}/LICENSE
${install}

%files
%license /usr/share/licenses/${name}/LICENSE
/usr/share/${name}

%changelog
* Mon Jun 01 2026 Kiln Maintainers <maintainers@kiln.example> - 1.0-1
- First version
`;
}

/** An archive whose members climb out, also through a link of its own. */
function writeSlippingArchive(path: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'kiln-slip-'));
  writeFileSync(join(directory, 'slipped'), 'out\n');
  symlinkSync('/tmp', join(directory, 'link'));
  const climb = '--transform=s,^slipped$,../../../../../../tmp/kiln-slipped,';
  execFileSync('tar', ['-cPf', path, '-C', directory, climb, 'link', 'slipped']);
  execFileSync('tar', ['-rPf', path, '-C', directory, '--transform=s,^slipped$,link/kiln-slipped,', 'slipped']);
  rmSync(directory, { recursive: true });
}
