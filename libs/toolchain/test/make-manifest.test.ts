import type { BuildError } from '@kiln/diagnostics';
import { parseDependency, parseEvr } from '@kiln/rpm-package';
import {
  parsePackageList,
  parseToolchainManifest,
  resolveManifest,
  type ManifestRepository,
  type ManifestRequest,
  type OfferedRpm,
} from '@kiln/toolchain';
import { expect, it } from 'vitest';

const base: ManifestRepository = {
  name: 'base',
  url: 'https://rpms.example/base',
  priority: 10,
  rpmKey: 'A'.repeat(40),
};
const extra: ManifestRepository = { name: 'extra', url: 'https://rpms.example/extra' };

interface Offer {
  readonly requires?: string[];
  readonly provides?: string[];
  readonly conflicts?: string[];
  readonly files?: string[];
  readonly repository?: ManifestRepository;
  readonly arch?: string;
  readonly published?: number;
}

let count = 0;

function offer(name: string, evr: string, options: Offer = {}): OfferedRpm {
  const { requires = [], provides = [], conflicts = [], files = [], repository = base, arch = 'x86_64' } = options;
  count += 1;
  return {
    ...{ name, evr: parseEvr(evr), arch, files, repository, origin: name },
    provides: [`${name} = ${evr}`, ...provides].map(parseDependency),
    requires: requires.map(parseDependency),
    conflicts: conflicts.map(parseDependency),
    path: `Packages/${name}-${evr}.rpm`,
    size: 1,
    sha256: String(count).padStart(64, '0') as OfferedRpm['sha256'],
    source: `${name}-${evr}.src.rpm`,
    published: options.published ?? 1000,
  };
}

function resolve(offers: readonly OfferedRpm[], more: Partial<ManifestRequest> = {}, list = ''): string[] {
  const request: ManifestRequest = {
    ...{ architecture: 'x86_64', keys: {}, repositories: [base, extra], roots: ['shell'], lists: [], ...more },
  };
  const options = { listed: parsePackageList(list, 'list.txt'), file: 'm.json' };
  const manifest = resolveManifest(request, offers, options);
  expect(resolveManifest(request, [...offers].reverse(), options)).toEqual(manifest);
  const text = JSON.stringify({ ...manifest, keys: { ['A'.repeat(40)]: 'a.asc' } });
  expect(parseToolchainManifest(text, 'm.json').packages).toHaveLength(manifest.packages.length);
  return manifest.packages.map(({ nevra, repository }) => `${nevra} ${repository}`);
}

function problems(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    const { code, diagnostics } = error as BuildError;
    return diagnostics.map(({ message }) => `${code}: ${message}`);
  }
  return [];
}

const shell = offer('shell', '5-1', { requires: ['libc.so.6()(64bit)', '/usr/bin/env', 'rpmlib(X) <= 4'] });
const libc = offer('libc', '2-1', { provides: ['libc.so.6()(64bit)'] });
const tools = offer('tools', '9-1', { files: ['/usr/bin/env'], requires: ['libc >= 2'] });

it('takes what is asked for and all that it requires, and nothing else', () => {
  const other = offer('other', '1-1');
  const foreign = offer('foreign', '1-1', { provides: ['libc.so.6()(64bit)'], arch: 'aarch64' });
  expect(resolve([shell, libc, tools, other, foreign])).toEqual([
    'libc-2-1.x86_64 base',
    'shell-5-1.x86_64 base',
    'tools-9-1.x86_64 base',
  ]);
});

it('says of each package where it comes from, by which key it is signed, and what it offers', () => {
  const request = { architecture: 'x86_64', keys: {}, repositories: [base], roots: ['tools'], lists: [] };
  const manifest = resolveManifest(request, [libc, tools], { listed: [], file: 'm.json' });
  expect(manifest.packages[1]).toMatchObject({
    ...{ nevra: 'tools-9-1.x86_64', repository: 'base', path: 'Packages/tools-9-1.rpm', sha256: tools.sha256 },
    ...{ key: base.rpmKey, source: 'tools-9-1.src.rpm' },
  });
  expect(manifest.provides['tools-9-1.x86_64']).toEqual(['/bin/env', '/usr/bin/env', 'tools = 9-1']);
});

it('takes the newest version; a smaller priority wins over a newer version', () => {
  const newer = offer('libc', '2.10-1', { provides: ['libc.so.6()(64bit)'] });
  expect(resolve([shell, libc, newer, tools])).toContain('libc-2.10-1.x86_64 base');
  const elsewhere = offer('libc', '3-1', { provides: ['libc.so.6()(64bit)'], repository: extra });
  expect(resolve([shell, libc, elsewhere, tools])).toContain('libc-2-1.x86_64 base');
});

