import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sha256 } from '@kiln/build-identity';
import { createHost, type Host, type KilnEvent } from '@kiln/host';
import {
  fetchSources,
  formatSignatures,
  parseSignatures,
  tryFetchSources,
  updateSignatures,
  type SourcePlace,
} from '@kiln/sources';
import { Store } from '@kiln/store';
import { SourceText } from '@kiln/diagnostics';

/** 1 MiB that differs everywhere. */
const content = Buffer.from(Array.from({ length: 1 << 18 }, (_, i) => [i, i >> 8, i >> 16, i * 7]).flat());
const digest = sha256(content);
const servers: Server[] = [];
let top: string;
let store: Store;
let seen: IncomingMessage[] = [];

beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'kiln-download-'));
  chmodSync(top, 0o755);
});

beforeEach(() => {
  seen = [];
  store = new Store(createHost(), mkdtempSync(join(top, 'store-')));
  chmodSync(store.directory, 0o755);
});

afterAll(() => {
  for (const server of servers) server.close();
  rmSync(top, { recursive: true, force: true });
});

async function serve(handler: RequestListener): Promise<string> {
  const server = createServer((request, response) => {
    seen.push(request);
    handler(request, response);
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** With a certificate of its own. */
async function serveWithTls(handler: RequestListener): Promise<{ base: string; certificate: string }> {
  const key = join(top, 'key.pem');
  const certificate = join(top, 'certificate.pem');
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...files, ...subject], {
    stdio: 'ignore',
  });
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, handler);
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return { base: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, certificate };
}

/** Serves the content from where a Range asks; breaks off after `bytes` of each answer while `breaks` lasts. */
const ranged =
  (options: { breaks?: number; bytes?: number } = {}): RequestListener =>
  ({ headers }, response) => {
    const from = Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
    const rest = content.subarray(from);
    const range = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
    response.writeHead(from === 0 ? 200 : 206, { 'content-length': rest.length, ...(from === 0 ? {} : range) });
    if (seen.length > (options.breaks ?? 0)) response.end(rest);
    else response.write(rest.subarray(0, options.bytes), () => setTimeout(() => response.destroy(), 50));
  };

const get = (places: readonly SourcePlace[], options: { url?: string; host?: Host } = {}) =>
  fetchSources(options.host ?? createHost(), store, {
    requests: [{ fileName: 'x.tar', sha256: digest, ...(options.url === undefined ? {} : { url: options.url }) }],
    places,
  });

/** A namespace in which a file system can be mounted, by root and by others, as the same user. */
const ownMounts = process.getuid?.() === 0 ? ['--mount'] : ['--user', '--map-current-user', '--keep-caps', '--mount'];

const SPEC_URL: readonly SourcePlace[] = [{ kind: 'spec-url' }];

