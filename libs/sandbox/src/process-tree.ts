/** What the processes of a sandbox use, read from /proc (proc(5)). Reading is synchronous: a sample is one moment. */
import { readdirSync, readFileSync } from 'node:fs';

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
export function proportionalMemory(pids: readonly number[]): number {
  let sum = 0;
  for (const pid of pids) {
    const text = read(`/proc/${pid}/smaps_rollup`) ?? '';
    for (const [, kilobytes] of text.matchAll(/^Pss_(?:Anon|Shmem): +(\d+) kB$/gm)) sum += Number(kilobytes) * 1024;
  }
  return sum;
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
