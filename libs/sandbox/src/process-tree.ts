/** What the processes of a sandbox use, read from /proc (proc(5)). Reading is synchronous: a sample is one moment. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** Sums over all processes below one, itself included. */
export interface TreeSample {
  readonly pids: readonly number[];
  /** Processes and threads. */
  readonly tasks: number;
  /** Private and shared memory; what several processes share by fork counts several times. */
  readonly memoryBytes: number;
  /** Of the living, and of the dead that were waited for. */
  readonly cpuSeconds: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

const PAGE_BYTES = 4096;
/** `USER_HZ`: what /proc counts in, 100 on all architectures of Linux that Kiln knows. */
const TICKS_PER_SECOND = 100;

/** Reads the tree below `pid`. Stops to look closer when there are more than `mostTasks`. */
export function sampleTree(pid: number, mostTasks: number): TreeSample {
  const pids: number[] = [];
  const sum = { tasks: 0, memoryBytes: 0, cpuSeconds: 0, readBytes: 0, writtenBytes: 0 };
  const queue = [pid];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const stat = readStat(next);
    if (stat === undefined) continue;
    pids.push(next);
    sum.tasks += stat.threads;
    sum.cpuSeconds += stat.cpuSeconds;
    queue.push(...childrenOf(next));
    if (sum.tasks > mostTasks) break;
    sum.memoryBytes += memoryOf(next);
    const io = ioOf(next);
    sum.readBytes += io.readBytes;
    sum.writtenBytes += io.writtenBytes;
  }
  return { pids, ...sum };
}

/** Children of all threads, oldest first; empty when there is no such process. */
export function childrenOf(pid: number): number[] {
  const threads = attempt(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  return threads.flatMap((thread) =>
    (read(`/proc/${pid}/task/${thread}/children`) ?? '').split(' ').filter(Boolean).map(Number),
  );
}

/** Whether a process is there and not merely waiting to be waited for. */
export function isRunning(pid: number): boolean {
  const stat = readStat(pid);
  return stat !== undefined && stat.state !== 'Z' && stat.state !== 'X';
}

/** Memory of processes where each page counts once, by the kernel's proportional share; slower than a sample. */
export function proportionalMemory(pids: readonly number[]): { readonly own: number; readonly shared: number } {
  const sum = { own: 0, shared: 0 };
  for (const pid of pids) {
    const text = read(`/proc/${pid}/smaps_rollup`) ?? '';
    const field = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) * 1024;
    sum.own += field('Pss_Anon');
    sum.shared += field('Pss_Shmem');
  }
  return sum;
}

/** A file that has no name any more and takes space for as long as a process has it. */
export interface NamelessFile {
  readonly device: number;
  readonly bytes: number;
  /** It was made by memfd_create(2) and never had a name. */
  readonly inMemory: boolean;
}

/** Those that processes have open, and where we may look (root), those that they have mapped. Descriptors on their way between processes are not seen. */
export function namelessFiles(pids: readonly number[]): NamelessFile[] {
  const found = new Map<string, NamelessFile>();
  for (const directory of pids.flatMap((pid) => [`/proc/${pid}/fd`, `/proc/${pid}/map_files`])) {
    for (const name of attempt(() => readdirSync(directory)) ?? []) {
      const path = `${directory}/${name}`;
      const target = attempt(() => readlinkSync(path)) ?? '';
      if (!target.endsWith(' (deleted)')) continue;
      const stats = attempt(() => statSync(path));
      if (stats?.isFile() !== true || stats.nlink > 0) continue;
      const { dev: device, ino, blocks } = stats;
      found.set(`${device}:${ino}`, { device, bytes: blocks * 512, inMemory: target.startsWith('/memfd:') });
    }
  }
  return [...found.values()];
}

/** Memory of the whole machine that files in memory take and processes share. */
export function sharedMemoryOfMachine(): number {
  return Number(/^Shmem: +(\d+) kB$/m.exec(read('/proc/meminfo') ?? '')?.[1] ?? 0) * 1024;
}

interface Stat {
  readonly state: string;
  readonly threads: number;
  readonly cpuSeconds: number;
}

/** Fields of /proc/<pid>/stat behind the name, which may have any character. */
function readStat(pid: number): Stat | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // utime, stime, cutime, cstime are fields 14 to 17, the number of threads is field 20; the state is field 3.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { state: fields[0]!, threads: Number(fields[17]), cpuSeconds: ticks / TICKS_PER_SECOND };
}

/** Resident pages that are not of files. `statm` counts shared memory as files; `status` would tell, and is slower. */
function memoryOf(pid: number): number {
  const [, resident = 0, shared = 0] = (read(`/proc/${pid}/statm`) ?? '').split(' ').map(Number);
  return (resident - shared) * PAGE_BYTES;
}

function ioOf(pid: number): { readBytes: number; writtenBytes: number } {
  const text = read(`/proc/${pid}/io`) ?? '';
  const field = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return { readBytes: field('read_bytes'), writtenBytes: field('write_bytes') };
}

function read(path: string): string | undefined {
  return attempt(() => readFileSync(path, 'latin1'));
}

/** Processes end while they are looked at. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
