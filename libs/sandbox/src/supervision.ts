/** Watches a run: counts what it uses and ends it when a limit of the whole sandbox is met. */
import { readFileSync, statfsSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Host } from '@kiln/host';
import { findGroupPlace, makeGroup, OWN_PROCESSES, type ControlGroup, type GroupSearch } from './control-group.ts';
import { DiskWatch } from './disk-space.ts';
import {
  isRunning,
  namelessFiles,
  proportionalMemory,
  sampleTree,
  sharedMemoryOfMachine,
  type TreeSample,
} from './process-tree.ts';
import { SharedSegments } from './shared-segments.ts';
import type { LimitName, SandboxLimits, SandboxRequest } from './sandbox-request.ts';

/** What a run used. */
export interface SandboxUsage {
  /** Of all processes; of the last tenth of a second some may be missing. */
  readonly cpuSeconds: number;
  /** Highest sum that was seen of all processes' own memory and of temporary files; not what the kernel caches of disks. */
  readonly peakMemoryBytes: number;
  /** Bytes from and to disks as last seen: of the last moment some may be missing. */
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** A limit that ended a run. */
export interface LimitBreach {
  readonly limit: LimitName;
  readonly allowed: number;
  /** What was used when it was noticed: more than allowed, or as much when the kernel refused more. */
  readonly used: number;
}

const FIRST_INTERVAL = 5;
const GROWTH = 1.5;
const LAST_INTERVAL = 100;
/** include/uapi/linux/magic.h */
const TMPFS_MAGIC = 0x01021994;
const TEMPORARY_FILE_SYSTEMS = ['/tmp', '/var/tmp', '/run', '/dev/shm'];

const keepers = new WeakMap<Host, GroupSearch>();

/** How limits are kept on this machine: by control groups in a place, or by watching alone, and why. Found once. */
export function limitKeeper(host: Host): GroupSearch {
  const isRefused = host.environment['KILN_LIMITS'] === 'supervisor';
  const found = keepers.get(host) ?? (isRefused ? { reason: 'KILN_LIMITS=supervisor asks for it' } : findGroupPlace());
  keepers.set(host, found);
  return found;
}

/** Made before the run, attached to its first process, ended after it. */
export class Supervision {
  /** Directories of control groups that the first process joins; none when there are only our eyes. */
  readonly groups: readonly string[];
  readonly #limits: SandboxLimits;
  readonly #group: ControlGroup | undefined;
  readonly #disk: DiskWatch | undefined;
  readonly #segments: SharedSegments;
  #pid = 0;
  /** First processes of the outer and the inner pid namespace. When the outer one has ended, all have. */
  #outer = 0;
  #inner = 0;
  #timer: NodeJS.Timeout | undefined;
  // The highest sums that were seen: those of processes that nobody waited for are lost.
  #peak = 0;
  #cpuSeconds = 0;
  #readBytes = 0;
  #writtenBytes = 0;
  #breach: LimitBreach | undefined;
  /** Of the machine, since the run began: more came later, of this run or others. */
  #leastShared = Infinity;

  constructor(host: Host, { limits = {}, mounts = [] }: SandboxRequest) {
    const isCounted = limits.memoryBytes !== undefined || limits.processes !== undefined;
    const keeper = isCounted ? limitKeeper(host) : undefined;
    const writable = mounts.flatMap((mount) => (mount.writable ? [mount.source] : []));
    this.#limits = limits;
    this.#group = keeper !== undefined && 'place' in keeper ? makeGroup(keeper.place, limits) : undefined;
    this.#disk = limits.diskBytes === undefined ? undefined : new DiskWatch(host, writable, limits.diskBytes);
    this.#segments = new SharedSegments(host);
    this.groups = this.#group?.directories ?? [];
  }

  readonly attach = (pid: number): void => {
    this.#pid = pid;
    this.#look(FIRST_INTERVAL);
  };

