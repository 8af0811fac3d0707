import { createServer, type Server } from 'node:http';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '@kiln/build-identity';
import { createFakeHost, createHost, type Host } from '@kiln/host';
import { fetchSources, sourceRequirements, type SourcePlace, type SourceRequest } from '@kiln/sources';
import { Store } from '@kiln/store';

const host = createHost();
const text = 'the source\n';
const digest = sha256(text);
const location = { file: 'SPECS/x/x.spec', line: 9 };
let top: string;
let store: Store;
let server: Server;
let base: string;
let served: string[] = [];

beforeAll(async () => {
  top = mkdtempSync(join(tmpdir(), 'kiln-sources-'));
  chmodSync(top, 0o755);
  server = createServer((request, response) => {
    served.push(request.url!);
    if (request.url === '/x.tar') response.end(text);
    else if (request.url === '/other.tar') response.end('something else\n');
    else if (request.url === '/half.tar') {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half', () => response.destroy());
    } else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  rmSync(top, { recursive: true, force: true });
});

beforeEach(() => {
  served = [];
  store = new Store(host, mkdtempSync(join(top, 'store-')));
  chmodSync(store.directory, 0o755);
});

const defaultPlaces = (lock: string): SourcePlace[] => [{ kind: 'debian-archive', lock }, { kind: 'spec-url' }];

const fetch = (request: Partial<SourceRequest>, options: { host?: Host; lock?: string } = {}) =>
  fetchSources(options.host ?? host, store, {
    requests: [{ fileName: 'x.tar', sha256: digest, location, ...request }],
    places: defaultPlaces(options.lock ?? join(top, 'no.lock')),
  });

const fetched = (place: string, address: string) => ({ stored: false, provenance: { place, address } });

describe('by address', () => {
  it('fetches over HTTP once, then takes it from the store without any process', async () => {
    const first = await fetch({ url: `${base}/x.tar` });
    expect(first.origins.get(digest)).toEqual(fetched('spec-url', `${base}/x.tar`));
    expect(readFileSync(first.pathOf(digest), 'utf8')).toBe(text);
    const offline = createFakeHost();
    const again = await fetch({ url: `${base}/x.tar` }, { host: offline });
    expect(again.origins.get(digest)).toEqual({ ...fetched('spec-url', `${base}/x.tar`), stored: true });
    expect(offline.requests).toEqual([]);
    expect(served).toEqual(['/x.tar']);
    expect(readdirSync(join(store.directory, 'tmp'))).toEqual([]);
  });

  it('fetches files, and does not mind a fragment that renames', async () => {
    const mirror = join(top, 'mirror');
    mkdirSync(mirror, { recursive: true });
    writeFileSync(join(mirror, 'v1.tar'), text);
    const url = `${pathToFileURL(join(mirror, 'v1.tar')).href}#/x.tar`;
    expect((await fetch({ url })).origins.get(digest)).toMatchObject({ provenance: { place: 'spec-url' } });
  });

  it('refuses other content, and says what it found', async () => {
    await expect(fetch({ url: `${base}/other.tar` })).rejects.toMatchObject({
      code: 'SOURCE_DIGEST_MISMATCH',
      location,
      message: expect.stringMatching(new RegExp(`${digest}.*other.tar.*${sha256('something else\n')}`)),
    });
    expect(existsSync(store.blobPath(digest))).toBe(false);
  });

  it('never uses a part of a file', async () => {
    await expect(fetch({ url: `${base}/half.tar` })).rejects.toMatchObject({ code: 'SOURCE_MISSING' });
    expect(existsSync(store.blobPath(digest))).toBe(false);
    expect(readdirSync(store.directory).sort()).toEqual(['leases', 'locks', 'partial']);
  });

  it.each([
    ['a missing file', () => `${base}/gone.tar`, /404/],
    ['no address', () => 'x.tar', /no address/],
    ['a foreign scheme', () => 'ftp://localhost/x.tar', /'ftp:' are not fetched/],
  ])('says for %s which places were tried', async (_what, url, words) => {
    await expect(fetch({ url: url() })).rejects.toMatchObject({
      code: 'SOURCE_MISSING',
      location,
      message: expect.stringMatching(new RegExp(`store.*lock of the Debian archive.*${words.source}`)),
    });
  });

  it('makes damaged content in the store good again', async () => {
    const { pathOf } = await fetch({ url: `${base}/x.tar` });
    chmodSync(pathOf(digest), 0o644);
    writeFileSync(pathOf(digest), 'damaged');
    expect((await fetch({ url: `${base}/x.tar` })).origins.get(digest)).toMatchObject({ stored: false });
    expect(readFileSync(pathOf(digest), 'utf8')).toBe(text);
  });

  it('reports all files that are missing at once', async () => {
    const requests = ['a', 'b'].map((fileName) => ({ fileName, sha256: sha256(fileName), url: `${base}/${fileName}` }));
    await expect(
      fetchSources(host, store, { requests, places: defaultPlaces(join(top, 'no.lock')) }),
    ).rejects.toMatchObject({
      code: 'SOURCE_MISSING',
      diagnostics: [
        { message: expect.stringContaining('a (SHA-256') },
        { message: expect.stringContaining('b (SHA-256') },
      ],
    });
  });

  it.each(['../x', 'a/b', '.hidden', ''])('refuses the file name %j', async (fileName) => {
    await expect(fetch({ fileName })).rejects.toMatchObject({ code: 'SOURCE_NAME_INVALID' });
  });
});

describe('from the Debian archive', () => {
  const line = (path: string) => `# comment\n${digest} ${text.length} main ${path} x.tar\n`;

  it('asks apt for its address and lets apt-helper check the digest', async () => {
    const lock = join(top, 'debian.lock');
    writeFileSync(lock, line('pool/main/x/x/x_1+ds.orig.tar'));
    const apt = createFakeHost(({ argv }) => {
      if (argv.includes('indextargets')) return { stdout: 'one main mirror:/a/\none-security main mirror:/s/\n' };
      if (argv.includes('passwd')) return { stdout: `kiln:x:${process.getuid!() || 4711}:4711::/:/bin/sh` };
      const at = argv.findIndex((word) => word.endsWith('apt-helper'));
      if (at < 0) return { status: 1 };
      expect(argv.slice(-3)).toEqual([
        'mirror:/a/pool/main/x/x/x_1%2bds.orig.tar',
        expect.any(String),
        `SHA256:${digest}`,
      ]);
      writeFileSync(argv.at(-2)!, text);
      return {};
    });
    const { origins } = await fetch({ url: `${base}/x.tar` }, { host: apt, lock });
    expect(origins.get(digest)).toEqual(fetched('debian-archive', 'pool/main/x/x/x_1+ds.orig.tar'));
    expect(served).toEqual([]);
  });

  it('goes on to the address when the archive does not have it, and tells both when that fails too', async () => {
    const lock = join(top, 'debian-404.lock');
    writeFileSync(lock, line('pool/main/k/kiln-none/kiln-none_1.orig.tar'));
    expect((await fetch({ url: `${base}/x.tar` }, { lock })).origins.get(digest)).toMatchObject({ stored: false });
    rmSync(store.blobPath(digest));
    await expect(fetch({ url: `${base}/gone.tar` }, { lock })).rejects.toMatchObject({
      code: 'SOURCE_MISSING',
      message: expect.stringMatching(/kiln-none_1.orig.tar: .*404.*gone\.tar.*404/s),
    });
  });

  it('really fetches the source of sed with apt', async () => {
    const sed = '6e226b732e1cd739464ad6862bd1a1aba42d7982922da7a53519631d24975181';
    const lock = join(top, 'sed.lock');
    writeFileSync(lock, `${sed} 1397092 main pool/main/s/sed/sed_4.9.orig.tar.xz sed-4.9.tar.xz\n`);
    const requests = [{ fileName: 'sed-4.9.tar.xz', sha256: sed as typeof digest, url: 'sed-4.9.tar.xz' }];
    const { origins, pathOf } = await fetchSources(host, store, { requests, places: defaultPlaces(lock) });
    expect(origins.get(sed as typeof digest)).toMatchObject({ provenance: { place: 'debian-archive' } });
    expect(sha256(readFileSync(pathOf(sed as typeof digest)))).toBe(sed);
  });

  it('says which line of the lock is wrong', async () => {
    const lock = join(top, 'bad.lock');
    writeFileSync(lock, `${line('pool/main/x/x.tar')}nonsense\n`);
    await expect(fetch({}, { lock })).rejects.toMatchObject({ code: 'DEBIAN_LOCK_MALFORMED', location: { line: 3 } });
  });
});

it.each(sourceRequirements.map((requirement) => [requirement.name, requirement] as const))(
  'this machine has what it takes: %s',
  async (_name, requirement) => {
    expect(await requirement.probe(host)).toMatchObject({ ok: true, message: '' });
  },
);
