import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildUser } from '@kiln/host';
import { runSandboxed } from '@kiln/sandbox';
import { isSealed, sealTree, Store } from '@kiln/store';
import {
  lockDebianToolchain,
  parseDebianPackages,
  prepareToolchain,
  toolchainRequirements,
  type Toolchain,
} from '@kiln/toolchain';
import { describeChanges, readManifest } from '../src/layer-manifest.ts';
import { toolchainLayer } from '../src/toolchain-layer.ts';
import { events, files, host, locked, openDirectory, readWorkspaceFile, testStore } from './toolchain-store.ts';

const store = testStore();
let toolchain: Toolchain;

beforeAll(async () => {
  toolchain = await prepareToolchain(host, store, locked);
}, 600_000);

const sh = (script: string) =>
  runSandboxed(host, {
    layers: [toolchain.layer],
    identity: 'builder',
    argv: ['sh', '-euc', script],
    environment: { PATH: '/usr/bin:/usr/sbin', HOME: '/tmp', LC_ALL: 'C.UTF-8' },
    cwd: '/tmp',
  });

describe('the layer', () => {
  it('compiles, links and runs C and C++', async () => {
    const result = await sh(`
      echo 'int main(void) { return __builtin_printf("%s\\n", "c"); }' > a.c; cc -O2 -flto a.c -lm -o a; ./a || :
      printf '#include <iostream>\\nint main() { std::cout << "c++\\\\n"; }' > b.cc; c++ b.cc -o b; ./b`);
    expect(result.stdout + result.stderr).toBe('c\nc++\n');
  });

  it('has the tools of a build under the names that builds use', async () => {
    const tools = [
      'awk',
      'lex',
      'yacc',
      'which',
      'aclocal',
      'pkg-config',
      'rpmbuild',
      'find-debuginfo',
      'createrepo_c',
      'msgfmt',
      'file',
    ];
    const result = await sh(
      `for tool in ${tools.join(' ')}; do command -v $tool; done; [ "$BASH_VERSION" ] && echo bash`,
    );
    expect(result.stdout.trim().split('\n')).toEqual([...tools.map((tool) => `/usr/bin/${tool}`), 'bash']);
  });

  it('makes a manual page from DocBook without a network', async () => {
    const result = await sh(`
      cat > a.xml <<'END'
<!DOCTYPE refentry PUBLIC "-//OASIS//DTD DocBook XML V4.5//EN" "http://www.oasis-open.org/docbook/xml/4.5/docbookx.dtd">
<refentry><refmeta><refentrytitle>a</refentrytitle><manvolnum>1</manvolnum></refmeta>
<refnamediv><refname>a</refname><refpurpose>first</refpurpose></refnamediv>
<refsect1><title>Use</title><para>a&nbsp;b</para></refsect1></refentry>
END
      xmllint --nonet --noout --valid a.xml && xmlto man a.xml && grep -c first a.1`);
    expect(result.stderr).not.toMatch(/error|failed/i);
    expect(result.stdout).toBe('1\n');
  });

  it('gives no library of Debian to build with', async () => {
    for (const library of ['ncurses', 'tinfo', 'z', 'readline', 'crypt', 'elf', 'xml2', 'bz2']) {
      expect((await sh(`cc -shared -o x.so -l${library} 2>&1 || echo refused`)).stdout, library).toContain('refused');
    }
    const manifest = await toolchain.readManifest();
    const owners = new Set(
      manifest
        .filter(({ path, type }) => type === 'file' && /^usr\/include\/|\.(pc|a)$/.test(path))
        .map(({ owner }) => owner),
    );
    expect([...owners].sort()).toEqual(['libc6-dev', 'libgcc-12-dev', 'libstdc++-12-dev', 'linux-libc-dev']);
    expect(toolchain.ownsHeader('/usr/include/stdio.h')).toBe(true);
    expect(toolchain.ownsHeader('/usr/include/curses.h')).toBe(false);
  });

  it('does not show where it comes from, runs nothing with privileges, and belongs to the build user', async () => {
    const manifest = await toolchain.readManifest();
    const paths = new Set(manifest.map(({ path }) => path));
    for (const path of ['etc/debian_version', 'usr/lib/os-release', 'etc/ld.so.cache', 'usr/bin/dpkg'])
      expect(paths).not.toContain(path);
    expect(manifest.filter(({ mode, type }) => type !== 'link' && (mode & 0o7022) !== 0)).toEqual([]);
    expect((await sh('id -un; cat /etc/fstab')).stdout).toBe('builder\n');
    expect(lstatSync(join(toolchain.layer, 'usr/bin/gcc-12'), { throwIfNoEntry: false })?.uid ?? -1).toBe(
      (await buildUser(host)).uid,
    );
    expect(manifest.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(600e6);
  });
});

describe('made again', () => {
  let top: string;
  let other: Store;

  beforeAll(() => {
    top = openDirectory(mkdtempSync(join(tmpdir(), 'kiln-second-')));
    symlinkSync(join(store.directory, 'cas'), join(top, 'cas'));
    other = new Store(host, top);
  });

  afterAll(() => rmSync(top, { recursive: true, force: true }));

  it('is the same, byte for byte and date for date; so is its RPM', async () => {
    const second = await prepareToolchain(host, other, locked);
    expect(second.layer).not.toBe(toolchain.layer);
    expect(await second.readManifest()).toEqual(await toolchain.readManifest());
    expect(readFileSync(second.rpms[0]!.path).equals(readFileSync(toolchain.rpms[0]!.path))).toBe(true);
  });

  it('happens when a header was planted, and is told', async () => {
    const { layer } = await prepareToolchain(host, other, locked);
    writeFileSync(join(layer, 'usr/include/curses.h'), '#define PLANTED\n');
    events.length = 0;
    await prepareToolchain(host, other, locked);
    const notice = events.find((event) => event.type === 'notice' && event.code === 'TOOLCHAIN_LAYER_CHANGED');
    expect(notice).toMatchObject({ message: expect.stringContaining('usr/include/curses.h (added)') });
    expect(describeChanges(layer, await toolchain.readManifest(), 5)).toEqual([]);
  });
});

describe('a look before use', () => {
  it.each([
    ['added', (tree: string) => writeFileSync(join(tree, 'a/new'), '')],
    ['removed', (tree: string) => unlinkSync(join(tree, 'a/file'))],
    ['changed', (tree: string) => writeFileSync(join(tree, 'a/file'), 'other')],
    ['changed', (tree: string) => chmodSync(join(tree, 'a/file'), 0o600)],
    [
      'changed',
      (tree: string) => {
        const { mtime } = lstatSync(join(tree, 'a/file'));
        writeFileSync(join(tree, 'a/file'), 'TEXT');
        utimesSync(join(tree, 'a/file'), mtime, mtime);
      },
    ],
  ])('notices a file that was %s, also under its old size and date', async (what, damage) => {
    const tree = mkdtempSync(join(tmpdir(), 'kiln-tree-'));
    mkdirSync(join(tree, 'a'));
    writeFileSync(join(tree, 'a/file'), 'text');
    const [seal, manifest] = [sealTree(tree), readManifest(tree, new Map())];
    expect(isSealed(tree, seal)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    damage(tree);
    expect(isSealed(tree, seal)).toBe(false);
    expect(describeChanges(tree, manifest, 9).some((change) => change.endsWith(`(${what})`))).toBe(true);
    rmSync(tree, { recursive: true });
  });
});

describe('the lock', () => {
  it('is not made with a development package', async () => {
    const packages = parseDebianPackages(readWorkspaceFile(files.packages), files.packages);
    const more = { ...packages, packages: [...packages.packages, 'libncurses-dev'] };
    await expect(lockDebianToolchain(host, store, more)).rejects.toMatchObject({
      code: 'TOOLCHAIN_NOT_TOOLS_ONLY',
      message: expect.stringContaining('libncurses-dev'),
    });
  });

  it('is not made with an answer of a package that the suite does not have', async () => {
    const packages = parseDebianPackages(readWorkspaceFile(files.packages), files.packages);
    const provides = { ...packages.provides, gcc: 'gcc-11' };
    await expect(lockDebianToolchain(host, store, { ...packages, provides })).rejects.toMatchObject({
      code: 'TOOLCHAIN_UNRESOLVED',
      diagnostics: [{ message: "'gcc' is said to come from 'gcc-11'; did you mean 'gcc-12'?" }],
    });
  });

  it('can not call a package by another name', async () => {
    const hostname = locked.lock.packages.find(({ name }) => name === 'hostname')!;
    await expect(toolchainLayer(host, store, [{ ...hostname, name: 'libc6-dev' }])).rejects.toMatchObject({
      code: 'TOOLCHAIN_LOCK_MALFORMED',
      message: expect.stringContaining('Package: hostname'),
    });
  });

  const gone = {
    ...locked.lock.packages[0]!,
    sha256: 'e'.repeat(64) as typeof locked.identity,
    path: 'pool/main/k/kiln-none_1_all.deb',
  };

  it('is stale when the archive no longer has a package', async () => {
    const there = locked.lock.packages[1]!;
    await expect(toolchainLayer(host, store, [gone, there])).rejects.toMatchObject({
      code: 'TOOLCHAIN_LOCK_STALE',
      message: "the lock is stale: Debian's archive no longer has 1 of its 2 packages",
      diagnostics: [{ message: expect.stringMatching(new RegExp(`^${gone.name} ${gone.version}: .*404`)) }],
      hint: expect.stringContaining('kiln lock-toolchain'),
    });
  });

  it('is not called stale when the archive can not be asked', async () => {
    const environment = { ...host.environment, http_proxy: 'http://127.0.0.1:1', https_proxy: 'http://127.0.0.1:1' };
    await expect(toolchainLayer({ ...host, environment }, store, [gone])).rejects.toMatchObject({
      code: 'TOOLCHAIN_PACKAGE_MISSING',
      diagnostics: [{ message: expect.stringContaining(`${gone.name} ${gone.version}: `) }],
      hint: expect.stringContaining('check the network'),
    });
  });
});

it.each(toolchainRequirements.map((requirement) => [requirement.name, requirement] as const))(
  'this machine has what it takes: %s',
  async (_name, requirement) => {
    expect(await requirement.probe(host)).toMatchObject({ ok: true, message: '' });
  },
);
