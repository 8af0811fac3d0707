import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sha256 } from '@kiln/build-identity';
import { createHost } from '@kiln/host';
import { parseDependency } from '@kiln/rpm-package';
import { Store } from '@kiln/store';
import { bootstrapResults, roundOrigins } from '../src/bootstrap-results.ts';
import { makeRoundWorkspace, roundWorkspace } from '../src/bootstrap-rounds.ts';
import { loadDistribution } from '../src/distribution.ts';
import { exportResults } from '../src/export-results.ts';
import { Session } from '../src/session.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const host = createHost();
const top = mkdtempSync(join(tmpdir(), 'kiln-rounds-'));
const root = join(top, 'tree');
const kept = join(top, 'kept');
const first = new Store(host, join(top, 'first'));

function write(file: string, content: unknown): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
}

const spec = (name: string, more = '') => `Name: ${name}
Version: 1
Release: 1
Summary: ${name}
License: MIT
BuildArch: noarch
${more}
%description
A package.
%files
`;

/** The tree with two packages in its first round; one is built with the other. */
beforeAll(async () => {
  for (const one of ['macros', 'toolchain', 'sources'])
    cpSync(join(REPOSITORY, 'toolkit', one), join(root, 'toolkit', one), { recursive: true });
  const config = JSON.parse(readFileSync(join(REPOSITORY, 'toolkit/distro.json'), 'utf8')) as object;
  const bootstrap = { steps: 'toolkit/few/steps.json', lock: 'toolkit/few/lock.json' };
  write('toolkit/distro.json', { ...config, bootstrap, specRoots: ['SPECS'] });
  const debian = 'toolkit/toolchain/debian-bookworm';
  write(bootstrap.steps, {
    ...{ target: 'x86_64-kiln-linux-gnu', specs: 'SPECS', sourceLock: 'debian.lock', provides: {} },
    ...{ seed: { packages: `${debian}.json`, lock: `${debian}.lock.json` }, members: ['base', 'over'] },
    steps: [{ name: 'one', description: 'one', root: 'seed', sources: [], needs: [], scripts: ['one.sh'] }],
  });
  write('toolkit/few/scripts/one.sh', ':\n');
  write(bootstrap.lock, { libraryCapabilities: [], perlCapabilities: [], programs: [] });
  write('imageconfigs/.keep', '');
  write('SPECS/base/base.spec', spec('base'));
  write('SPECS/over/over.spec', spec('over', 'BuildRequires: base'));
});

afterAll(() => rmSync(top, { recursive: true, force: true }));

/** Lets a store have what the build of a package would give. */
async function pretend(store: Store, name: string): Promise<void> {
  const session = new Session(await loadDistribution(roundWorkspace(root, 'seeded')), host, store);
  const { key } = await session.state('rpm', `${name}/${name}`);
  const fileName = `${name}-1-1.noarch.rpm`;
  const rpm = {
    ...{ fileName, kind: 'binary', name, evr: { epoch: 0, version: '1', release: '1' }, arch: 'noarch' },
    ...{ artifact: sha256(name), content: sha256(name), provides: [parseDependency(`${name} = 1-1`)] },
    ...{ requires: [], paths: [], buildTime: 0 },
  };
  const outputs = { [fileName]: await store.putText(name) };
  await store.writeAction({ key: key!, outputs, facts: { source: name, rpms: [rpm] } });
}

const origins = async (store: Store, results?: string) =>
  roundOrigins(host, store, await loadDistribution(root, results === undefined ? {} : { results }));

test('a round that was not begun is not told', async () => expect(await origins(first)).toEqual([]));

test('builds of a round are carried, and a plan foresees those that follow from them', async () => {
  await makeRoundWorkspace(root, 'seeded');
  expect(await origins(first)).toEqual([{ round: 'seeded', done: 0, taken: 0, built: 2 }]);
  await pretend(first, 'base');
  expect(await origins(first)).toEqual([{ round: 'seeded', done: 1, taken: 0, built: 1 }]);
  await pretend(first, 'over');
  expect(await origins(first)).toEqual([{ round: 'seeded', done: 2, taken: 0, built: 0 }]);

  const results = await bootstrapResults(host, first, await loadDistribution(root));
  expect(results.map(({ action, subject }) => `${action} ${subject}`)).toEqual([
    ...['bootstrap-step one', 'rpm base/base', 'rpm over/over'],
  ]);
  const { results: carried } = await exportResults(host, first, { directory: kept, results });
  // The step itself was not done.
  expect(carried.map(({ subject }) => subject)).toEqual(['base/base', 'over/over']);

  const empty = () => new Store(host, mkdtempSync(join(top, 'store-')));
  expect(await origins(empty(), kept)).toEqual([{ round: 'seeded', done: 0, taken: 2, built: 0 }]);
  const half = empty();
  await pretend(half, 'base');
  expect(await origins(half, kept)).toEqual([{ round: 'seeded', done: 1, taken: 1, built: 0 }]);
  write('SPECS/over/over.spec', spec('over', 'BuildRequires: base\nRequires: base'));
  await makeRoundWorkspace(root, 'seeded');
  expect(await origins(empty(), kept)).toEqual([{ round: 'seeded', done: 0, taken: 1, built: 1 }]);
});
