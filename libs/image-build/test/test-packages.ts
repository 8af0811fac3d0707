/** Specs of a very small distribution: its shell is this machine's, with a byte more, so that no file is the toolchain's. */
import { librariesOf, machineProgram } from './tool-root.ts';

const head = (name: string, tags: readonly string[]) => `
Name: ${name}
Version: 1
Release: 1
Summary: For tests
License: MIT
AutoReqProv: no
${tags.join('\n')}
%description
For tests.
`;

const DIRECTORIES = [
  'etc',
  'dev',
  'proc',
  'run',
  'tmp',
  'var',
  'var/tmp',
  'usr',
  'usr/bin',
  'usr/lib',
  'usr/lib/sysimage',
  'usr/lib/sysimage/rpm',
];

/** Directories, users, the shell with its libraries. */
export function baseSpec(): string {
  const shell = machineProgram('bash');
  const libraries = librariesOf(shell);
  const places = [...new Set(libraries.map((path) => path.replace(/^\/(usr\/)?/, 'usr/')))];
  const parents = [...new Set(places.flatMap(parentsOf))].filter((one) => !DIRECTORIES.includes(one));
  const copies = libraries.map(
    (path) => `install -Dpm 755 ${path} %{buildroot}/${path.replace(/^\/(usr\/)?/, 'usr/')}`,
  );
  return `${head('base', ['Provides: /usr/bin/bash'])}
%install
cd %{buildroot}
mkdir -p ${DIRECTORIES.join(' ')} ${parents.join(' ')}
ln -s usr/bin bin
ln -s usr/lib lib
ln -s usr/lib64 lib64
mkdir -p usr/lib64
install -pm 755 ${shell} usr/bin/bash
ln -s bash usr/bin/sh
${copies.join('\n')}
find usr -type f -exec sh -c 'printf x >> "$1"' - {} ';'
printf 'root:x:0:0::/:/bin/bash\\nservice:x:77:78::/:/bin/bash\\n' > etc/passwd
printf 'root:x:0:\\nservice:x:78:\\n' > etc/group
printf 'NAME=Test\\nID=test\\nVERSION_ID=1.5\\nPRETTY_NAME="Test 1.5"\\nHOME_URL=https://test.example/\\n' > usr/lib/os-release
ln -s ../usr/lib/os-release etc/os-release
%files
%defattr(-,root,root)
${[...new Set([...DIRECTORIES, ...parents, 'usr/lib64'])].map((one) => `%dir ${one === 'tmp' || one === 'var/tmp' ? '%attr(1777,root,root) ' : ''}/${one}`).join('\n')}
/bin
/lib
/lib64
/usr/bin/*
${places.map((one) => `/${one}`).join('\n')}
/etc/*
/usr/lib/os-release
`;
}

function parentsOf(path: string): string[] {
  const steps = path.split('/').slice(0, -1);
  return steps.map((_, index) => steps.slice(0, index + 1).join('/'));
}

/** Everything that a root must keep: owners, modes, capabilities, links, generated files. */
export const richSpec = `${head('rich', ['Requires: base', 'Requires(post): /usr/bin/bash'])}
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/var/lib/rich %{buildroot}/usr/share/doc/rich
printf '#!/usr/bin/bash\\necho "capable 1"\\n' > %{buildroot}/usr/bin/capable
ln %{buildroot}/usr/bin/capable %{buildroot}/usr/bin/twin
ln -s capable %{buildroot}/usr/bin/link
echo secret > %{buildroot}/var/lib/rich/secret
echo 'a line that is long enough to be somebody’s documentation of something' > %{buildroot}/usr/share/doc/rich/README
touch %{buildroot}/var/lib/generated
%post -p /usr/bin/bash
echo made > /var/lib/generated
echo noise > /dev/null
read -r nothing < /dev/null && exit 1
test -c /dev/urandom
%files
%attr(4755,root,root) %caps(cap_net_raw=ep) /usr/bin/capable
%attr(4755,root,root) %caps(cap_net_raw=ep) /usr/bin/twin
/usr/bin/link
%dir %attr(2750,service,service) /var/lib/rich
%attr(0600,service,service) /var/lib/rich/secret
%dir /var/lib
%ghost /var/lib/generated
%dir /usr/share
%dir /usr/share/doc
%dir /usr/share/doc/rich
%doc /usr/share/doc/rich/README
`;

