import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BuildError } from '@kiln/diagnostics';
import { createHost, type KilnEvent } from '@kiln/host';
import { Store } from '@kiln/store';
import {
  fetchManifestRpms,
  formatToolchainManifest,
  makeToolchainManifest,
  parseToolchainManifest,
  type ManifestRequest,
  type ToolchainManifest,
} from '@kiln/toolchain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeKey, type TestKey } from '../../rpm-repository/test/signing-key.ts';
import { makeRepository, serveDirectory, type LoopbackServer } from './loopback-repository.ts';

const FIXTURES = join(import.meta.dirname, '../../rpm-repository/test/fixtures');
const MINIMAL = 'minimal-1-1.noarch.rpm';
const SUB = 'sub-package-1.2~rc1-4.noarch.rpm';
const FILE = 'toolkit/manifests/test.json';
/** A key whose file isn't there. */
const KEYLESS = 'A'.repeat(40);

let top: string;
let own: TestKey;
let other: TestKey;
let server: LoopbackServer;
let request: ManifestRequest;
let store: Store;
let events: KilnEvent[];

beforeAll(async () => {
  top = mkdtempSync(join(tmpdir(), 'kiln-fetch-rpms-'));
  chmodSync(top, 0o755);
  [own, other] = [makeKey(top, 'own'), makeKey(top, 'other')];
  await makeRepository(join(top, 'served'), [join(FIXTURES, MINIMAL), join(FIXTURES, SUB)], own);
  server = await serveDirectory(join(top, 'served'));
  request = {
    architecture: 'x86_64',
    keys: { [own.fingerprint]: 'own.asc', [other.fingerprint]: 'other.asc' },
    repositories: [{ name: 'base', url: server.url, rpmKey: own.fingerprint, metadataKey: own.fingerprint }],
    roots: ['minimal', 'sub-package'],
    lists: [],
  };
});

beforeEach(() => {
  server.trouble = () => false;
  server.asked.length = 0;
  events = [];
  store = new Store(createHost(), mkdtempSync(join(top, 'store-')));
  chmodSync(store.directory, 0o755);
});

afterAll(() => {
  server.server.close();
  rmSync(top, { recursive: true, force: true });
});

const place = () => ({
  ...{ host: createHost({ emit: (event) => events.push(event) }), store, root: top },
  stallSeconds: 1,
});
const manifestOf = async (change: Partial<ManifestRequest> = {}) => {
  const made = await makeToolchainManifest(place(), { ...request, ...change }, FILE);
  // As it is when it was written and read again.
  return parseToolchainManifest(formatToolchainManifest(made), FILE);
};
const changed = (manifest: ToolchainManifest, change: object): ToolchainManifest => ({
  ...manifest,
  packages: manifest.packages.map((one) => (one.nevra.startsWith('minimal') ? { ...one, ...change } : one)),
});

/** Code, message and diagnostics of the error. */
async function failure(work: Promise<unknown>): Promise<string[]> {
  const error = (await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )) as BuildError | undefined;
  if (error?.code === undefined) throw error ?? new Error('it did not fail');
  const told = error.diagnostics.map(
    ({ message, location }) => `${location === undefined ? '' : `${location.file}:${location.line}: `}${message}`,
  );
  return [`${error.code}: ${error.message}`, ...told];
}

/** The bytes of a served RPM with one bit flipped at the end. */
function flipped(name: string): Buffer {
  const bytes = Buffer.from(readFileSync(join(top, 'served', name)));
  bytes[bytes.length - 2]! ^= 1;
  return bytes;
}

it('brings signed RPMs of a signed repository into the store, with progress in bytes; then nothing is asked any more', async () => {
  const manifest = await manifestOf();
  expect(manifest.packages.map(({ nevra, key }) => [nevra, key])).toEqual([
    ['minimal-1-1.noarch', own.fingerprint],
    ['sub-package-3:1.2~rc1-4.noarch', own.fingerprint],
  ]);
  // Lists of all files are large; nothing asks for a file that only they have.
  expect(server.asked.filter((path) => path.includes('filelists'))).toEqual([]);
  await fetchManifestRpms(place(), manifest);
  for (const one of manifest.packages) expect(await store.hasIntactBlob(one.sha256)).toBe(true);
  const total = manifest.packages.reduce((sum, { size }) => sum + size, 0);
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'progress', message: 'fetching 2 packages', unit: 'bytes', done: total, total }),
  );
  server.asked.length = 0;
  await fetchManifestRpms(place(), manifest);
  expect(server.asked).toEqual([]);
});

