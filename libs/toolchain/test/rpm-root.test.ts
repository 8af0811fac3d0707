import { copyFileSync, chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeWorkDirectory, removeWorkDirectory, runSandboxed } from '@kiln/sandbox';
import { composeRpmRoot, prepareToolchain, type RpmMember, type RpmRoot, type Toolchain } from '@kiln/toolchain';
import { host, locked, testStore } from './toolchain-store.ts';

const store = testStore();
let toolchain: Toolchain;
let rpms: Record<'library' | 'devel' | 'needy' | 'twin', RpmMember>;

/** A library with Debian's soname in merged and unmerged directories, its -devel, and packages that can't be installed. */
const SPEC = `
Name: tiny
Version: 6
Release: 1
Summary: Test
License: MIT
%global debug_package %{nil}
%description
%{summary}.
%package devel
Summary: Test
Requires: tiny = 6-1
%description devel
%{summary}.
%package needy
Summary: Test
Requires: nobody-has-this >= 2
%description needy
%{summary}.
%build
echo 'int tiny_is_ours(void) { return 42; }' > tiny.c
cc -shared -fPIC -Wl,-soname,libtinfo.so.6 tiny.c -o libtinfo.so.6
%install
mkdir -p %{buildroot}/lib64 %{buildroot}/usr/lib %{buildroot}/usr/include %{buildroot}/bin
cp -p libtinfo.so.6 %{buildroot}/lib64/
ln -s libtinfo.so.6 %{buildroot}/usr/lib/libtinfo.so
echo 'int tiny_is_ours(void);' > %{buildroot}/usr/include/tiny.h
printf '#!/bin/sh\\necho tiny\\n' > %{buildroot}/bin/tiny
chmod 4755 %{buildroot}/bin/tiny
%files
/lib64/libtinfo.so.6
/bin/tiny
%files devel
/usr/lib/libtinfo.so
/usr/include/tiny.h
%files needy
`;

const TWIN = `
Name: twin
Version: 1
Release: 1
Summary: Test
License: MIT
BuildArch: noarch
%description
%{summary}.
%install
mkdir -p %{buildroot}/usr/include
echo other > %{buildroot}/usr/include/tiny.h
%files
/usr/include/tiny.h
`;

const ENVIRONMENT = { PATH: '/usr/bin:/usr/sbin', HOME: '/tmp', LC_ALL: 'C.UTF-8' };

async function build(spec: string): Promise<ReadonlyMap<string, RpmMember>> {
  const work = await makeWorkDirectory(host, store, 'rpm-root-test');
  writeFileSync(join(work, 'x.spec'), spec);
  const result = await runSandboxed(host, {
    layers: [toolchain.layer],
    mounts: [{ source: work, target: '/build', writable: true }],
    identity: 'builder',
    argv: ['rpmbuild', '--define', '_topdir /build', '--define', '_rpmfilename %%{NAME}.rpm', '-bb', '/build/x.spec'],
    environment: ENVIRONMENT,
  });
  expect(result.status, result.stderr).toBe(0);
  const blobs = new Map<string, RpmMember>();
  for (const name of ['tiny', 'tiny-devel', 'tiny-needy', 'twin']) {
    const blob = await store.putFile(join(work, 'RPMS', `${name}.rpm`)).catch(() => undefined);
    if (blob !== undefined) blobs.set(name, { fileName: `${name}.rpm`, blob });
  }
  await removeWorkDirectory(host, work);
  return blobs;
}

beforeAll(async () => {
  toolchain = await prepareToolchain(host, store, locked);
  const built = new Map([...(await build(SPEC)), ...(await build(TWIN))]);
  const one = (name: string) => built.get(name)!;
  rpms = { library: one('tiny'), devel: one('tiny-devel'), needy: one('tiny-needy'), twin: one('twin') };
}, 600_000);

const compose = (...members: RpmMember[]) => composeRpmRoot(host, store, { toolchain, rpms: members });

