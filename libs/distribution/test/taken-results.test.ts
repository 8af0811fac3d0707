import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '@kiln/build-identity';
import { createHost, type ActionEvent, type KilnEvent } from '@kiln/host';
import { Store } from '@kiln/store';
import { stepLayerKey } from '@kiln/toolchain';
import { makeKey, type TestKey } from '../../rpm-repository/test/signing-key.ts';
import { serveDirectory } from '../../toolchain/test/loopback-repository.ts';
import { openDirectory, testStore } from '../../toolchain/test/toolchain-store.ts';
import { bootstrapResults } from '../src/bootstrap-results.ts';
import { BOOTSTRAP_ROOT, bootstrapPlan } from '../src/bootstrap-target.ts';
import { loadDistribution } from '../src/distribution.ts';
import { exportResults } from '../src/export-results.ts';
import { RESULTS_FILE, type ResultsList } from '../src/results-list.ts';
import { Session } from '../src/session.ts';
import { TakenResults, type ResultsPlace } from '../src/taken-results.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const STEPS = 'toolkit/few/steps.json';
const top = openDirectory(mkdtempSync(join(tmpdir(), 'kiln-taken-')));
const root = openDirectory(join(top, 'tree'));
const kept = join(top, 'kept');
const first = testStore();
let own: TestKey;
let other: TestKey;

const SCRIPTS: Readonly<Record<string, string>> = {
  'layout.sh': `mkdir -p "$OUT$SYSROOT/usr/bin" "$OUT$CROSS/bin"
echo layout > "$OUT$SYSROOT/usr/bin/layout"
ln "$OUT$SYSROOT/usr/bin/layout" "$OUT$SYSROOT/usr/bin/twin"
`,
  'middle.sh': `mkdir -p "$OUT$SYSROOT/usr/share"
cat "$SYSROOT/usr/bin/layout" > "$OUT$SYSROOT/usr/share/middle"
ln -s ../bin/layout "$OUT$SYSROOT/usr/share/link"
`,
  'last.sh': `mkdir -p "$OUT$SYSROOT/usr/share"
cat "$SYSROOT/usr/share/middle" > "$OUT$SYSROOT/usr/share/last"
`,
};

const write = (file: string, content: string) => {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), content);
};

/** Three steps, each on the one before. Its place makes them others than those of an earlier run. */
function writeSteps(changed?: string): void {
  const debian = 'toolkit/toolchain/debian-bookworm';
  const steps = ['layout', 'middle', 'last'].map((name, i, names) => ({
    ...{ name, description: name, root: 'seed', sources: [], needs: names.slice(Math.max(0, i - 1), i), kept: 'all' },
    ...{ scripts: [`${name}.sh`], options: [top, ...(name === changed ? ['changed'] : [])] },
  }));
  const table = {
    ...{ target: 'x86_64-kiln-linux-gnu', specs: 'SPECS', sourceLock: 'debian.lock', provides: {}, members: [] },
    ...{ seed: { packages: `${debian}.json`, lock: `${debian}.lock.json` }, steps },
  };
  write(STEPS, JSON.stringify(table));
}

let events: KilnEvent[] = [];
const host = createHost({ emit: (event) => events.push(event) });
const outcomes = () =>
  events
    .filter((event): event is ActionEvent => event.type === 'action')
    .map(({ action, subject, outcome }) => `${action === 'stage-a' ? action : subject} ${outcome}`);

const taken = (place: ResultsPlace = { from: kept }) => new TakenResults(host, root, { stallSeconds: 1, ...place });
const emptyStore = (place?: ResultsPlace) =>
  new Store(host, openDirectory(mkdtempSync(join(top, 'store-'))), { earlier: taken(place) });

/** Does a step, the last one when none is named, or puts the root together. */
async function run(store: Store, task: 'root' | { readonly step: string } = { step: 'last' }) {
  const session = new Session(await loadDistribution(root), host, store);
  return task === 'root' ? session.run('stage-a', BOOTSTRAP_ROOT) : session.run('bootstrap-step', task.step);
}

