import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256, type Sha256 } from '@kiln/build-identity';
import { createHost } from '@kiln/host';
import { collectGarbage, Store, storeSize, type ActionResult, type GarbageReport } from '@kiln/store';
import { whileAnnounced } from '../src/store-use.ts';
import { randomOf } from './fixtures/fast-clock.mts';

const HOUR = 3_600_000;
let directory: string;
let store: Store;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-garbage-'));
  store = new Store(createHost(), join(directory, 'store'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const collect = (limit: number, dryRun = false): Promise<GarbageReport> =>
  collectGarbage(createHost(), store, {
    limit,
    dryRun,
    removeDirectory: (path) => rm(path, { recursive: true, force: true }),
  });

/** Makes it look as if nobody had used it for so many hours. */
function age(path: string, hours: number): void {
  const time = new Date(Date.now() - hours * HOUR);
  utimesSync(path, time, time);
}

const actionPath = (key: Sha256) => join(store.directory, 'ac', key.slice(0, 2), `${key}.json`);

interface Made {
  readonly result: ActionResult;
  readonly hours: number;
}

/** A result with its own blobs of `size` bytes, last used before so many hours. */
async function makeResult(name: string, { hours, size = 8192 }: { hours: number; size?: number }): Promise<Made> {
  const key = sha256(name);
  const build = async () => ({
    outputs: { a: await store.putText(`a ${name}`.padEnd(size)), b: await store.putText(`b ${name}`.padEnd(size)) },
    facts: null,
  });
  const { result } = await store.action(key, { action: 'test', subject: name }, build);
  for (const { sha256: digest } of Object.values(result.outputs)) age(store.blobPath(digest), hours + 1);
  age(actionPath(key), hours);
  return { result, hours };
}

async function makeLayer(key: string, hours: number): Promise<string> {
  const path = await store.layer(key, (made) => {
    writeFileSync(join(made, 'file'), key.repeat(2000));
    return Promise.resolve();
  });
  age(join(store.directory, 'seals', `${key}.json`), hours);
  return path;
}

const isKept = ({ result: { key, outputs } }: Made) =>
  existsSync(actionPath(key)) || Object.values(outputs).some(({ sha256: one }) => existsSync(store.blobPath(one)));

describe('what goes', () => {
  it('is what was not used for the longest time, no more than needed', async () => {
    const [old, middle, young] = [
      await makeResult('old', { hours: 30 }),
      await makeResult('middle', { hours: 20 }),
      await makeResult('young', { hours: 10 }),
    ];
    const before = await storeSize(store);
    const report = await collect(before - 1);
    expect([old, middle, young].map(isKept)).toEqual([true, true, true]);
    expect(existsSync(actionPath(old.result.key))).toBe(false);
    expect(report).toMatchObject({ before, removed: { result: { count: 1 }, blob: { count: 0 } } });
    expect(await storeSize(store)).toBe(report.after);

    await collect(Math.ceil((before * 2) / 3));
    expect([old, middle, young].map(isKept)).toEqual([false, true, true]);
    expect(await store.readAction(middle.result.key)).toEqual(middle.result);
    expect(await store.readAction(young.result.key)).toEqual(young.result);
  });

  it('is nothing that this process has used, however old', async () => {
    const [old, used] = [await makeResult('old', { hours: 5 }), await makeResult('used', { hours: 50 })];
    const layers = [await makeLayer('unused', 7), await makeLayer('taken', 70)];
    await store.readAction(used.result.key);
    await store.layer('taken', () => Promise.reject(new Error('it is there')));
    const report = await collect(0);
    expect([old, used].map(isKept)).toEqual([false, true]);
    expect(layers.map((path) => existsSync(path))).toEqual([false, true]);
    expect(report.after).toBe(report.inUse);
    expect(report.after).toBeGreaterThan(0);
    expect(readdirSync(join(store.directory, 'tmp'))).toEqual([]);
  });

  it('is of every kind', async () => {
    await makeResult('old', { hours: 5 });
    await makeLayer('old', 7);
    for (const [place, name] of [
      ['failed', 'sed~sed'],
      ['partial', 'f'.repeat(64)],
    ] as const) {
      const path = join(store.directory, place, name);
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, 'file'), 'x'.repeat(9000));
      for (const one of [join(path, 'file'), path]) age(one, 9);
    }
    const { removed } = await collect(0);
    expect(Object.entries(removed).map(([kind, { count }]) => [kind, count])).toEqual([
      ['result', 1],
      ['blob', 2],
      ['layer', 1],
      ['failed build', 1],
      ['download', 1],
    ]);
  });

  it('is only told in a dry run', async () => {
    const old = await makeResult('old', { hours: 5 });
    const report = await collect(0, true);
    expect(report).toMatchObject({ after: 0, removed: { result: { count: 1 }, blob: { count: 2 } } });
    expect(await store.readAction(old.result.key)).toEqual(old.result);
  });
});

