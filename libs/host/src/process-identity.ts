/** Which process a number means: numbers are used again, the time of the start isn't. */
import { readFileSync } from 'node:fs';

/** Start of a process in clock ticks since boot (proc(5), field 22 of `stat`); undefined when there is no such process. */
export function processStart(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name in parentheses, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}