  /** After the first process: waits until the others have ended too; the breach, if there was one. `noticed`: by somebody else. */
  async end(noticed?: LimitName): Promise<LimitBreach | undefined> {
    clearTimeout(this.#timer);
    await this.#disk?.end();
    await this.#segments.end();
    while (this.#outer !== 0 && isRunning(this.#outer)) await pause(FIRST_INTERVAL);
    const met = noticed ?? this.#group?.breach();
    if (met !== undefined) this.#breach ??= { limit: met, allowed: this.#allowed(met), used: this.#allowed(met) };
    await this.#group?.remove();
    return this.#breach;
  }

  /** @param waitedFor seconds of what was waited for: bwrap(1) may end before its first process, whose children are then missing. */
  usage(waitedFor: number | undefined): SandboxUsage {
    return {
      cpuSeconds: Math.max(waitedFor ?? 0, this.#cpuSeconds),
      peakMemoryBytes: this.#peak,
      readBytes: this.#readBytes,
      writtenBytes: this.#writtenBytes,
    };
  }

  #look(interval: number): void {
    this.#timer = setTimeout(() => this.#look(Math.min(interval * GROWTH, LAST_INTERVAL)), interval);
    const most = this.#limits.processes ?? Infinity;
    const sample = sampleTree(this.#pid, most + OWN_PROCESSES);
    if (sample.pids.length === 0) return;
    this.#findNamespaces(sample.pids);
    const memory = this.#memory(sample);
    this.#peak = Math.max(this.#peak, memory);
    this.#cpuSeconds = Math.max(this.#cpuSeconds, sample.cpuSeconds);
    this.#readBytes = Math.max(this.#readBytes, sample.readBytes);
    this.#writtenBytes = Math.max(this.#writtenBytes, sample.writtenBytes);
    const met = this.#group?.breach();
    if (met !== undefined) this.#stop(met, this.#allowed(met));
    else if (sample.tasks > most + OWN_PROCESSES) this.#stop('processes', sample.tasks - OWN_PROCESSES);
    else if (memory > (this.#limits.memoryBytes ?? Infinity)) this.#stop('memoryBytes', memory);
    this.#disk?.look(sample, (taken) => this.#stop('diskBytes', taken));
  }

  #stop(limit: LimitName, used: number): void {
    this.#breach ??= { limit, allowed: this.#allowed(limit), used };
    for (const pid of [this.#outer, -this.#pid]) {
      try {
        if (pid !== 0) process.kill(pid, 'SIGKILL');
      } catch {
        // It has just ended, or leads no group.
      }
    }
  }

  #allowed(limit: LimitName): number {
    return this.#limits[limit] ?? 0;
  }

  #memory(sample: TreeSample): number {
    const limit = this.#limits.memoryBytes ?? Infinity;
    if (this.#group !== undefined) return Math.min(this.#group.memoryBytes(), limit);
    const files = TEMPORARY_FILE_SYSTEMS.reduce((sum, path) => sum + this.#spaceTaken(path), 0);
    const machine = sharedMemoryOfMachine();
    this.#leastShared = Math.min(this.#leastShared, machine);
    // The quick sum lacks what is shared without a name; and pages count several times that were shared by fork.
    if (sample.memoryBytes + Math.max(files, machine - this.#leastShared) <= limit) return sample.memoryBytes + files;
    const { own, shared } = proportionalMemory(sample.pids);
    const nameless = namelessFiles(sample.pids).reduce((sum, { inMemory, bytes }) => sum + (inMemory ? bytes : 0), 0);
    this.#segments.look({ outer: this.#outer, inner: this.#inner });
    // What has a place of its own may be mapped too.
    return Math.min(own, sample.memoryBytes) + Math.max(files + nameless + this.#segments.bytes, shared);
  }

  #spaceTaken(path: string): number {
    if (this.#inner === 0) return 0;
    try {
      const inside = `/proc/${this.#inner}/root${path}`;
      const { type, blocks, bfree, bsize } = statfsSync(inside);
      // Until the sandbox has its own root these are directories of the machine.
      if (type !== TMPFS_MAGIC || statSync(inside).dev === statSync(path).dev) return 0;
      return (blocks - bfree) * bsize;
    } catch {
      return 0;
    }
  }

  /** The last of a process's ids is the one in its own namespace (proc(5), `NSpid`). */
  #findNamespaces(pids: readonly number[]): void {
    if (this.#inner !== 0) return;
    for (const pid of pids) {
      const ids = /^NSpid:\t(.*)$/m.exec(statusOf(pid))?.[1]!.split('\t');
      if (ids?.at(-1) !== '1') continue;
      if (ids.length === 2) this.#outer = pid;
      if (ids.length === 3) this.#inner = pid;
    }
  }
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return '';
  }
}