it('takes them from a directory in the same way, with metadata or without', async () => {
  const [first] = request.repositories;
  const over = await manifestOf({ repositories: [{ ...first!, url: 'served' }] });
  expect(over.packages).toEqual((await manifestOf()).packages);
  await makeRepository(join(top, 'bare'), [join(FIXTURES, MINIMAL)], own);
  rmSync(join(top, 'bare/repodata'), { recursive: true });
  const bare = { name: 'bare', url: 'bare', rpmKey: own.fingerprint };
  const manifest = await manifestOf({ repositories: [bare], roots: ['minimal'] });
  expect(manifest.provides).toEqual({ 'minimal-1-1.noarch': ['minimal = 1-1'] });
  await fetchManifestRpms(place(), manifest);
  expect(server.asked.filter((path) => path.endsWith('.rpm'))).toEqual([]);
});

describe('one clear error for', () => {
  it('a flipped byte', async () => {
    const manifest = await manifestOf();
    server.trouble = (path, response) => path === MINIMAL && (response.end(flipped(MINIMAL)), true);
    const [error, ...told] = await failure(fetchManifestRpms(place(), manifest));
    expect(error).toBe(
      'TOOLCHAIN_RPM_CHANGED: minimal-1-1.noarch of the toolchain is another file than the manifest pins',
    );
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /^toolkit\/manifests\/test\.json:\d+: minimal-1-1\.noarch: http:\S+: it has SHA-256 [0-9a-f]{64}$/,
    );
    expect(await store.hasIntactBlob(manifest.packages[0]!.sha256)).toBe(false);
  });

  it('a server that sends without end, which is stopped', async () => {
    const manifest = await manifestOf();
    server.trouble = (path, response) => {
      if (path !== MINIMAL) return false;
      const piece = Buffer.alloc(64 * 1024);
      const write = () => {
        while (!response.destroyed && response.write(piece));
      };
      response.on('drain', write);
      write();
      return true;
    };
    const [error, told] = await failure(fetchManifestRpms(place(), manifest));
    expect(error).toMatch(/^TOOLCHAIN_RPM_CHANGED: minimal-1-1\.noarch /);
    expect(told).toMatch(/minimal-1-1\.noarch\.rpm: it has more than \d+ bytes$/);
    server.trouble = () => false;
    await fetchManifestRpms(place(), manifest);
  });

  it('a signature of another key, and for none', async () => {
    const manifest = await manifestOf();
    const wrong = changed(manifest, { key: other.fingerprint });
    expect(await failure(fetchManifestRpms(place(), wrong))).toEqual([
      'TOOLCHAIN_RPM_REFUSED: minimal-1-1.noarch of the toolchain is not what the manifest says of it',
      expect.stringContaining(`it is not signed by ${other.fingerprint}: ${own.fingerprint} signed it`),
    ]);
    await makeRepository(join(top, 'unsigned'), [join(FIXTURES, MINIMAL)]);
    const unsigned = { name: 'unsigned', url: 'unsigned', rpmKey: own.fingerprint };
    const plain = await manifestOf({ repositories: [unsigned], roots: ['minimal'] });
    expect((await failure(fetchManifestRpms(place(), plain)))[1]).toContain('it has no signature');
  });

  it('a package that was refused is refused again', async () => {
    const wrong = changed(await manifestOf(), { key: other.fingerprint });
    const first = await failure(fetchManifestRpms(place(), wrong));
    expect(await failure(fetchManifestRpms(place(), wrong))).toEqual(first);
  });

  it('packages that are gone, all of them named', async () => {
    const manifest = await manifestOf();
    server.trouble = (path, response) => path.endsWith('.rpm') && (response.writeHead(404).end(), true);
    expect(await failure(fetchManifestRpms(place(), manifest))).toEqual([
      "TOOLCHAIN_RPM_MISSING: 2 packages of the toolchain can't be had",
      expect.stringMatching(/minimal-1-1\.noarch: http:.*404/),
      expect.stringMatching(/sub-package-3:1\.2~rc1-4\.noarch: http:.*404/),
    ]);
  });

  it('a server that stalls, without waiting for each package', async () => {
    const manifest = await manifestOf();
    server.trouble = (path, response) => path.endsWith('.rpm') && (response.write('begin'), true);
    const told = await failure(fetchManifestRpms(place(), manifest));
    expect(told).toEqual([
      expect.stringMatching(/^TOOLCHAIN_RPM_MISSING: \S+ of the toolchain can't be had$/),
      expect.stringMatching(/Operation too slow.*\(tried 4 times\)/),
    ]);
  }, 60_000);

  it('half of the metadata, and for metadata of another key', async () => {
    const primary = /repodata\/\w+-primary\.xml\.\w+/;
    server.trouble = (path, response) => {
      if (!primary.test(path)) return false;
      const bytes = readFileSync(join(top, 'served', path));
      response.end(bytes.subarray(0, bytes.length / 2));
      return true;
    };
    expect((await failure(manifestOf()))[0]).toMatch(
      /^REPODATA_DIGEST_MISMATCH: http:.*primary.*it has \d+ bytes, repomd\.xml states \d+$/,
    );
    server.trouble = () => false;
    const [first] = request.repositories;
    const foreign = [{ ...first!, metadataKey: other.fingerprint }];
    expect((await failure(manifestOf({ repositories: foreign })))[0]).toMatch(
      /^SIGNATURE_INVALID: http:.*repomd\.xml is not signed by .*: another key signed it/,
    );
    server.trouble = (path, response) =>
      path === 'repodata/repomd.xml' && (response.end(`${readFileSync(join(top, 'served', path), 'utf8')}\n`), true);
    expect((await failure(manifestOf()))[0]).toContain('the content is not what was signed');
  });

  it('metadata without a signature', async () => {
    server.trouble = (path, response) => path.endsWith('.asc') && (response.writeHead(404).end(), true);
    expect((await failure(manifestOf()))[0]).toMatch(
      /^SIGNATURE_MISSING: http:.*repomd\.xml has no signature; it must be signed by .*404/,
    );
  });

  it('each of them at the line of the repository, without its password', async () => {
    const url = server.url.replace('//', '//user:secret@');
    const at = async (repository: object): Promise<BuildError> => {
      const keys = { ...request.keys, [KEYLESS]: 'none.asc' };
      const text = JSON.stringify({ ...request, keys, repositories: [repository] }, undefined, 1);
      const made = makeToolchainManifest(place(), parseToolchainManifest(text, FILE), FILE);
      return made.then(
        () => Promise.reject(new Error('it did not fail')),
        (error: unknown) => error as BuildError,
      );
    };
    writeFileSync(join(top, 'file'), '');
    mkdirSync(join(top, 'dangling'));
    symlinkSync('nothing', join(top, 'dangling/a.rpm'));
    const cases: readonly (readonly [object, string, RegExp])[] = [
      [{ url: `${url}none/` }, 'TOOLCHAIN_REPOSITORY_UNREACHABLE', /none\/repodata/],
      [{ url, metadataKey: other.fingerprint }, 'SIGNATURE_INVALID', /repomd\.xml is not signed by/],
      [{ url, metadataKey: KEYLESS }, 'SIGNATURE_KEY_INVALID', /none\.asc can't be read/],
      [{ url: 'file' }, 'TOOLCHAIN_REPOSITORY_UNREACHABLE', /one can't be read: .*not a directory/],
      [{ url: 'dangling' }, 'TOOLCHAIN_REPOSITORY_UNREACHABLE', /one can't be read: .*a\.rpm/],
    ];
    for (const [more, code, words] of cases) {
      const error = await at({ name: 'one', ...more });
      expect(error.format()).not.toContain('secret');
      expect(error).toMatchObject({ code, location: { file: FILE, line: 9 } });
      expect(error.message).toMatch(words);
      expect(error.hint).toBeDefined();
    }
  });

  it('a repository that is not there', async () => {
    const at = (url: string) => manifestOf({ repositories: [{ name: 'none', url }] });
    expect((await failure(at(`${server.url}none/`)))[0]).toMatch(
      /^TOOLCHAIN_REPOSITORY_UNREACHABLE: .*none\/repodata\/repomd\.xml: .*404/,
    );
    expect((await failure(at('none')))[0]).toBe('TOOLCHAIN_REPOSITORY_UNREACHABLE: there is no directory none');
  });

  it('a package that is called or offers something else than the manifest says', async () => {
    const manifest = await manifestOf();
    const renamed = changed(manifest, { nevra: 'maximal-1-1.noarch' });
    expect((await failure(fetchManifestRpms(place(), renamed)))[1]).toContain('it is minimal-1-1.noarch');
    const longer = changed(manifest, { size: 1_000_000 });
    expect((await failure(fetchManifestRpms(place(), longer)))[1]).toMatch(
      /it has \d+ bytes, the manifest says 1000000$/,
    );
    const promising = { ...manifest, provides: { ...manifest.provides, 'minimal-1-1.noarch': ['gcc = 14'] } };
    expect((await failure(fetchManifestRpms(place(), promising)))[1]).toContain("it doesn't provide 'gcc = 14'");
  });
});

it('reads nothing outside of a directory that a link leads out of', async () => {
  mkdirSync(join(top, 'linked/repodata'), { recursive: true });
  writeFileSync(join(top, 'outside.xml'), '<repomd/>');
  symlinkSync(join(top, 'outside.xml'), join(top, 'linked/repodata/repomd.xml'));
  const [error] = await failure(manifestOf({ repositories: [{ name: 'linked', url: 'linked' }] }));
  expect(error).toMatch(/^REPODATA_PATH_OUTSIDE: /);
});
