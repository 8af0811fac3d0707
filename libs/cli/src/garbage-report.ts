/** What a garbage collection did, for people. */
import type { GarbageReport } from '@kiln/store';
import { formatMemory } from './memory.ts';

/** `/var/cache/kiln: removed 12 results, 40 blobs (3.2 GB), not used since 2026-11-02; it has 17.9 GB, the limit is 20.0 GB`. */
export function garbageLines(report: GarbageReport, { dryRun = false }: { readonly dryRun?: boolean } = {}): string[] {
  const { store, limit, before, after, inUse, removed, unusedSince = 0 } = report;
  const parts = Object.entries(removed).flatMap(([kind, { count }]) =>
    count === 0 ? [] : [`${count} ${kind}${count === 1 ? '' : 's'}`],
  );
  const what = `${parts.join(', ')} (${formatMemory(before - after)}), not used since ${day(unusedSince)}`;
  const done = parts.length === 0 ? 'nothing to remove' : `${dryRun ? 'would remove' : 'removed'} ${what}`;
  const size = `it ${dryRun ? 'would have' : 'has'} ${formatMemory(after)}, the limit is ${formatMemory(limit)}`;
  const rest = `what is left, ${formatMemory(inUse)}, is in use or needed by the plan of the workspace, and stays`;
  return [`${store}: ${done}; ${size}`, ...(after > limit ? [rest] : [])];
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