const steps = async () => bootstrapPlan(await loadDistribution(root)).steps;
const writeKept = async (key?: TestKey) => {
  const results = await bootstrapResults(host, first, await loadDistribution(root));
  return exportResults(host, first, { directory: kept, results, ...(key === undefined ? {} : { key }) });
};
const readList = () => JSON.parse(readFileSync(join(kept, RESULTS_FILE), 'utf8')) as ResultsList;

beforeAll(async () => {
  for (const one of ['distro.json', 'macros', 'toolchain', 'sources'])
    cpSync(join(REPOSITORY, 'toolkit', one), join(root, 'toolkit', one), { recursive: true });
  const config = JSON.parse(readFileSync(join(root, 'toolkit/distro.json'), 'utf8')) as object;
  const bootstrap = { steps: STEPS, lock: 'toolkit/few/lock.json' };
  write('toolkit/distro.json', JSON.stringify({ ...config, bootstrap, specRoots: ['SPECS'] }));
  for (const directory of ['SPECS', 'imageconfigs']) mkdirSync(join(root, directory));
  for (const [name, text] of Object.entries(SCRIPTS)) write(`toolkit/few/scripts/${name}`, text);
  writeSteps();
  [own, other] = [makeKey(top, 'own'), makeKey(top, 'other')];
  await run(first, 'root');
}, 300_000);

afterAll(() => rmSync(top, { recursive: true, force: true }));

beforeEach(async () => {
  writeSteps();
  rmSync(kept, { recursive: true, force: true });
  await writeKept();
  events = [];
});

test('an empty store takes everything, and has the same layers; then it asks for nothing', async () => {
  const store = emptyStore();
  await run(store, 'root');
  expect(outcomes()).toEqual(['layout cached', 'middle cached', 'last cached', 'stage-a built']);
  const keys = (await steps()).map(stepLayerKey);
  const contents = (of: Store) =>
    Promise.all(keys.map(async (key) => (await of.intactLayer(key))?.content ?? 'missing'));
  expect(await contents(store)).toEqual(await contents(first));
  expect(await contents(store)).not.toContain('missing');
  rmSync(kept, { recursive: true });
  await run(new Store(host, store.directory, { earlier: taken() }), 'root');
});

test('written again, also from what was taken, the results are the same files', async () => {
  const list = readFileSync(join(kept, RESULTS_FILE));
  const store = emptyStore();
  await run(store);
  const results = await bootstrapResults(host, store, await loadDistribution(root));
  await exportResults(host, store, { directory: join(top, 'second'), results });
  expect(readFileSync(join(top, 'second', RESULTS_FILE)).equals(list)).toBe(true);
  expect(readdirSync(join(top, 'second/blobs')).sort()).toEqual(readdirSync(join(kept, 'blobs')).sort());
});

test('an edited step and those behind it are built, the others taken', async () => {
  for (const step of await steps()) {
    rmSync(join(first.directory, 'layers', stepLayerKey(step)), { recursive: true });
    rmSync(join(first.directory, 'ac', step.identity.slice(0, 2), `${step.identity}.json`));
  }
  const store = () => new Store(host, first.directory, { earlier: taken() });
  writeSteps('middle');
  await run(store());
  expect(outcomes()).toEqual(['layout cached', 'middle built', 'last built']);
  // As it was, for the other tests.
  writeSteps();
  await run(store());
}, 120_000);

test('outputs of a result come with it', async () => {
  const blob = await first.putText(`an RPM of ${top}`);
  const key = sha256(top);
  const result = { action: 'rpm', subject: 'a/a', key, outputs: { 'a.rpm': blob }, facts: { source: 'a' } };
  await exportResults(host, first, { directory: kept, results: [result] });
  const store = emptyStore();
  const task = { action: 'rpm', subject: 'a/a' };
  const { outcome } = await store.action(key, task, () => Promise.reject(new Error('it was built')));
  expect(outcome).toBe('cached');
  const { action: _, subject: __, ...expected } = result;
  expect(await store.readAction(key)).toEqual(expected);
  expect(await store.hasIntactBlob(blob.sha256)).toBe(true);
});

