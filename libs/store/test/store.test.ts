import { chmodSync, closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { statSync, truncateSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256 } from '@kiln/build-identity';
import { createFakeHost, createHost } from '@kiln/host';
import {
  copySparse,
  defaultStoreDirectory,
  digestFile,
  digestOpenFile,
  parseSize,
  Store,
  storeLimit,
} from '@kiln/store';

let directory: string;
let store: Store;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-store-'));
  store = new Store(createFakeHost(), join(directory, 'store'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = (name: string, text: string) => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};

test('a blob comes back as it went in, and a changed one is refused and removed', async () => {
  const blob = await store.putFile(file('a', 'content'));
  expect(blob).toEqual({ sha256: sha256('content'), size: 7 });
  await store.materialize(blob, join(directory, 'out', 'b'));
  expect(readFileSync(join(directory, 'out', 'b'), 'utf8')).toBe('content');

  chmodSync(store.blobPath(blob.sha256), 0o644);
  writeFileSync(store.blobPath(blob.sha256), 'CONTENT');
  await expect(store.materialize(blob, join(directory, 'c'))).rejects.toMatchObject({ code: 'BLOB_UNUSABLE' });
  expect(existsSync(join(directory, 'c'))).toBe(false);
  expect(await store.hasBlob(blob)).toBe(false);
});

test('a file is moved into the store as it is', async () => {
  const path = file('a', 'content');
  expect(await store.moveFile(path, sha256('content'))).toEqual({ sha256: sha256('content'), size: 7 });
  expect(existsSync(path)).toBe(false);
  expect(await store.hasIntactBlob(sha256('content'))).toBe(true);

  const wrong = await store.moveFile(file('b', 'something else'), sha256('b'));
  await store.materialize(wrong, join(directory, 'shown'));
  expect(readFileSync(join(directory, 'shown'), 'utf8')).toBe('something else');
  chmodSync(store.blobPath(sha256('b')), 0o600);
  await expect(store.materialize(wrong, join(directory, 'shown'))).rejects.toMatchObject({ code: 'BLOB_UNUSABLE' });
});

test('holes stay holes, and what is in a file is copied', async () => {
  const [from, to] = [join(directory, 'sparse'), join(directory, 'copy')];
  const size = 64 * 1024 * 1024;
  writeFileSync(from, 'begin');
  truncateSync(from, size);
  const descriptor = openSync(from, 'r+');
  writeSync(descriptor, 'middle', size / 2);
  closeSync(descriptor);
  writeFileSync(to, 'what was there before');
  await copySparse(createHost(), from, to);
  expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
  expect(await digestFile(to)).toBe(sha256(readFileSync(from)));
  expect(statSync(to).blocks * 512).toBeLessThan(size / 16);
});

test('an open file keeps its content when its name is gone', async () => {
  const path = file('a', 'content');
  const opened = await open(path);
  rmSync(path);
  expect(await digestOpenFile(opened)).toBe(sha256('content'));
  await expect(opened.stat()).rejects.toMatchObject({ code: 'EBADF' });
});

test('a file with other content than expected is not taken in', async () => {
  await expect(store.putFile(file('a', 'x'), sha256('y'))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  expect(readdirSync(join(directory, 'store', 'tmp'))).toEqual([]);
});

test('an action is done once, answered later, and done again when a blob is gone', async () => {
  const key = sha256('key');
  let builds = 0;
  const build = async () => {
    builds += 1;
    return { outputs: { out: await store.putText('result') }, facts: { n: 1 } };
  };
  const options = { action: 'test', subject: 'one' };
  expect((await store.action(key, options, build)).outcome).toBe('built');
  const again = await store.action(key, options, build);
  expect(again.outcome).toBe('cached');
  expect(builds).toBe(1);

  rmSync(store.blobPath(again.result.outputs['out']!.sha256));
  expect((await store.action(key, options, build)).outcome).toBe('built');
  expect(builds).toBe(2);
});

test('a failed action leaves no result and says so in an event', async () => {
  const host = createFakeHost();
  const failing = new Store(host, join(directory, 'store'));
  const key = sha256('bad');
  await expect(
    failing.action(key, { action: 't', subject: 's' }, () => Promise.reject(new Error('no'))),
  ).rejects.toThrow('no');
  expect(await failing.readAction(key)).toBeUndefined();
  expect(host.events).toMatchObject([{ type: 'action', outcome: 'failed', error: 'Error: no' }]);
});

test('a torn action file is a miss, not an error', async () => {
  const key = sha256('torn');
  await store.action(key, { action: 't', subject: 's' }, () => Promise.resolve({ outputs: {}, facts: 1 }));
  writeFileSync(join(directory, 'store', 'ac', key.slice(0, 2), `${key}.json`), '{"key":');
  expect(await store.readAction(key)).toBeUndefined();
});

test('a result of which any bit was flipped is a miss', async () => {
  const key = sha256('flipped');
  const { result } = await store.action(key, { action: 't', subject: 's' }, async () => ({
    outputs: { out: await store.putText('x') },
    facts: { n: 12, name: 'a' },
  }));
  const path = join(directory, 'store', 'ac', key.slice(0, 2), `${key}.json`);
  const bytes = readFileSync(path);
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const damaged = Buffer.from(bytes);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    writeFileSync(path, damaged);
    expect(await store.readAction(key), `bit ${bit}`).toBeUndefined();
  }
  writeFileSync(path, bytes);
  expect(await store.readAction(key)).toEqual(result);
});

test('a checked layer that was changed is made again, one that was touched or copied is not', async () => {
  let makes = 0;
  const make = (path: string) => {
    makes += 1;
    writeFileSync(join(path, 'a'), 'content');
    return Promise.resolve();
  };
  const path = await store.layer('checked', make, { checked: true });
  const another = () => new Store(createFakeHost(), store.directory).layer('checked', make, { checked: true });
  utimesSync(join(path, 'a'), 1, 1);
  await another();
  expect(makes).toBe(1);
  const before = statSync(join(path, 'a'));
  writeFileSync(join(path, 'a'), 'cOntent');
  utimesSync(join(path, 'a'), before.atime, before.mtime);
  await another();
  expect(makes).toBe(2);
  expect(readFileSync(join(path, 'a'), 'utf8')).toBe('content');
});

test('a changed layer that several ask for at once is made again once', async () => {
  let makes = 0;
  const make = async (path: string) => {
    makes += 1;
    await new Promise((resolve) => setTimeout(resolve, 50));
    writeFileSync(join(path, 'a'), 'content');
  };
  const path = await store.layer('shared', make, { checked: true });
  writeFileSync(join(path, 'a'), 'changed');
  const askers = [1, 2, 3, 4].map(() => new Store(createFakeHost(), store.directory));
  await Promise.all(askers.map((one) => one.layer('shared', make, { checked: true })));
  expect(makes).toBe(2);
  expect(readFileSync(join(path, 'a'), 'utf8')).toBe('content');
});

test('sizes of stores', async () => {
  expect(['0', '20G', '20 GB', '1.5k', '2Ki', '3Ti'].map((text) => parseSize(text, 'it'))).toEqual([
    ...[0, 20e9, 20e9, 1500, 2048, 3 * 1024 ** 4],
  ]);
  for (const text of ['', 'G', '20 apples', '-1G', '1e9', '20g'])
    expect(() => parseSize(text, 'the size')).toThrow(`the size is '${text}', which is no size`);
  expect(await storeLimit({}, directory)).toBeUndefined();
  file('config.json', '{ "sizeLimit": "3M" }');
  expect(await storeLimit({}, directory)).toBe(3e6);
  expect(await storeLimit({ KILN_STORE_LIMIT: '2M' }, directory)).toBe(2e6);
  for (const text of ['{', '{ "sizelimit": "3M" }', '{ "sizeLimit": 3 }']) {
    file('config.json', text);
    await expect(storeLimit({}, directory)).rejects.toMatchObject({ code: 'STORE_CONFIG_INVALID' });
  }
});

test('two processes that want one action do it once', async () => {
  const script = `
    import { appendFileSync } from 'node:fs';
    import { createHost } from '@kiln/host';
    import { sha256 } from '@kiln/build-identity';
    import { Store } from '@kiln/store';
    const store = new Store(createHost(), process.argv[2]);
    await store.action(sha256('shared'), { action: 't', subject: 's' }, async () => {
      appendFileSync(process.argv[3], 'built\\n');
      await new Promise((resolve) => setTimeout(resolve, 700));
      return { outputs: { out: await store.putText('x') }, facts: null };
    });`;
  const program = join(import.meta.dirname, 'two-processes.tmp.mts');
  writeFileSync(program, script);
  try {
    const run = () =>
      new Promise<number | null>((resolve) => {
        const child = spawn(
          process.execPath,
          ['--conditions=development', '--import', 'tsx', program, join(directory, 'store'), join(directory, 'count')],
          { stdio: 'inherit' },
        );
        child.on('close', resolve);
      });
    expect(await Promise.all([run(), run(), run()])).toEqual([0, 0, 0]);
    expect(readFileSync(join(directory, 'count'), 'utf8')).toBe('built\n');
  } finally {
    rmSync(program);
  }
});

test('a layer is made whole or not at all', async () => {
  await expect(
    store.layer('half', (path) => {
      writeFileSync(join(path, 'a'), '');
      return Promise.reject(new Error('stop'));
    }),
  ).rejects.toThrow('stop');
  expect(existsSync(join(directory, 'store', 'layers', 'half'))).toBe(false);
  const path = await store.layer('half', (made) => {
    writeFileSync(join(made, 'a'), 'x');
    return Promise.resolve();
  });
  expect(readFileSync(join(path, 'a'), 'utf8')).toBe('x');
});

test('no space left is one clear error and leaves nothing half-written', async () => {
  const host = createHost();
  const small = join(directory, 'small');
  const command = `mkdir ${small} && mount -t tmpfs -o size=512k tmpfs ${small} && exec ${process.execPath} --conditions=development --import tsx ${join(import.meta.dirname, 'fixtures/fill-store.mts')} ${small}`;
  const result = await host.run({
    argv: ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', command],
    cwd: import.meta.dirname,
  });
  expect(JSON.parse(result.stdout), result.stderr).toEqual({ code: 'DISK_FULL', left: [] });
});

test('however many stores a process uses, it waits for its end once', async () => {
  const before = process.listenerCount('exit');
  for (let count = 0; count < 12; count += 1) {
    const other = new Store(createFakeHost(), join(directory, `store-${count}`));
    expect(await other.hasIntactBlob((await other.putText('text')).sha256)).toBe(true);
  }
  expect(process.listenerCount('exit')).toBeLessThanOrEqual(before + 1);
});

test('the place of the store', () => {
  expect(defaultStoreDirectory({ KILN_STORE: '/s', XDG_CACHE_HOME: '/x' })).toBe('/s');
  expect(defaultStoreDirectory({ KILN_STORE: 'here' })).toBe(join(process.cwd(), 'here'));
  expect(defaultStoreDirectory({ XDG_CACHE_HOME: '/x', HOME: '/h' })).toBe('/x/kiln');
});