/** Runs a script in a root, with a writable copy of its database as builds have it. */
async function inRoot(root: RpmRoot, script: string): Promise<string> {
  const work = await makeWorkDirectory(host, store, 'rpm-root-test');
  copyFileSync(join(root.rpmdb, 'rpmdb.sqlite'), join(work, 'rpmdb.sqlite'));
  chmodSync(work, 0o777);
  chmodSync(join(work, 'rpmdb.sqlite'), 0o666);
  const result = await runSandboxed(host, {
    layers: root.layers,
    mounts: [{ source: work, target: '/build', writable: true }],
    identity: 'builder',
    argv: ['sh', '-c', script],
    environment: ENVIRONMENT,
    cwd: '/build',
  });
  await removeWorkDirectory(host, work);
  return result.stdout + result.stderr;
}

describe('a build root', () => {
  it('has the files of its RPMs in merged directories, without set-uid bits', async () => {
    const root = await compose(rpms.library);
    expect(root.layers).toHaveLength(2);
    expect(
      await inRoot(
        root,
        'tiny; stat -c %a /usr/bin/tiny; ls -d /usr/lib/libtinfo.so.6 /usr/include/tiny.h; readlink /bin /lib64',
      ),
    ).toBe(
      "tiny\n755\n/usr/lib/libtinfo.so.6\nusr/bin\nusr/lib\nls: cannot access '/usr/include/tiny.h': No such file or directory\n",
    );
  });

  it('links against its RPMs even where the tools bring a library of the same name', async () => {
    const root = await compose(rpms.library, rpms.devel);
    const program = '#include <tiny.h>\\nint main(void) { return tiny_is_ours() != 42; }';
    const script = `ls /usr/lib/x86_64-linux-gnu/libtinfo.so.6 && printf '${program}' > a.c && cc a.c -ltinfo -Wl,-t -o a && readelf -d a`;
    const said = await inRoot(root, script);
    expect(said).toMatch(/\/12(\/\.\.){4}\/lib\/libtinfo\.so\n/);
    expect(said).toMatch(/NEEDED.*libtinfo\.so\.6/);
  });

  it('has a database of exactly the toolchain and its RPMs, against which BuildRequires are checked', async () => {
    const root = await compose(rpms.library, rpms.devel);
    expect(await inRoot(root, 'rpm --dbpath /build -qa | sort')).toBe(
      `kiln-toolchain-debian-bookworm-${locked.identity.slice(0, 12)}.x86_64\ntiny-6-1.x86_64\ntiny-devel-6-1.x86_64\n`,
    );
    const spec = (requires: string) =>
      `printf 'Name: a\\nVersion: 1\\nRelease: 1\\nSummary: a\\nLicense: a\\nBuildRequires: ${requires}\\n%%description\\n' > a.spec
       rpmbuild --define '_dbpath /build' --define '_topdir /build' --nobuild -bb a.spec; echo $?`;
    expect(await inRoot(root, spec('tiny-devel >= 6, gcc >= 12, /bin/sh, libc.so.6(GLIBC_2.36)(64bit)'))).toMatch(
      /^0$/m,
    );
    expect(await inRoot(root, spec('zlib-devel'))).toMatch(/zlib-devel is needed by a-1-1/);
  });

  it('is made of cached parts', async () => {
    const first = await compose(rpms.library, rpms.devel);
    const started = performance.now();
    expect(await compose(rpms.library, rpms.devel)).toEqual(first);
    expect(performance.now() - started).toBeLessThan(100);
  });

  it('without RPMs is the toolchain alone', async () => {
    const root = await compose();
    expect(root.layers).toEqual([toolchain.layer]);
  });

  it('is refused in rpm’s words when a dependency is missing or files conflict', async () => {
    await expect(compose(rpms.needy)).rejects.toMatchObject({
      code: 'ROOT_NOT_CLOSED',
      message: expect.stringContaining('nobody-has-this >= 2 is needed by tiny-needy-6-1'),
    });
    await expect(compose(rpms.devel)).rejects.toMatchObject({
      message: expect.stringContaining('tiny = 6-1 is needed by'),
    });
    await expect(compose(rpms.library, rpms.devel, rpms.twin)).rejects.toMatchObject({
      code: 'ROOT_NOT_CLOSED',
      message: expect.stringContaining('/usr/include/tiny.h'),
    });
  });
});
