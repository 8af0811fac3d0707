import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { createFakeHost } from '@kiln/host';
import { Store, type ActionResult, type EarlierResults } from '@kiln/store';

const key = sha256('known');
const task = { action: 'test', subject: 'one' };
let directory: string;

beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'kiln-earlier-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const storeWith = (earlier: EarlierResults) => new Store(createFakeHost(), join(directory, 'store'), { earlier });
const unwanted = () => Promise.reject(new Error('it was made'));

/** Knows one result and one layer; `asked` has what it was asked for. */
function earlierResults(asked: string[] = []): EarlierResults {
  return {
    async action(store, wanted: Sha256): Promise<ActionResult | undefined> {
      asked.push(wanted);
      return wanted === key ? { key, outputs: { out: await store.putText('taken') }, facts: 1 } : undefined;
    },
    layer(_, wanted, place) {
      asked.push(wanted);
      if (wanted !== 'known') return Promise.resolve(false);
      writeFileSync(join(place, 'file'), 'taken');
      return Promise.resolve(true);
    },
  };
}

test('what earlier results have is taken once; all else is made', async () => {
  const asked: string[] = [];
  const store = storeWith(earlierResults(asked));
  const first = await store.action(key, task, unwanted);
  expect(first).toMatchObject({ outcome: 'cached', result: { facts: 1 } });
  const layer = await store.layer('known', unwanted, { checked: true });
  expect(readFileSync(join(layer, 'file'), 'utf8')).toBe('taken');
  expect(await store.intactLayer('known')).toMatchObject({ path: layer });
  expect(asked).toEqual([key, 'known']);

  const again = storeWith(earlierResults(asked));
  expect((await again.action(key, task, unwanted)).outcome).toBe('cached');
  await again.layer('known', unwanted, { checked: true });
  expect(asked).toEqual([key, 'known']);

  const make = () => Promise.resolve({ outputs: {}, facts: 2 });
  expect((await store.action(sha256('other'), task, make)).outcome).toBe('built');
  await store.layer('other', (place) => Promise.resolve(writeFileSync(join(place, 'file'), 'made')));
});

test('what can not be relied on is an error, and leaves nothing', async () => {
  const refuse = () => Promise.reject(new BuildError('RESULT_CHANGED', 'it is another one'));
  const store = storeWith({
    action: refuse,
    layer: (_, __, place) => {
      writeFileSync(join(place, 'half'), '');
      return refuse();
    },
  });
  await expect(store.action(key, task, unwanted)).rejects.toMatchObject({ code: 'RESULT_CHANGED' });
  expect(await store.readAction(key)).toBeUndefined();
  await expect(store.layer('known', unwanted)).rejects.toMatchObject({ code: 'RESULT_CHANGED' });
  expect(existsSync(join(store.directory, 'layers/known'))).toBe(false);
  expect(readdirSync(join(store.directory, 'tmp'))).toEqual([]);
});

test('a layer that was changed is not handed on', async () => {
  const store = new Store(createFakeHost(), join(directory, 'store'));
  const make = (place: string) => Promise.resolve(writeFileSync(join(place, 'file'), 'made'));
  expect(await store.intactLayer('one')).toBeUndefined();
  const layer = await store.layer('one', make, { checked: true });
  writeFileSync(join(layer, 'file'), 'edited');
  const other = new Store(createFakeHost(), join(directory, 'store'));
  expect(await other.intactLayer('one')).toBeUndefined();
  // Of one that nobody could check there is no digest.
  await store.layer('two', make);
  expect(await other.intactLayer('two')).toBeUndefined();
});