describe('a download', () => {
  it('goes on where it broke off', async () => {
    const base = await serve(ranged({ breaks: 2, bytes: 300_000 }));
    const { pathOf } = await get(SPEC_URL, { url: `${base}/x.tar` });
    expect(readFileSync(pathOf(digest)).equals(content)).toBe(true);
    expect(seen.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=300000-', 'bytes=600000-']);
    expect(existsSync(join(store.directory, 'partial', digest))).toBe(false);
  });

  it('goes on where an earlier run broke off', async () => {
    const dead = await serve(ranged({ breaks: 100, bytes: 200_000 }));
    await expect(get(SPEC_URL, { url: `${dead}/x.tar` })).rejects.toMatchObject({ message: /tried 4 times/ });
    const base = await serve(ranged());
    seen = [];
    await get(SPEC_URL, { url: `${base}/x.tar` });
    expect(seen.map(({ headers }) => headers.range)).toEqual(['bytes=800000-']);
  });

  it('starts anew when what had arrived was the beginning of other content', async () => {
    const base = await serve(ranged());
    mkdirSync(join(store.directory, 'partial', digest), { recursive: true });
    chmodSync(join(store.directory, 'partial'), 0o755);
    writeFileSync(join(store.directory, 'partial', digest, 'file'), Buffer.alloc(1000));
    chmodSync(join(store.directory, 'partial', digest, 'file'), 0o666);
    const { pathOf } = await get(SPEC_URL, { url: `${base}/x.tar` });
    expect(readFileSync(pathOf(digest)).equals(content)).toBe(true);
  });

  it('starts anew when the server cannot continue a file', async () => {
    const base = await serve((_, response) => {
      if (seen.length === 1) {
        response.writeHead(200, { 'content-length': content.length });
        response.write(content.subarray(0, 1000), () => setTimeout(() => response.destroy(), 50));
      } else response.end(content);
    });
    await get(SPEC_URL, { url: `${base}/x.tar` });
    expect(seen.length).toBeGreaterThan(2);
  });

  it('tries again after passing trouble of the server, and not after a refusal', async () => {
    const busy = await serve((_, response) =>
      seen.length < 3 ? response.writeHead(503).end() : response.end(content),
    );
    await get(SPEC_URL, { url: `${busy}/x.tar` });
    expect(seen).toHaveLength(3);
    rmSync(store.blobPath(digest));
    seen = [];
    const gone = await serve((_, response) => response.writeHead(404).end());
    await expect(get(SPEC_URL, { url: `${gone}/x.tar` })).rejects.toMatchObject({ message: /404/ });
    expect(seen).toHaveLength(1);
  });

  it('tries again when nobody answers, and a server that stays away only once more', async () => {
    const base = await serve((_, response) => response.end(content));
    const gone = base.replace(/:\d+$/, ':9');
    await expect(get(SPEC_URL, { url: `${gone}/x.tar` })).rejects.toMatchObject({ message: /tried 4 times/ });
    const again = await get(SPEC_URL, { url: `${gone}/x.tar` }).catch(String);
    expect(again).toMatch(/connect/);
    expect(again).not.toContain('tried');
  });

  it('is of the address as it stands: brackets and braces are no patterns', async () => {
    const base = await serve((_, response) => response.end(content));
    await get(SPEC_URL, { url: `${base}/x[1-3]{a,b}.tar` });
    expect(seen.map(({ url }) => url)).toEqual(['/x[1-3]%7Ba,b%7D.tar']);
  });

  it('shows address and password in no list of processes', async () => {
    const base = await serve((_, response) => response.end(content));
    const inner = createHost();
    const lines: string[] = [];
    const run: Host['run'] = (request) => {
      lines.push(request.argv.join(' '));
      return inner.run(request);
    };
    await get(SPEC_URL, { url: `${base.replace('//', '//me:pa55@')}/x.tar?sig=5ig`, host: { ...inner, run } });
    expect(lines.join('\n')).toContain('curl');
    expect(lines.join('\n')).not.toMatch(/pa55|5ig/);
  });

  it('ends at once, and asks nobody else, when the disk is full', async () => {
    const base = await serve((_, response) => response.end(content));
    const small = join(top, 'small');
    const script = `mkdir ${small} && mount -t tmpfs -o size=1m,mode=755 tmpfs ${small} && exec ${process.execPath} --conditions=development --import tsx ${join(import.meta.dirname, 'fixtures/fill-store.mts')} ${small} ${base}`;
    const result = await createHost().run({
      argv: ['unshare', ...ownMounts, 'sh', '-c', script],
      cwd: import.meta.dirname,
    });
    expect(JSON.parse(result.stdout), result.stderr).toEqual({ code: 'DISK_FULL' });
    expect(seen).toHaveLength(1);
  });

  it('says how many bytes of how many have arrived, as progress of the task that waits', async () => {
    const events: KilnEvent[] = [];
    const base = await serve((_, response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 500_000));
      setTimeout(() => response.end(content.subarray(500_000)), 1500);
    });
    const other = Buffer.from('small');
    await fetchSources(createHost({ emit: (event) => events.push(event) }), store, {
      requests: [
        { fileName: 'x.tar', sha256: digest, url: `${base}/x.tar` },
        { fileName: 'y.tar', sha256: sha256(other), url: `${await serve((_, response) => response.end(other))}/y.tar` },
      ],
      places: SPEC_URL,
      task: { action: 'rpm', subject: 'x/x' },
    });
    const whole = content.length + other.length;
    const progress = { type: 'progress', action: 'rpm', subject: 'x/x', message: 'fetching 2 source files' };
    expect(events).toContainEqual({ ...progress, unit: 'bytes', done: whole, total: whole });
    expect(events).toContainEqual({
      ...{ ...progress, unit: 'bytes', total: whole },
      done: expect.toSatisfy((done: number) => done > 0 && done < whole) as number,
    });
  });
});

