/** Limits by control groups (cgroups(7), Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst of Linux). */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { isRunning } from './process-tree.ts';
import type { LimitName, SandboxLimits } from './sandbox-request.ts';

/** What the kernel counts and limits for one run. */
export interface ControlGroup {
  /** Directories whose `cgroup.procs` the first process writes itself to. */
  readonly directories: readonly string[];
  /** The limit that was met, if one was. */
  breach(): LimitName | undefined;
  /** Memory that processes and temporary files use now, each page once; not the cache of disks. */
  memoryBytes(): number;
  /** Takes the groups away; processes must have ended. */
  remove(): Promise<void>;
}

/** Where groups can be made. */
export interface GroupPlace {
  readonly version: 1 | 2;
  /** Existing directories below which a run's own are made: one for version 2; memory and pids for version 1. */
  readonly parents: readonly string[];
}

/** What there is of control groups: a place for them, or the reason why there is none. */
export type GroupSearch = { readonly place: GroupPlace } | { readonly reason: string };

/** Our own few processes around the program. */
export const OWN_PROCESSES = 8;

/** What the kernel says of control groups and of this process in them. */
export interface GroupFacts {
  /** Text of /proc/self/mountinfo. */
  readonly mountInfo: string;
  /** Text of /proc/self/cgroup. */
  readonly membership: string;
}

/** Version 2 when it has the controllers and we may use them, else version 1, else the reason against both. */
export function findGroupPlace(facts: GroupFacts = readFacts()): GroupSearch {
  const second = findSecond(facts);
  if ('place' in second) return second;
  const first = findFirst(facts);
  if ('place' in first) return first;
  return { reason: `version 2: ${second.reason}; version 1: ${first.reason}` };
}

/** Makes the groups of a run with its limits. @throws BuildError `CONTROL_GROUP_FAILED`. */
export function makeGroup({ version, parents }: GroupPlace, limits: SandboxLimits): ControlGroup {
  const name = `kiln-${process.pid}-${randomBytes(4).toString('hex')}`;
  parents.forEach(sweep);
  const directories = parents.map((parent) => join(parent, name));
  const [memory, tasks] = [directories[0]!, directories.at(-1)!];
  try {
    directories.forEach((directory) => mkdirSync(directory));
    if (limits.processes !== undefined) writeFileSync(join(tasks, 'pids.max'), `${limits.processes + OWN_PROCESSES}`);
    if (limits.memoryBytes !== undefined) limitMemory(memory, version, limits.memoryBytes);
  } catch (cause) {
    throw new BuildError(
      'CONTROL_GROUP_FAILED',
      `the control group ${name} can't be made: ${(cause as Error).message}`,
      {
        hint: 'KILN_LIMITS=supervisor does without control groups',
        cause,
      },
    );
  }
  const field = (file: string, key: string) => Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(read(file))?.[1] ?? 0);
  const events = version === 2 ? 'memory.events' : 'memory.oom_control';
  const parts = version === 2 ? ['anon', 'shmem'] : ['total_rss', 'total_shmem'];
  return {
    directories,
    breach() {
      if (field(join(memory, events), 'oom_kill') > 0) return 'memoryBytes';
      return field(join(tasks, 'pids.events'), 'max') > 0 ? 'processes' : undefined;
    },
    memoryBytes: () => parts.reduce((sum, part) => sum + field(join(memory, 'memory.stat'), part), 0),
    async remove() {
      for (const directory of directories) await removeDirectory(directory);
    },
  };
}

function limitMemory(directory: string, version: 1 | 2, bytes: number): void {
  const [limit, ...more]: [string, number][] =
    version === 2
      ? [
          ['memory.max', bytes],
          ['memory.swap.max', 0],
          ['memory.oom.group', 1],
        ]
      : [
          ['memory.limit_in_bytes', bytes],
          ['memory.memsw.limit_in_bytes', bytes],
        ];
  writeFileSync(join(directory, limit![0]), `${limit![1]}`);
  // Kernels may not account swap, or not end groups as a whole; the breach is noticed nevertheless.
  for (const [file, value] of more) attempt(() => writeFileSync(join(directory, file), `${value}`));
}

