/** Hostile specs: nothing gets out, each ends with a clear error or with nothing reached, and the machine stays as it was. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attacks, writeAttacks, type Bait } from './attack-specs.ts';
import type { Ended } from './run-attacks.ts';
import { makeSmallTree } from './small-tree.ts';
import { emptyStore, sharedStore } from './test-store.ts';

const MINUTES = 60_000;
const SECRET = 'kiln-attack-secret';
const USER = `kiln-attack-${process.pid}`;
const isRoot = process.getuid?.() === 0;

/** Who builds, and how limits are kept. */
interface Way {
  readonly changesUser: boolean;
  /** By the supervisor, whatever the machine has; those attacks alone that limits end. */
  readonly watched?: boolean;
}

/** The ordinary user that has the tests is enough when we are it. */
const WAYS: readonly (readonly [string, Way])[] = [
  ...(isRoot ? [['root', { changesUser: false }] as const] : []),
  ['an ordinary user', { changesUser: isRoot }],
  ...(isRoot ? [['root, with limits that are watched', { changesUser: false, watched: true }] as const] : []),
];

function attacksOf({ changesUser, watched = false }: Way, of: Bait): ReturnType<typeof attacks> {
  const all = Object.entries(attacks(of));
  const meant = watched ? all.filter(([, { settings }]) => settings?.limits !== undefined) : all;
  const asRoot = isRoot && !changesUser;
  return Object.fromEntries(meant.filter(([, attack]) => asRoot || attack.asRoot !== true));
}

let directory: string;
let bait: Bait;
let firstStore: string | undefined;
const servers: Server[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kiln-attacks-'));
  chmodSync(directory, 0o755);
  const file = join(directory, 'secret');
  writeFileSync(file, `${SECRET}\n`);
  const [v4, v6, abstract] = Array.from({ length: 3 }, () => createServer((socket) => socket.end()));
  servers.push(v4!, v6!, abstract!);
  v4!.listen(0, '127.0.0.1');
  await once(v4!, 'listening');
  const { port } = v4!.address() as AddressInfo;
  v6!.on('error', () => undefined).listen(port, '::1');
  const socket = `kiln-attack-${process.pid}`;
  abstract!.listen(`\0${socket}`);
  await once(abstract!, 'listening');
  bait = { port, socket, file, secret: SECRET };
  if (isRoot) execFileSync('useradd', ['--no-create-home', '--shell', '/bin/sh', USER]);
}, MINUTES);

afterAll(() => {
  for (const server of servers) server.close();
  if (isRoot) execFileSync('userdel', [USER]);
  rmSync(directory, { recursive: true, force: true });
}, 5 * MINUTES);

describe.each(WAYS)('attacks on %s', (name, way) => {
  const { changesUser } = way;
  const place = () => join(directory, name.replaceAll(/\W+/g, '-'));
  let ended: Map<string, Ended>;
  let store: string;

  beforeAll(async () => {
    // The toolchain is examined once; a copy serves the other user.
    firstStore ??= await sharedStore(directory);
    mkdirSync(place());
    store = changesUser ? join(place(), 'store') : firstStore;
    if (changesUser) execFileSync('cp', ['--archive', '--reflink=auto', firstStore, store]);
    emptyStore(store);
    const { root } = makeSmallTree(join(place(), 'tree'), store);
    rmSync(join(root, 'SPECS'), { recursive: true });
    rmSync(join(root, 'imageconfigs'), { recursive: true });
    writeAttacks(root, attacksOf(way, bait));
    if (changesUser) execFileSync('chown', ['--recursive', USER, place()]);
    ended = await runAttacks(root, store, way);
  }, 30 * MINUTES);

  test.each(Object.entries(attacksOf(way, { port: 0, socket: '', file: '', secret: 'x' })))(
    '%s',
    (attack, { ends, early }) => {
      const { code, text, log } = ended.get(attack)!;
      expect(code, `${text}\n${log.slice(-2000)}`).toBe(ends);
      expect(log).not.toMatch(/^LEAK/m);
      expect(`${text}${log}`).not.toContain(SECRET);
      expect(text).not.toMatch(/[^\P{Cc}\n\t]/u);
      if (code !== undefined) expect(text).toMatch(early === true ? /hint: / : /hint: .*\n.*log: /);
    },
  );

  test('nothing runs any more, nothing was left, nothing was written', () => {
    expect(commandLines()).not.toMatch(/sleep\0(77777|1000)/);
    const left = (where: string) => (existsSync(join(store, where)) ? readdirSync(join(store, where)) : []);
    expect([...left('work'), ...left('tmp')]).toEqual([]);
    expect(statSync(store).mode & 0o007).toBe(0);
    if (isRoot) {
      const asNobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', 'ls', join(store, 'failed')];
      expect(() => execFileSync('setpriv', asNobody, { stdio: 'ignore' })).toThrow();
    }
    expect(left('failed').length).toBeLessThanOrEqual(3);
    for (const path of ['/tmp/kiln-slipped', '/etc/kiln-attack', '/usr/kiln-attack']) {
      expect(existsSync(path)).toBe(false);
    }
    expect(readFileSync(bait.file, 'utf8')).toBe(`${SECRET}\n`);
  });
});

async function runAttacks(root: string, store: string, way: Way): Promise<Map<string, Ended>> {
  const { changesUser, watched = false } = way;
  const ids = changesUser ? { uid: idOf('-u'), gid: idOf('-g') } : {};
  const script = join(import.meta.dirname, 'run-attacks.ts');
  const child = spawn(process.execPath, ['--conditions=development', '--import', 'tsx', script, root], {
    ...ids,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      KILN_STORE: store,
      KILN_ATTACK: SECRET,
      ...(watched ? { KILN_LIMITS: 'supervisor' } : {}),
    },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  const [status] = (await once(child, 'close')) as [number];
  expect(status, err).toBe(0);
  return new Map((JSON.parse(out) as Ended[]).map((one) => [one.name, one]));
}

function idOf(option: string): number {
  return Number(execFileSync('id', [option, USER], { encoding: 'utf8' }));
}

function commandLines(): string {
  const read = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return ''; // It has ended in the meantime.
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(read)
    .join('\n');
}
