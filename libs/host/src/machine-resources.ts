/** What this machine, or the container that we run in, has for builds. */
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import type { Resources } from './admission.ts';

/** Kept for everything that is no build: the kernel's caches, the runs themselves. */
const KEPT_SHARE = 0.1;

const LIMIT_FILES = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'];

/** Nine tenths of the memory, and all cores that this process may use. */
export function machineResources(): Resources {
  const limits = LIMIT_FILES.map((file) => memoryLimit(file));
  const memoryBytes = Math.floor(Math.min(totalmem(), ...limits) * (1 - KEPT_SHARE));
  return { memoryBytes, cores: availableParallelism() };
}

function memoryLimit(file: string): number {
  try {
    const limit = Number(readFileSync(file, 'utf8').trim());
    return limit > 0 ? limit : Infinity;
  } catch {
    return Infinity;
  }
}
