/** How long tasks took when they were last really done: the source of every estimate. */
import { readEventLog } from '@kiln/distribution';

/** By `action:subject`, in seconds. */
export type RememberedDurations = ReadonlyMap<string, number>;

export function rememberedDurations(root: string): RememberedDurations {
  const built = readEventLog(root).filter(({ outcome }) => outcome === 'built');
  return new Map(built.map(({ action, subject, seconds }) => [`${action}:${subject}`, seconds]));
}