it('doesn’t see what was published after the snapshot', () => {
  const late = offer('libc', '3-1', { provides: ['libc.so.6()(64bit)'], published: 2000 });
  expect(resolve([shell, libc, late, tools], { snapshot: '1970-01-01T00:33:20Z' })).toContain('libc-3-1.x86_64 base');
  expect(resolve([shell, libc, late, tools], { snapshot: '1970-01-01T00:33:19Z' })).toContain('libc-2-1.x86_64 base');
  expect(problems(() => resolve([shell, late, tools], { snapshot: '1970-01-01T00:30:00Z' }))).not.toEqual([]);
});

it('takes exactly what a list names, also where it is not the newest', () => {
  const newer = offer('libc', '2.10-1', { provides: ['libc.so.6()(64bit)'] });
  const list = '# comment\n\nlibc-2-1.x86_64.rpm\n';
  expect(resolve([shell, libc, newer, tools], { roots: [] }, list)).toEqual(['libc-2-1.x86_64 base']);
  expect(resolve([shell, libc, newer, tools], { roots: [] }, 'libc\n')).toEqual(['libc-2.10-1.x86_64 base']);
  expect(problems(() => resolve([newer], {}, list))).toEqual([
    'TOOLCHAIN_UNRESOLVED: no repository has libc-2-1.x86_64.rpm; there is libc 2.10-1',
  ]);
});

it('names everything that is missing, who asks for it, and what is there instead', () => {
  expect(problems(() => resolve([shell, offer('tools', '9-1', { requires: ['libc >= 3'] }), libc]))).toEqual([
    "TOOLCHAIN_UNRESOLVED: nothing provides '/usr/bin/env', which shell asks for",
  ]);
  expect(problems(() => resolve([shell, libc, tools], { roots: ['shel', 'libc >= 3'] }))).toEqual([
    "TOOLCHAIN_UNRESOLVED: nothing provides 'libc >= 3', which 'roots' asks for; there is libc = 2-1",
    "TOOLCHAIN_UNRESOLVED: nothing provides 'shel', which 'roots' asks for; did you mean 'shell'?",
  ]);
  const enemy = offer('enemy', '1-1', { conflicts: ['shell'] });
  expect(problems(() => resolve([shell, libc, tools, enemy], { roots: ['shell', 'enemy'] }))).toEqual([
    'TOOLCHAIN_UNRESOLVED: enemy excludes shell: conflicts shell',
  ]);
});

it('refuses lists with two versions of a package', () => {
  const newer = offer('libc', '2.10-1');
  const resolved = () => resolve([libc, newer], { roots: [] }, 'libc-2-1.x86_64.rpm\nlibc-2.10-1.x86_64.rpm\n');
  expect(resolved).toThrowError(
    expect.objectContaining({
      code: 'TOOLCHAIN_LIST_INVALID',
      message: 'libc-2.10-1.x86_64.rpm is listed, and libc-2-1.x86_64.rpm too',
      location: { file: 'list.txt', line: 2 },
    }),
  );
  const same = 'libc-2-1.x86_64.rpm\nlibc-2-1.x86_64.rpm\n';
  expect(resolve([libc, newer], { roots: [] }, same)).toEqual(['libc-2-1.x86_64 base']);
});

it('says which line of a list asks for a package that nobody has', () => {
  expect(() => resolve([libc], { roots: [] }, 'libc\nlibd\n')).toThrowError(
    expect.objectContaining({
      diagnostics: [
        expect.objectContaining({
          message: "nothing provides 'libd', which list.txt asks for; did you mean 'libc'?",
          location: { file: 'list.txt', line: 2 },
        }),
      ],
    }),
  );
});

it('a text that is no rich dependency is one that nobody provides', () => {
  expect(problems(() => resolve([libc], { roots: ['(libc'] }))).toEqual([
    expect.stringMatching(/^TOOLCHAIN_UNRESOLVED: nothing provides '\(libc', which 'roots' asks for/),
  ]);
});

it('reads Azure Linux’s lists and says where one is none', () => {
  expect(parsePackageList('ncurses-libs-6.4-3.azl3.x86_64.rpm\n', 'l.txt')).toEqual([
    { fileName: 'ncurses-libs-6.4-3.azl3.x86_64.rpm', name: 'ncurses-libs', location: { file: 'l.txt', line: 1 } },
  ]);
  expect(parsePackageList('gcc-c++\n', 'l.txt')).toEqual([{ name: 'gcc-c++', location: { file: 'l.txt', line: 1 } }]);
  expect(() => parsePackageList('a-1-1.noarch.rpm\ngcc.rpm\n', 'l.txt')).toThrowError(
    expect.objectContaining({ code: 'TOOLCHAIN_LIST_INVALID', location: { file: 'l.txt', line: 2 } }),
  );
});