it('keeps to the order of use for random stores and limits', async () => {
  const random = randomOf(7);
  for (let round = 0; round < 8; round += 1) {
    const made: Made[] = [];
    for (let n = 0; n < 10; n += 1) {
      const [hours, size] = [2 + Math.floor(random() * 500), 1 + Math.floor(random() * 60_000)];
      made.push(await makeResult(`${round}-${n}`, { hours, size }));
    }
    const before = await storeSize(store);
    const limit = Math.floor(before * random());
    const report = await collect(limit);
    expect(await storeSize(store)).toBe(report.after);
    expect(report.after).toBeLessThanOrEqual(limit);
    const gone = made.filter(({ result }) => !existsSync(actionPath(result.key)));
    const kept = made.filter((one) => !gone.includes(one));
    const youngestGone = Math.min(Infinity, ...gone.map(({ hours }) => hours));
    for (const { hours } of kept) expect(hours).toBeLessThanOrEqual(youngestGone);
    // What is left of results is whole.
    for (const { result } of kept)
      for (const blob of Object.values(result.outputs)) expect(await store.hasBlob(blob)).toBe(true);
    rmSync(store.directory, { recursive: true });
    store = new Store(createHost(), join(directory, `store-${round}`));
  }
});

it('lets nobody rely on what it is about to remove', async () => {
  const { result } = await makeResult('old', { hours: 5 });
  let ended = false;
  const reading = whileAnnounced(createHost(), store.directory, async () => {
    const read = store.readAction(result.key).then((found) => ({ found, ended }));
    // Time to look at the file before it goes.
    await new Promise((resolve) => setTimeout(resolve, 200));
    rmSync(actionPath(result.key));
    ended = true;
    return { read };
  });
  expect(await (await reading).read).toEqual({ found: undefined, ended: true });
});

it('has no result of which a part is gone, when it was killed in between', async () => {
  const { result } = await makeResult('old', { hours: 5 });
  writeFileSync(join(store.directory, 'collecting'), '');
  rmSync(store.blobPath(result.outputs['a']!.sha256));
  expect(await store.readAction(result.key)).toBeUndefined();
  expect(existsSync(join(store.directory, 'collecting'))).toBe(false);
});

describe('with processes that use the store, and collections that are killed', () => {
  const start = Date.now();
  /** Bytes to be removed while the store is used. */
  const ENOUGH = 20_000;
  const fixture = (name: string, ...args: string[]) =>
    spawn(
      process.execPath,
      ['--conditions=development', '--import', 'tsx', join(import.meta.dirname, 'fixtures', name), ...args],
      { stdio: ['ignore', 'pipe', 'inherit'], cwd: import.meta.dirname },
    );
  const outputOf = async (child: ReturnType<typeof fixture>): Promise<string> => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await new Promise((resolve) => child.on('close', resolve));
    return output;
  };

  it('nothing is lost that they have used, and nothing is left locked', { timeout: 600_000 }, async () => {
    const random = randomOf(11);
    let open = true;
    let removed = 0;
    const killing = (async () => {
      while (open) {
        const child = fixture('collect-garbage.mts', store.directory, String(start));
        const output = outputOf(child);
        // Not before it has begun, however long a busy machine takes to start it.
        child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), random() * 900));
        removed += (await output).split('\n').reduce((sum, line) => sum + Number(line), 0);
      }
    })();
    const told: { readonly built: number; readonly cached: number; readonly lost: readonly string[] }[] = [];
    const sum = (of: 'built' | 'cached') => told.reduce((all, one) => all + one[of], 0);
    // On a busy machine a turn does little: then there are more of them.
    const isEnough = () => removed > ENOUGH && sum('built') > 10 && sum('cached') > 10;
    const users = [1, 2].map(async (slot) => {
      for (let turn = 0; turn < 4 || !isEnough(); turn += 1) {
        const args = [store.directory, String(slot * 100 + turn), '1500', String(start)];
        told.push(JSON.parse(await outputOf(fixture('use-store.mts', ...args))) as (typeof told)[number]);
      }
    });
    await Promise.all(users);
    open = false;
    await killing;
    expect(told.flatMap(({ lost }) => lost)).toEqual([]);
    // A killed collection holds nobody up.
    await store.putText('afterwards');
    expect(existsSync(join(store.directory, 'collecting'))).toBe(false);
  });
});