describe('mirrors', () => {
  it('are asked in their order, by file name or digest, and the provenance says which one had it', async () => {
    const empty = await serve((_, response) => response.writeHead(404).end());
    const full = await serve((_, response) => response.end(content));
    const places: SourcePlace[] = [
      { kind: 'mirror', template: `${empty}/` },
      { kind: 'mirror', template: `${full}/by-digest/{sha256}` },
      { kind: 'spec-url' },
    ];
    const { origins } = await get(places, { url: `${empty}/spec` });
    expect(seen.map(({ url }) => url)).toEqual(['/x.tar', `/by-digest/${digest}`]);
    const provenance = { place: `${full}/by-digest/{sha256}`, address: `${full}/by-digest/${digest}` };
    expect(origins.get(digest)).toEqual({ stored: false, provenance });
  });

  it('get their bearer token, other hosts do not, and no message shows it or a password', async () => {
    const other = await serve((_, response) => response.writeHead(404).end());
    const base = await serve((_, response) => response.writeHead(302, { location: `${other}/x.tar` }).end());
    const host = { ...createHost(), environment: { ...process.env, MIRROR_TOKEN: 's3cret"\\' } };
    const template = `${base.replace('//', '//me:pa55@')}/{fileName}?sig=5ig`;
    const failure = await get([{ kind: 'mirror', template, tokenVariable: 'MIRROR_TOKEN' }], { host }).catch(String);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer s3cret"\\', undefined]);
    expect(failure).toContain('404');
    expect(failure).not.toMatch(/s3cret|pa55|5ig/);
    await expect(get([{ kind: 'mirror', template, tokenVariable: 'NOT_SET_TOKEN' }])).rejects.toMatchObject({
      code: 'SOURCE_TOKEN_MISSING',
    });
  });

  it('are named when they have another file, even though the next one has the right one', async () => {
    const events: KilnEvent[] = [];
    const wrong = await serve((_, response) => response.end('other content'));
    const right = await serve((_, response) => response.end(content));
    const places = [wrong, right].map((base): SourcePlace => ({ kind: 'mirror', template: `${base}/` }));
    await get(places, { host: createHost({ emit: (event) => events.push(event) }) });
    expect(events).toContainEqual(expect.objectContaining({ type: 'notice', code: 'SOURCE_REFUSED' }));
  });

  it('may have a token with a newline behind it, and none that no header can carry', async () => {
    const base = await serve((_, response) => response.end(content));
    const mirror: SourcePlace = { kind: 'mirror', template: `${base}/`, tokenVariable: 'MIRROR_TOKEN' };
    const host = (token: string) => ({ ...createHost(), environment: { ...process.env, MIRROR_TOKEN: token } });
    await get([mirror], { host: host('s3cret\n') });
    expect(seen[0]!.headers.authorization).toBe('Bearer s3cret');
    rmSync(store.blobPath(digest));
    await expect(get([mirror], { host: host('two words') })).rejects.toMatchObject({ code: 'SOURCE_TOKEN_INVALID' });
  });

  it('may have a private certificate authority, given by the environment', async () => {
    const { base, certificate } = await serveWithTls((_, response) => response.end(content));
    const url = `${base}/x.tar`;
    await expect(get(SPEC_URL, { url })).rejects.toMatchObject({ message: /certificate.*CURL_CA_BUNDLE/ });
    const host = { ...createHost(), environment: { ...process.env, CURL_CA_BUNDLE: certificate } };
    const { origins } = await get(SPEC_URL, { url, host });
    expect(origins.get(digest)).toMatchObject({ stored: false });
  });
});