function readFacts(): GroupFacts {
  return { mountInfo: read('/proc/self/mountinfo'), membership: read('/proc/self/cgroup') };
}

interface Mount {
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

function mounts(mountInfo: string): Mount[] {
  return mountInfo.split('\n').flatMap((line) => {
    const [own, filesystem] = line.split(' - ').map((part) => part.split(' '));
    if (own === undefined || filesystem === undefined) return [];
    return [{ root: own[3]!, point: own[4]!, type: filesystem[0]!, options: (filesystem[2] ?? '').split(',') }];
  });
}

/** The directory of the group that we are in, in the hierarchy that has `controller` (empty for version 2). */
function ownDirectory({ root, point }: Mount, membership: string, controller: string): string {
  const lines = membership.split('\n').map((line) => line.split(':'));
  const own = lines.find(([, controllers]) => (controllers ?? '').split(',').includes(controller));
  const below = relative(root, own?.slice(2).join(':') || '/');
  return below.startsWith('..') ? point : join(point, below);
}

const CONTROLLERS = ['memory', 'pids'] as const;

function findSecond({ mountInfo, membership }: GroupFacts): GroupSearch {
  const mount = mounts(mountInfo).find(({ type }) => type === 'cgroup2');
  if (mount === undefined) return { reason: 'is not mounted' };
  const offered = read(join(mount.point, 'cgroup.controllers')).trim().split(/\s+/);
  const lack = CONTROLLERS.find((one) => !offered.includes(one));
  if (lack !== undefined) return { reason: `${mount.point} has no controller '${lack}'` };
  let reason = `no group above ours passes ${CONTROLLERS.join(' and ')} on`;
  for (let directory = ownDirectory(mount, membership, ''); ; directory = dirname(directory)) {
    const passed = read(join(directory, 'cgroup.subtree_control')).trim().split(/\s+/);
    if (CONTROLLERS.every((one) => passed.includes(one))) {
      const failure = tryGroup(directory);
      if (failure === undefined) return { place: { version: 2, parents: [directory] } };
      reason = failure;
    }
    if (directory === mount.point || directory === '/') return { reason };
  }
}

function findFirst({ mountInfo, membership }: GroupFacts): GroupSearch {
  const parents: string[] = [];
  for (const controller of CONTROLLERS) {
    const mount = mounts(mountInfo).find(({ type, options }) => type === 'cgroup' && options.includes(controller));
    if (mount === undefined) return { reason: `has no controller '${controller}'` };
    const directory = ownDirectory(mount, membership, controller);
    const failure = tryGroup(directory);
    if (failure !== undefined) return { reason: failure };
    parents.push(directory);
  }
  return { place: { version: 1, parents } };
}

/** Why no group can be made in a directory; undefined when one can, and can be joined from where we are. */
function tryGroup(parent: string): string | undefined {
  const directory = join(parent, `kiln-${process.pid}-${randomBytes(4).toString('hex')}`);
  try {
    mkdirSync(directory);
  } catch (error) {
    return `${parent} is not ours to change (${(error as NodeJS.ErrnoException).code})`;
  }
  rmdirSync(directory);
  return undefined;
}

const OWN_NAME = /^kiln-(\d+)-[0-9a-f]{8}$/;

/** Groups of runs whose Kiln was killed. */
function sweep(parent: string): void {
  for (const name of attempt(() => readdirSync(parent)) ?? []) {
    const pid = Number(OWN_NAME.exec(name)?.[1]);
    if (pid > 0 && pid !== process.pid && !isRunning(pid)) attempt(() => rmdirSync(join(parent, name)));
  }
}

const ROUNDS = 200;
const PAUSE = 25;

async function removeDirectory(directory: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    if (attempt(() => (rmdirSync(directory), true)) === true || !existsSync(directory)) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function read(path: string): string {
  return attempt(() => readFileSync(path, 'utf8')) ?? '';
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
