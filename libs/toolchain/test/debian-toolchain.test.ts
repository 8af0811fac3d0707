import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatDependency } from '@kiln/rpm-package';
import {
  formatToolchainLock,
  loadDebianToolchain,
  loadToolchain,
  parseToolchainLock,
  upstreamVersion,
} from '@kiln/toolchain';
import { layerPrograms } from '../src/layer-programs.ts';
import { TOOLS_RECIPE } from '../src/layer-recipe.ts';
import { files, locked, readWorkspaceFile } from './toolchain-store.ts';

let top: string;

beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'kiln-toolchain-'));
  mkdirSync(join(top, 'toolkit/toolchain'), { recursive: true });
});

afterAll(() => rmSync(top, { recursive: true, force: true }));

// The files are edited as the text of anybody's editor would: without their types.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Edited = any;

/** Loads the real files after a change to each. */
function loadChanged(changes: Partial<Record<keyof typeof files, (value: Edited) => void>>) {
  for (const name of ['packages', 'lock'] as const) {
    const value = JSON.parse(readWorkspaceFile(files[name])) as unknown;
    changes[name]?.(value);
    writeFileSync(join(top, files[name]), JSON.stringify(value));
  }
  return loadDebianToolchain(top, files);
}

describe('the locked toolchain', () => {
  it('is known without a download: capabilities with upstream versions, paths, libraries with symbol versions', () => {
    const provides = new Set(locked.package.provides.map(formatDependency));
    for (const one of ['gcc = 12.2.0', 'bison = 3.8.2', '/bin/sh', 'libc.so.6(GLIBC_2.36)(64bit)', 'rtld(GNU_HASH)']) {
      expect(provides).toContain(one);
    }
    for (const library of ['ld-linux-x86-64.so.2', 'libm.so.6', 'libgcc_s.so.1', 'libstdc++.so.6']) {
      expect(provides).toContain(`${library}()(64bit)`);
    }
    expect([...provides].filter((one) => /libtinfo|libz\.|libcrypt|rpmlib/.test(one))).toEqual([]);
  });

  it('has an identity of its content only', () => {
    expect(loadChanged({}).identity).toBe(locked.identity);
    const other = loadChanged({ lock: (lock) => (lock.packages[0].sha256 = 'f'.repeat(64)) });
    expect(other.identity).not.toBe(locked.identity);
    const more = loadChanged({ packages: (list) => (list.provides['another'] = 'bash') });
    expect(more.identity).not.toBe(locked.identity);
    expect(more.layerIdentity).toBe(locked.layerIdentity);
  });

  it('offers the programs that the lock names, by both of their paths, and keeps its identity without them', () => {
    const add = (lock: Edited) => (lock.programs = ['/usr/bin/ln', '/usr/sbin/chroot']);
    const { package: made, identity, layerIdentity } = loadChanged({ lock: add });
    const provides = made.provides.map(formatDependency);
    expect(provides).toEqual(expect.arrayContaining(['/bin/ln', '/usr/bin/ln', '/sbin/chroot', '/usr/sbin/chroot']));
    expect(identity).not.toBe(locked.identity);
    expect(layerIdentity).toBe(locked.layerIdentity);
    expect(loadChanged({ lock: (lock) => delete lock.programs }).layerIdentity).toBe(locked.layerIdentity);
  });

  it.each(['ln', '/usr/bin/../ln', '/usr/lib/ln', '/usr/bin/a b', 7])('refuses %j as a program', (program) => {
    expect(() => loadChanged({ lock: (lock) => (lock.programs = [program]) })).toThrowError(
      expect.objectContaining({ code: 'TOOLCHAIN_LOCK_MALFORMED' }),
    );
  });

  it('has the programs of its layer written to the lock', () => {
    const entry = (path: string, type: 'file' | 'link' | 'directory', mode: number) => ({ path, type, mode });
    const programs = layerPrograms([
      entry('usr/sbin/ldconfig', 'file', 0o755),
      entry('usr/bin/[', 'file', 0o755),
      entry('usr/bin/g++', 'link', 0o777),
      entry('usr/bin/notes', 'file', 0o644),
      entry('usr/bin/directory', 'directory', 0o755),
      entry('usr/lib/rpm/elfdeps', 'file', 0o755),
      entry('bin', 'link', 0o777),
    ]);
    expect(programs).toEqual(['/usr/bin/[', '/usr/bin/g++', '/usr/sbin/ldconfig']);
    const lock = { suite: 'bookworm', packages: [], libraryCapabilities: ['libc.so.6()(64bit)'], programs };
    expect(parseToolchainLock(formatToolchainLock(lock), 'lock')).toEqual(lock);
    const { programs: _, ...without } = lock;
    expect(parseToolchainLock(formatToolchainLock(without), 'lock')).toEqual(without);
  });

  it('refuses a development package that somebody put into the lock', () => {
    const plant = (lock: Edited) => lock.packages.push({ ...lock.packages[0], name: 'libncurses-dev' });
    expect(() => loadChanged({ lock: plant })).toThrowError(
      expect.objectContaining({ code: 'TOOLCHAIN_NOT_TOOLS_ONLY', message: expect.stringContaining('libncurses-dev') }),
    );
  });

  it.each([
    ['a package that the lock lacks', (list: Edited) => list.packages.push('emacs')],
    ['a capability of a package that the lock lacks', (list: Edited) => (list.provides['emacs'] = 'emacs')],
    ['another suite', (list: Edited) => (list.suite = 'trixie')],
    ['an exclusion that the lock has', (list: Edited) => list.exclude.push('bash')],
  ])('is stale with %s', (_what, change) => {
    expect(() => loadChanged({ packages: change })).toThrowError(
      expect.objectContaining({ code: 'TOOLCHAIN_LOCK_STALE' }),
    );
  });

  it('can be of another suite, for tools; packages are built with rpm 4.18 alone', () => {
    const changes = {
      packages: (list: Edited) => (list.suite = 'trixie'),
      lock: (lock: Edited) => {
        lock.suite = 'trixie';
        lock.packages.find((one: Edited) => one.name === 'rpm').version = '4.20.1+dfsg-3';
      },
    };
    expect(loadChanged(changes).lock.suite).toBe('trixie');
    expect(() => loadToolchain(top, { provider: 'debian', ...files })).toThrowError(
      expect.objectContaining({
        code: 'TOOLCHAIN_RPM_UNSUPPORTED',
        message: "the suite 'trixie' has rpm 4.20.1+dfsg-3; packages are built with rpm 4.18",
        location: { file: files.lock, line: 1 },
      }),
    );
    loadChanged({});
    expect(loadToolchain(top, { provider: 'debian', ...files }).identity).toBe(locked.identity);
  });

  it('refuses malformed files', () => {
    expect(() => loadChanged({ packages: (list) => (list.surprise = 1) })).toThrowError(
      expect.objectContaining({ code: 'TOOLCHAIN_CONFIG_INVALID' }),
    );
    expect(() => loadChanged({ lock: (lock) => (lock.packages[0].path = 'pool/../../x.deb') })).toThrowError(
      expect.objectContaining({ code: 'TOOLCHAIN_LOCK_MALFORMED' }),
    );
    expect(() => parseToolchainLock('{', 'x.lock.json')).toThrowError(
      expect.objectContaining({ code: 'TOOLCHAIN_LOCK_MALFORMED', location: { file: 'x.lock.json', line: 1 } }),
    );
  });
});