describe('many files', () => {
  it('are answered one by one: those that can be had and those that cannot', async () => {
    const base = await serve(({ url }, response) =>
      url === '/x.tar' ? response.end(content) : response.writeHead(404).end(),
    );
    const gone = sha256('gone');
    const { origins, problems } = await tryFetchSources(createHost(), store, {
      requests: [
        { fileName: 'x.tar', sha256: digest, url: `${base}/x.tar` },
        { fileName: 'gone.tar', sha256: gone, url: `${base}/gone.tar` },
      ],
      places: SPEC_URL,
    });
    expect([...origins.keys()]).toEqual([digest]);
    expect(problems.get(gone)).toMatchObject({ code: 'SOURCE_MISSING' });
  });

  it('are asked for under every name and address that somebody gives them', async () => {
    const base = await serve(({ url }, response) =>
      url === '/x.tar' ? response.end(content) : response.writeHead(404).end(),
    );
    const { origins } = await fetchSources(createHost(), store, {
      requests: [
        { fileName: 'gone.tar', sha256: digest, url: `${base}/gone.tar` },
        { fileName: 'x.tar', sha256: digest, url: `${base}/x.tar` },
        { fileName: 'x.tar', sha256: digest, url: 'x.tar' },
      ],
      places: SPEC_URL,
    });
    expect(origins.get(digest)).toMatchObject({ provenance: { address: `${base}/x.tar` } });
  });
});

describe('an update of signatures', () => {
  it('pins what the places give now and tells each change', async () => {
    const base = await serve((_, response) => response.end(content));
    const old = sha256('old');
    const { signatures, changes } = await updateSignatures(createHost(), store, {
      sources: [{ fileName: 'x.tar', url: `${base}/x.tar` }],
      places: SPEC_URL,
      local: new Map([['beside.tar', old]]),
      before: new Map([
        ['x.tar', old],
        ['left.tar', old],
      ]),
    });
    expect(changes).toEqual([
      { fileName: 'beside.tar', after: old, place: 'tree' },
      { fileName: 'left.tar', before: old },
      { fileName: 'x.tar', before: old, after: digest, place: 'spec-url' },
    ]);
    expect(parseSignatures(new SourceText('x.signatures.json', formatSignatures(signatures)))).toEqual(
      new Map([
        ['beside.tar', old],
        ['x.tar', digest],
      ]),
    );
  });

  it('begins each file anew: what an earlier run left may be of another one', async () => {
    const base = await serve(ranged());
    const part = join(store.directory, 'partial', sha256(`${base}/x.tar`));
    mkdirSync(part, { recursive: true });
    writeFileSync(join(part, 'file'), Buffer.alloc(1000));
    const sources = [{ fileName: 'x.tar', url: `${base}/x.tar` }];
    const options = { sources, places: SPEC_URL, before: new Map(), local: new Map() };
    const { signatures } = await updateSignatures(createHost(), store, options);
    expect(signatures.get('x.tar')).toBe(digest);
    expect(seen.map(({ headers }) => headers.range)).toEqual([undefined]);
  });

  it('never goes on without encryption where it began with it', async () => {
    const plain = await serve((_, response) => response.end(content));
    const { base, certificate } = await serveWithTls((_, response) =>
      response.writeHead(302, { location: `${plain}/x.tar` }).end(),
    );
    const host = { ...createHost(), environment: { ...process.env, CURL_CA_BUNDLE: certificate } };
    const sources = [{ fileName: 'x.tar', url: `${base}/x.tar` }];
    await expect(
      updateSignatures(host, store, { sources, places: SPEC_URL, before: new Map(), local: new Map() }),
    ).rejects.toMatchObject({ code: 'SOURCE_MISSING', message: /[Pp]rotocol/ });
    expect(seen).toEqual([]);
  });

  it('fails whole when one file cannot be had', async () => {
    const base = await serve((_, response) => response.writeHead(404).end());
    const sources = [{ fileName: 'x.tar', url: `${base}/x.tar`, location: { file: 'x.spec', line: 3 } }];
    await expect(
      updateSignatures(createHost(), store, { sources, places: SPEC_URL, before: new Map(), local: new Map() }),
    ).rejects.toMatchObject({ code: 'SOURCE_MISSING', location: { line: 3 } });
  });
});
