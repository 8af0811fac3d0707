import { cpSync, lchownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildUser, createHost } from '@kiln/host';
import { Store, walkTree } from '@kiln/store';
import { loadBootstrapPlan, stepLayerKey } from '@kiln/toolchain';
import { openDirectory } from '../../toolchain/test/toolchain-store.ts';
import { runMain } from './run-main.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const STEPS = 'toolkit/few/steps.json';
const host = createHost();
const top = openDirectory(mkdtempSync(join(tmpdir(), 'kiln-bootstrap-')));
const root = join(top, 'tree');

function write(file: string, content: unknown): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
}

function writeSteps(changed?: string, members: readonly string[] = []): void {
  const debian = 'toolkit/toolchain/debian-bookworm';
  const steps = ['layout', 'middle', 'last'].map((name, i, names) => ({
    ...{ name, description: name, root: 'seed', sources: [], needs: names.slice(Math.max(0, i - 1), i), kept: 'all' },
    ...{ scripts: [`${name}.sh`], options: name === changed ? ['changed'] : [] },
  }));
  write(STEPS, {
    ...{ target: 'x86_64-kiln-linux-gnu', specs: 'SPECS', sourceLock: 'debian.lock', provides: {}, members },
    ...{ seed: { packages: `${debian}.json`, lock: `${debian}.lock.json` }, steps },
  });
  for (const { name } of steps) write(`toolkit/few/scripts/${name}.sh`, `: ${name}\n`);
}

function configure(more: object = {}): void {
  const config = JSON.parse(readFileSync(join(REPOSITORY, 'toolkit/distro.json'), 'utf8')) as object;
  const bootstrap = { steps: STEPS, lock: 'toolkit/few/lock.json' };
  write('toolkit/distro.json', { ...config, bootstrap, specRoots: ['SPECS'], ...more });
}

/** Puts what the steps would leave into a store. */
async function pretend(store: Store): Promise<void> {
  const { uid, gid } = await buildUser(host);
  for (const step of loadBootstrapPlan(root, STEPS).steps) {
    const make = (directory: string) => {
      mkdirSync(join(directory, 'files/target/usr/share'), { recursive: true });
      writeFileSync(join(directory, 'files/target/usr/share', step.name), step.name);
      for (const { path } of walkTree(directory)) lchownSync(join(directory, path), uid, gid);
      return Promise.resolve();
    };
    await store.layer(stepLayerKey(step), make, { checked: true });
  }
}

const useStore = (name: string) => new Store(host, (process.env['KILN_STORE'] = openDirectory(join(top, name))));
const bootstrap = (...options: string[]) => runMain('-C', root, 'bootstrap', ...options);
/** How many steps come from where. */
const counted = async (...options: string[]) => {
  const { out, err } = await bootstrap('--plan', ...options);
  return `${out}${err}`.split('\n').find((line) => line.includes('steps done here')) ?? `${out}${err}`;
};
const lastLine = ({ out, err }: { out: string; err: string }) => `${out}${err}`.trimEnd().split('\n').at(-1);

beforeAll(async () => {
  // Whatever else runs on the machine: nothing here takes long.
  process.env['KILN_TOKENS'] = join(top, 'tokens');
  for (const one of ['macros', 'toolchain', 'sources'])
    cpSync(join(REPOSITORY, 'toolkit', one), join(root, 'toolkit', one), { recursive: true });
  for (const directory of ['SPECS', 'imageconfigs']) mkdirSync(join(root, directory));
  configure();
  writeSteps();
  await pretend(useStore('first'));
  expect(lastLine(await bootstrap('--export', 'kept'))).toBe('wrote kept: 3 steps, 0 builds of packages, 0 MB');
});

beforeEach(() => {
  configure();
  writeSteps();
});

afterAll(() => rmSync(top, { recursive: true, force: true }));

test('a plan says where each step comes from', async () => {
  useStore('first');
  expect(await counted()).toBe('3 of 3 steps done here, 0 to be built');
  useStore('planned');
  expect(await counted()).toBe('0 of 3 steps done here, 3 to be built');
  writeSteps('middle');
  const { out } = await bootstrap('--plan', '--results', 'kept');
  expect(out.trimEnd().split('\n')).toEqual([
    expect.stringMatching(/^step +state +runs in +identity +after$/),
    expect.stringMatching(/^layout +from results +seed +[0-9a-f]{12}$/),
    expect.stringMatching(/^middle +to be built +seed +[0-9a-f]{12} +layout$/),
    expect.stringMatching(/^last +to be built +seed +[0-9a-f]{12} +middle$/),
    '0 of 3 steps done here, 1 from results, 2 to be built',
    'round seeded: not begun',
  ]);
});

test('a machine without anything takes all of stage A', async () => {
  useStore('empty');
  const { status, out, err } = await bootstrap('--stage', 'A', '--results', join(root, 'kept'));
  expect(status, err).toBe(0);
  for (const step of ['layout', 'middle', 'last']) expect(out).toContain(`bootstrap-step ${step} unchanged`);
  expect(await counted()).toBe('3 of 3 steps done here, 0 to be built');
}, 60_000);

test('the configuration can name where results are, and the command another place', async () => {
  useStore('configured');
  configure({ results: { from: 'kept' } });
  expect(await counted()).toBe('0 of 3 steps done here, 3 from results, 0 to be built');
  const { status, err } = await bootstrap('--plan', '--results', 'elsewhere');
  expect(status).toBe(1);
  expect(err).toMatch(/error RESULTS_UNREACHABLE: earlier results can't be read: file:.*\/elsewhere\/results\.json/);
  configure({ results: { from: '../kept' } });
  expect((await bootstrap('--plan')).err).toContain("the path '../kept' leaves the workspace");
  configure({ results: { from: 'ftp://example.org/' } });
  expect((await bootstrap('--plan')).err).toContain('/results/from must match pattern');
});

test('nothing is written without results, or signed without a key', async () => {
  useStore('nothing');
  expect((await bootstrap('--export', 'none')).err).toContain('error RESULTS_NONE');
  expect((await bootstrap('--sign')).err).toContain('error NOTHING_TO_SIGN');
  expect((await bootstrap('--export', 'none', '--sign')).err).toContain(
    'names no key that results could be signed with',
  );
});

test('what the rounds shall make and the tree does not have is told before stage A', async () => {
  useStore('first');
  writeSteps(undefined, ['emacs']);
  for (const options of [[], ['--plan'], ['--stage', 'B']]) {
    const { status, err } = await bootstrap(...options);
    expect(status).toBe(1);
    expect(err).toContain('error TOOLCHAIN_UNRESOLVED: nothing provides emacs');
  }
  expect((await bootstrap('--stage', 'A', '--plan')).status).toBe(0);
});
