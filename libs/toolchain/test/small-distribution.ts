/** Two RPMs that a root can be made of in which rpmbuild runs, packed from programs of the Debian layer: small enough for a test. */
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeWorkDirectory, removeWorkDirectory, runSandboxed } from '@kiln/sandbox';
import type { Store } from '@kiln/store';
import type { Toolchain } from '@kiln/toolchain';
import { host } from './toolchain-store.ts';

/** Neither cpio nor rpm2cpio is among them. */
const PROGRAMS = [
  ...['bash', 'rpm', 'rpmbuild', 'rpm2archive', 'tar', 'find', 'mkdir', 'rmdir', 'rm', 'ln', 'ls', 'cat', 'cp', 'mv'],
  ...['chmod', 'chown', 'head', 'stat', 'id', 'uname', 'sed', 'grep', 'gzip', 'getconf', 'true'],
  ...[
    'install',
    'file',
    'xargs',
    'sort',
    'dirname',
    'basename',
    'touch',
    'tr',
    'cut',
    'wc',
    'gawk',
    'readlink',
    'cmp',
    'uniq',
    'strip',
    'objdump',
    'expr',
    'date',
    'env',
  ],
];

const SPEC = `
%global debug_package %{nil}
%global __os_install_post %{nil}
%global _binary_payload w1.gzdio
%global _build_id_links none
Name: small-tools
Version: 2
Release: 1
Summary: Test
License: MIT
AutoReqProv: no
Requires: small-base
Provides: /bin/sh /bin/bash rpm-build
%description
%{summary}.
%package -n small-base
Summary: Test
BuildArch: noarch
AutoReqProv: no
Requires(post): /bin/sh
Requires: /usr/lib/rpm/macros
%description -n small-base
%{summary}.
%install
cd /
root=%{buildroot}
mkdir -p $root/usr/{bin,sbin,lib,include} $root/etc
for name in bin sbin lib; do ln -s usr/$name $root/$name; done
ln -s usr/lib $root/lib64
for name in ${PROGRAMS.join(' ')}; do cp -L /usr/bin/$name $root/usr/bin/; done
ln -s bash $root/usr/bin/sh
ln -s gawk $root/usr/bin/awk
cp -a --parents usr/lib/rpm usr/lib/file usr/share/misc/magic.mgc $root/
find $root/usr/lib/rpm -name __pycache__ -prune -exec rm -r {} +
for file in $root/usr/bin/* /usr/lib/rpm/elfdeps; do ldd $file 2> /dev/null | grep -o '/[^ ]*'; done | sort -u | while read -r library; do
  real=$(readlink -f $library)
  mkdir -p $root$(dirname $real)
  cp -L $real $root$(dirname $real)/
  name=$(basename $library)
  [ $name = $(basename $real) ] || ln -sf $(basename $real) $root$(dirname $real)/$name
done
loader=$(readlink -f /lib64/ld-linux-x86-64.so.2)
ln -sf $loader $root/usr/lib/ld-linux-x86-64.so.2
echo 'int kiln;' > $root/usr/include/small.h
echo 'root:x:0:0:root:/root:/bin/bash' > $root/etc/passwd
printf 'root:x:0:\\nmail:x:12:\\n' > $root/etc/group
echo secret > $root/etc/shadow
ln -s /etc/elsewhere/nsswitch.conf $root/etc/nsswitch.conf
ln -s /tmp/kiln-test-of-links $root/home
%post -n small-base
echo "made by a scriptlet" > /etc/made
%files
/usr/bin/*
/usr/lib/*
/usr/share/misc
%files -n small-base
/bin
/sbin
/lib
/lib64
%dir /usr/sbin
/usr/include/small.h
%config /etc/passwd
%config /etc/group
%attr(0600,root,mail) %config /etc/shadow
/etc/nsswitch.conf
/home
`;

/** Builds them with rpmbuild of the Debian layer; returns their paths in `directory`. */
export async function makeSmallDistribution(store: Store, toolchain: Toolchain, directory: string): Promise<string[]> {
  const work = await makeWorkDirectory(host, store, 'small-distribution');
  try {
    writeFileSync(join(work, 'small.spec'), SPEC);
    const { status, stderr } = await runSandboxed(host, {
      layers: [toolchain.layer],
      mounts: [{ source: work, target: '/build', writable: true }],
      identity: 'builder',
      argv: ['rpmbuild', '--define', '_topdir /build', '-bb', '/build/small.spec'],
      environment: { PATH: '/usr/bin:/usr/sbin', HOME: '/tmp', LC_ALL: 'C.UTF-8' },
    });
    if (status !== 0) throw new Error(stderr);
    mkdirSync(directory, { recursive: true });
    const names = readdirSync(join(work, 'RPMS'), { recursive: true, encoding: 'utf8' });
    return names
      .filter((name) => name.endsWith('.rpm'))
      .map((name) => {
        const path = join(directory, name.slice(name.lastIndexOf('/') + 1));
        copyFileSync(join(work, 'RPMS', name), path);
        return path;
      });
  } finally {
    await removeWorkDirectory(host, work);
  }
}
