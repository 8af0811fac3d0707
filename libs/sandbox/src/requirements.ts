/** What a sandbox needs of the machine, with probes that try the real thing. */
import { readFile } from 'node:fs/promises';
import {
  BUILD_USER_NAME,
  buildUser,
  programRequirement,
  type BuildUser,
  type Fix,
  type Host,
  type ProbeResult,
  type Requirement,
} from '@kiln/host';
import { runInIdNamespace } from './run-sandboxed.ts';
import { limitKeeper } from './supervision.ts';

const SUBORDINATE_IDS = 65_536;
const FIRST_FREE_ID = 100_000;

const userNamespaces: Requirement = {
  name: 'user namespaces',
  why: 'sandboxes without privileges',
  async probe(host) {
    return probeCommand(host, ['unshare', '--user', '--map-root-user', '--mount', 'true'], {
      message: 'an unprivileged user may not make user namespaces',
      fix: {
        kind: 'manual',
        text: 'allow them: sysctl user.max_user_namespaces=15000 (and kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0 where these exist)',
      },
    });
  },
};

const OVERLAY_PROBE =
  'mount -t tmpfs kiln /sys && cd /sys && mkdir a b m && mount -t overlay -o lowerdir=a:b,userxattr kiln m';

const overlay: Requirement = {
  name: 'overlayfs in user namespaces',
  why: 'build roots composed from layers',
  minimalVersion: '5.11',
  async probe(host) {
    const mount = await host.run({ argv: ['mount', '--version'] }).catch(() => undefined);
    if (mount === undefined) {
      const fix: Fix = { kind: 'apt', packages: ['mount'] };
      return { ok: false, found: '', message: "can't be tried without the program 'mount'", fix };
    }
    return probeCommand(host, ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', OVERLAY_PROBE], {
      message: 'overlayfs can not be mounted in a user namespace',
      fix: { kind: 'manual', text: 'use Linux 5.11 or later with the module `overlay` (modprobe overlay)' },
    });
  },
};

const systemUser: Requirement = {
  name: `user ${BUILD_USER_NAME}`,
  why: 'root builds nothing itself: it drops to this user',
  async probe(host) {
    const user = await buildUser(host).catch(() => undefined);
    if (user !== undefined) return { ok: true, found: `${user.name} (${user.uid})`, message: '' };
    const argv = ['useradd', '--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'] as const;
    const fix: Fix = { kind: 'command', argv: [...argv, '--shell', '/usr/sbin/nologin', BUILD_USER_NAME] };
    return { ok: false, found: '', message: `there is no system user '${BUILD_USER_NAME}'`, fix };
  },
};

const subordinateIds: Requirement = {
  name: 'subordinate ids',
  why: 'images have files of several owners, made without privileges',
  async probe(host) {
    const user = await buildUser(host).catch(() => undefined);
    if (user === undefined) return { ok: false, found: '', message: 'there is no build user yet' };
    const ranges = await Promise.all(['/etc/subuid', '/etc/subgid'].map(readRanges));
    const counts = ranges.map((all) => Math.max(0, ...all.filter((one) => isOf(one, user)).map(({ count }) => count)));
    const found = `${Math.min(...counts)}`;
    if (Math.min(...counts) < SUBORDINATE_IDS) {
      const message = `${user.name} has ${found} subordinate ids, needed are ${SUBORDINATE_IDS}`;
      return { ok: false, found, message, fix: subordinateFix(user, ranges.flat()) };
    }
    const map = await runInIdNamespace(host, ['cat', '/proc/self/uid_map']);
    const mapped = map.stdout
      .trim()
      .split('\n')
      .reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[2] ?? 0), 0);
    if (mapped >= SUBORDINATE_IDS) return { ok: true, found, message: '' };
    const message = `the subordinate ids of ${user.name} can't be used: ${map.stderr.trim() || `${mapped} ids are mapped`}`;
    return { ok: false, found, message, fix: { kind: 'apt', packages: ['uidmap'] } };
  },
};

const LIMIT_KEEPERS = { 1: 'control groups (version 1)', 2: 'control groups (version 2)' } as const;

/** Always met: without control groups the limits are watched. */
const limits: Requirement = {
  name: 'limits of builds',
  why: 'end builds that take too much memory, processes, disk or time',
  probe(host) {
    const keeper = limitKeeper(host);
    const found = 'place' in keeper ? LIMIT_KEEPERS[keeper.place.version] : 'supervisor';
    const message =
      'place' in keeper ? `below ${keeper.place.parents.join(' and ')}` : `no control groups: ${keeper.reason}`;
    return Promise.resolve({ ok: true, found, message });
  },
};

/** What sandboxes need; `kiln doctor` shows it. In the order in which it should be fixed. */
export const sandboxRequirements: readonly Requirement[] = [
  programRequirement({
    program: 'setpriv',
    why: 'changes to the build user, makes namespaces, mounts, limits',
    debianPackage: 'util-linux',
    minimalVersion: '2.38',
  }),
  programRequirement({
    program: 'bwrap',
    why: 'sandboxes: no network, no files of the machine',
    debianPackage: 'bubblewrap',
    minimalVersion: '0.8.0',
  }),
  programRequirement({
    program: 'newuidmap',
    why: 'maps subordinate ids',
    debianPackage: 'uidmap',
    versionArguments: [],
  }),
  systemUser,
  subordinateIds,
  userNamespaces,
  overlay,
  limits,
];

async function probeCommand(
  host: Host,
  argv: readonly string[],
  failure: { readonly message: string; readonly fix: Fix },
): Promise<ProbeResult> {
  const user = await buildUser(host).catch(() => undefined);
  const full = [...(user?.prefix ?? []), ...argv] as [string, ...string[]];
  const result = await host
    .run({ argv: full, cwd: '/' })
    .catch((error: Error) => ({ status: 1, stderr: error.message }));
  if (result.status === 0) return { ok: true, found: 'works', message: '' };
  return { ok: false, found: '', message: `${failure.message}: ${result.stderr.trim()}`, fix: failure.fix };
}

interface IdRange {
  readonly owner: string;
  readonly first: number;
  readonly count: number;
}

async function readRanges(path: string): Promise<IdRange[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length === 3)
    .map(([owner, first, count]) => ({ owner: owner!, first: Number(first), count: Number(count) }));
}

function isOf(range: IdRange, user: BuildUser): boolean {
  return range.owner === user.name || range.owner === String(user.uid);
}

/** Gives the user the first range behind all that are taken. */
function subordinateFix(user: BuildUser, taken: readonly IdRange[]): Fix {
  const first = Math.max(FIRST_FREE_ID, ...taken.map((one) => one.first + one.count));
  const range = `${first}-${first + SUBORDINATE_IDS - 1}`;
  return { kind: 'command', argv: ['usermod', '--add-subuids', range, '--add-subgids', range, user.name] };
}