it.each([
  ['2:3.8.2+dfsg-1+b1', '3.8.2'],
  ['4.18.0+dfsg-1+deb12u1', '4.18.0'],
  ['1:1.2.13.dfsg-1', '1.2.13'],
  ['12.4+deb12u15', '12.4'],
  ['5.36.0-7+deb12u2', '5.36.0'],
  ['2:4.0.2-3', '4.0.2'],
  ['20220109.1', '20220109.1'],
])('the upstream version of %s is %s', (debian, upstream) => expect(upstreamVersion(debian)).toBe(upstream));

it.each([
  ['usr/include/curses.h', 'libncurses6', false, true],
  ['usr/include/stdio.h', 'libc6-dev', false, false],
  ['usr/lib/x86_64-linux-gnu/libncurses.so', 'x', false, true],
  ['usr/lib/x86_64-linux-gnu/libelf-0.188.so', 'libelf1', true, false],
  ['usr/lib/x86_64-linux-gnu/libz.so.1', 'zlib1g', true, false],
  ['usr/lib/x86_64-linux-gnu/libz.a', 'x', false, true],
  ['usr/lib/x86_64-linux-gnu/pkgconfig/zlib.pc', 'x', false, true],
  ['usr/lib/x86_64-linux-gnu/cmake/zstd/zstdConfig.cmake', 'x', false, true],
  ['usr/lib/python3/dist-packages/mesonbuild/cmake/__init__.py', 'meson', false, false],
  ['usr/share/gettext/gettext.h', 'gettext', false, false],
  ['etc/debian_version', 'base-files', false, true],
  ['etc/perl/Net/libnet.cfg', 'perl', false, false],
  ['usr/lib/python3.11/__pycache__/x.pyc', 'x', false, true],
])('%s of %s', (path, owner, isLibrary, unwanted) =>
  expect(TOOLS_RECIPE.isUnwanted(path, owner, isLibrary)).toBe(unwanted),
);