/** A package that fails one check after another. `hostPath` must not be in an image. */
export function badSpec(hostPath: string): string {
  return `${head('bad', ['Requires(post): base'])}
%install
install -Dpm 755 ${machineProgram('cat')} %{buildroot}/usr/bin/stolen
printf '#!/usr/bin/missing\\n' > %{buildroot}/usr/bin/broken
mkdir -p %{buildroot}/etc
echo 'built in ${hostPath}/work' > %{buildroot}/etc/trace
%post -p /usr/bin/bash
echo stray > /etc/stray
echo changed >> /usr/lib/os-release
%files
%attr(755,root,root) /usr/bin/*
/etc/trace
`;
}

/** A package with a text of the toolchain that its own release has too (Source0: copy.tar.gz), and a program of the toolchain in that release. */
export function copySpec(): string {
  return `${head('copy', ['Source0: copy.tar.gz', 'Requires(post): base'])}
%install
tar -xf %{SOURCE0}
install -Dpm 644 copy/macros %{buildroot}/usr/share/copy/macros
install -Dpm 644 /usr/lib/rpm/rpmrc %{buildroot}/usr/share/copy/rpmrc
install -Dpm 755 copy/cat %{buildroot}/usr/bin/stolen
%files
%dir /usr/share
/usr/share/copy
/usr/bin/stolen
`;
}

export function specWith(name: string, tag: string, ...lines: readonly string[]): string {
  return [head(name, [tag]), ...lines, ''].join('\n');
}

/** What a medium that starts by itself takes from its root: programs of this machine, a kernel and a boot loader that are none. */
export function mediumSpec({ without = [] }: { readonly without?: readonly string[] } = {}): string {
  const names = ['chmod', 'cp', 'mkdir', 'mount', 'sleep', 'switch_root', 'umount'];
  const programs = names.filter((name) => !without.includes(name)).map((name) => [name, machineProgram(name)] as const);
  const shell = new Set(librariesOf(machineProgram('bash')));
  const libraries = new Set(programs.flatMap(([, path]) => librariesOf(path)).filter((path) => !shell.has(path)));
  const place = (path: string) => path.replace(/^\/(usr\/)?/, 'usr/');
  return `${head('medium', ['Requires: base'])}
%install
cd %{buildroot}
mkdir -p usr/bin usr/lib/grub/i386-pc boot
${programs.map(([name, path]) => `install -Dpm 755 ${path} usr/bin/${name}`).join('\n')}
${[...libraries].map((path) => `install -Dpm 755 ${path} ${place(path)}`).join('\n')}
cat > usr/bin/grub2-mkimage <<'END'
#!/usr/bin/bash
all=$*
while [ "$1" != -o ]; do shift; done
printf '%8192s\\n' "$all" > "$2"
END
chmod 755 usr/bin/grub2-mkimage
mkdir -p usr/sbin usr/libexec
printf '#!/usr/bin/bash\\n' > usr/sbin/init
cat > usr/libexec/kiln-installer <<'END'
#!/usr/bin/bash
read -r word rest < "$2"
[ "$1 $word $3" = 'check disk server' ] || { echo "$word is wrong" >&2; exit 1; }
END
chmod 755 usr/sbin/init usr/libexec/kiln-installer
printf '%512s' loader > usr/lib/grub/i386-pc/boot_hybrid.img
printf kernel > boot/vmlinuz-1.0
%files
/usr/bin/*
/usr/libexec
/usr/sbin
/boot
/usr/lib/grub
${[...libraries].map((path) => `/${place(path)}`).join('\n')}
`;
}