test('a store without results has nothing to write, and leaves no list', async () => {
  const store = new Store(host, join(top, 'nothing'));
  const results = await bootstrapResults(host, store, await loadDistribution(root));
  const directory = join(top, 'unwritten');
  await expect(exportResults(host, store, { directory, results })).rejects.toMatchObject({ code: 'RESULTS_NONE' });
  expect(existsSync(join(directory, RESULTS_FILE))).toBe(false);
});

/** The file with the archive of the first step. */
const archive = () => join(kept, 'blobs', readList().results[0]!.layer!.sha256);
const edit = (file: string, change: (bytes: Buffer) => Buffer) => writeFileSync(file, change(readFileSync(file)));
/** Changes the list's first result. */
const editList = (change: (one: ResultsList['results'][number]) => object) => {
  const { results, ...rest } = readList();
  const [one, ...more] = results;
  writeFileSync(join(kept, RESULTS_FILE), JSON.stringify({ ...rest, results: [{ ...one, ...change(one!) }, ...more] }));
};
const editLayer = (change: object) => editList(({ layer }) => ({ layer: { ...layer, ...change } }));
const half = (bytes: Buffer) => bytes.subarray(0, bytes.length / 2);

describe('is one clear error, and nothing is built or left:', () => {
  async function refused(place?: ResultsPlace): Promise<string> {
    const store = emptyStore(place);
    const error = (await run(store).catch((reason: unknown) => reason)) as { code: string; message: string };
    const [step] = await steps();
    expect(existsSync(join(store.directory, 'layers'))).toBe(false);
    expect(await store.readAction(step!.identity)).toBeUndefined();
    const tmp = join(store.directory, 'tmp');
    expect(existsSync(tmp) ? readdirSync(tmp) : []).toEqual([]);
    return `${error.code}: ${error.message}`;
  }
  const flip = (bytes: Buffer) => (bytes.writeUInt8(bytes.readUInt8(bytes.length - 9) ^ 1, bytes.length - 9), bytes);

  test.each<[string, () => void, RegExp]>([
    [
      'another byte',
      () => edit(archive(), flip),
      /^RESULT_CHANGED: a file of bootstrap-step layout is another one than the list says: file:.*: it has SHA-256 [0-9a-f]{64}$/,
    ],
    ['half a file', () => edit(archive(), half), /^RESULT_CHANGED: .*layout/],
    [
      'no file',
      () => rmSync(archive()),
      /^RESULT_MISSING: a file of bootstrap-step layout can't be had: file:.*: there is no such file$/,
    ],
    [
      'another size',
      () => editLayer({ size: 1 }),
      /^RESULT_CHANGED: .*layout is another one than the list says: it has \d+ bytes, the list says 1$/,
    ],
    [
      'other files than the list says',
      () => editLayer({ content: sha256('') }),
      /^RESULT_UNUSABLE: the archive of bootstrap-step layout can't be used: its files aren't those that the list names$/,
    ],
    [
      'what is no archive',
      () => {
        writeFileSync(join(kept, 'blobs', sha256('no archive')), 'no archive');
        editLayer({ sha256: sha256('no archive'), size: 10 });
      },
      /^RESULT_UNUSABLE: the archive of bootstrap-step layout can't be used: .*unsupported format/,
    ],
    [
      'a layer with a path as its key',
      () => editLayer({ key: '../elsewhere' }),
      /^RESULTS_INVALID: .*\/results\.json is no list of results: \/results\/0\/layer\/key must match pattern/,
    ],
    [
      'an output with a path as its name',
      () => editList(() => ({ outputs: { '../../x': { sha256: sha256(''), size: 0 } } })),
      /^RESULTS_INVALID: .*\/results\/0\/outputs/,
    ],
    ['a result without facts', () => editList(() => ({ facts: undefined })), /^RESULTS_INVALID: .*'facts'/],
    ['half a list', () => edit(join(kept, RESULTS_FILE), half), /^RESULTS_INVALID: .*JSON/],
    [
      'no list',
      () => rmSync(join(kept, RESULTS_FILE)),
      /^RESULTS_UNREACHABLE: earlier results can't be read: file:.*results\.json: there is no such file$/,
    ],
  ])('%s', async (_, change, expected) => {
    change();
    expect(await refused()).toMatch(expected);
  });

  test('a server that stalls, has no file, gives half, or no list', async () => {
    const served = await serveDirectory(kept);
    const path = `blobs/${readList().results[0]!.layer!.sha256}`;
    served.trouble = (asked, response) => asked === path && (response.write('begin'), true);
    expect(await refused({ from: served.url })).toMatch(
      /^RESULT_MISSING: .*layout can't be had: http:.*too slow.*tried 4/,
    );
    served.trouble = (asked, response) => asked === path && (response.writeHead(404).end(), true);
    expect(await refused({ from: served.url })).toMatch(/^RESULT_MISSING: .*layout can't be had: http:.*404/);
    served.trouble = (asked, response) => asked === path && (response.end(half(readFileSync(archive()))), true);
    expect(await refused({ from: served.url })).toMatch(/^RESULT_CHANGED: .*layout .*: it has SHA-256/);
    served.trouble = (asked, response) => asked === RESULTS_FILE && (response.writeHead(404).end(), true);
    expect(await refused({ from: served.url })).toMatch(/^RESULTS_UNREACHABLE: .*http:.*404/);
    served.server.closeAllConnections();
    served.server.close();
  }, 60_000);

  test('no signature, that of another key, that of another list', async () => {
    const place = { from: kept, signedBy: { key: own.fingerprint, publicKeyFile: own.publicKeyFile } };
    expect(await refused(place)).toMatch(new RegExp(`^SIGNATURE_MISSING: file:.*must be signed by ${own.fingerprint}`));
    process.env['KILN_SIGNING_KEY'] = other.secret;
    await writeKept(other);
    expect(await refused(place)).toMatch(
      /^SIGNATURE_INVALID: file:.*results\.json is not signed by .*: another key signed it/,
    );
    process.env['KILN_SIGNING_KEY'] = own.secret;
    await writeKept(own);
    delete process.env['KILN_SIGNING_KEY'];
    await run(emptyStore(place));
    edit(join(kept, RESULTS_FILE), (bytes) => Buffer.concat([bytes, Buffer.from('\n')]));
    expect(await refused(place)).toMatch(/^SIGNATURE_INVALID: .*: the content is not what was signed/);
    // A list that is written without a key has no signature of what was there before.
    await writeKept();
    expect(existsSync(join(kept, `${RESULTS_FILE}.asc`))).toBe(false);
  });
});

test('an interrupt leaves nothing half-taken, and the next run goes on', async () => {
  const served = await serveDirectory(kept);
  const interrupt = new AbortController();
  const path = `blobs/${readList().results[1]!.layer!.sha256}`;
  served.trouble = (asked, response) => asked === path && (response.write('begin'), interrupt.abort(), true);
  const directory = openDirectory(mkdtempSync(join(top, 'store-')));
  const runBy = async (by: typeof host) => {
    const earlier = new TakenResults(by, root, { from: served.url });
    const session = new Session(await loadDistribution(root), by, new Store(by, directory, { earlier }));
    return session.run('bootstrap-step', 'last');
  };
  const running = runBy(createHost({ emit: host.emit, signal: interrupt.signal }));
  await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' });
  const [layout, middle] = await steps();
  expect(readdirSync(join(directory, 'layers'))).toEqual([stepLayerKey(layout!)]);
  expect(readdirSync(join(directory, 'tmp'))).toEqual([]);
  expect(existsSync(join(directory, 'ac', middle!.identity.slice(0, 2)))).toBe(false);
  served.trouble = () => false;
  events = [];
  await runBy(host);
  served.server.closeAllConnections();
  served.server.close();
  expect(outcomes()).toEqual(['middle cached', 'last cached']);
}, 60_000);

test('results come from a server and from an address of files', async () => {
  const served = await serveDirectory(kept);
  await run(emptyStore({ from: served.url.replace(/\/$/, '') }));
  await run(emptyStore({ from: pathToFileURL(kept).href }));
  served.server.close();
  expect(outcomes()).not.toContainEqual(expect.stringContaining('built'));
});
