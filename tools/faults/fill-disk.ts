/** The store is on a small disk that becomes full in the course of a run; with more space the next run goes on. */
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { shellQuote } from '@kiln/host';
import { run } from '../e2e/run-kiln.ts';
import type { SmallTree } from '../e2e/small-tree.ts';
import { forget, shownDigests, TASK } from './faulted-tree.ts';

export interface FullDisk {
  /** Kilobytes that were free beside the toolchain. */
  readonly free: number;
  /** `DISK_FULL`, another code, or `none` when the space sufficed. */
  readonly code: string;
  readonly problems: readonly string[];
}

/** A namespace in which a file system can be mounted, by root and by others, as the same user. */
const OWN_MOUNTS =
  process.getuid?.() === 0
    ? ['unshare', '--mount']
    : ['unshare', '--user', '--map-current-user', '--keep-caps', '--mount'];

/** Runs with so many free kilobytes, then again with a gigabyte more. */
export async function fillAndRunAgain(
  tree: SmallTree,
  { free, undisturbed }: { readonly free: number; readonly undisturbed: ReadonlyMap<string, string> },
): Promise<FullDisk> {
  forget(tree);
  const small = join(tree.root, '..', 'small');
  mkdirSync(small, { recursive: true });
  const script = `
set -e
mount -t tmpfs -o size=3g,mode=755 tmpfs ${small}
cp -a ${join(tree.store, 'layers')} ${small}/
used=$(df --output=used -k ${small} | tail -n 1)
mount -o remount,size=$((used + ${free}))k ${small}
export KILN_STORE=${small}
status=0
${shellQuote(TASK)} || status=$?
echo "first status $status; left: $(ls ${small}/work ${small}/tmp 2>/dev/null | grep -v : | tr -d '\\n')."
mount -o remount,size=$((used + 1000000))k ${small}
status=0
${shellQuote(TASK)} || status=$?
echo "second status $status; left: $(ls ${small}/work ${small}/tmp 2>/dev/null | grep -v : | tr -d '\\n')."
`;
  const { output } = await run(tree, [...OWN_MOUNTS, 'sh', '-c', script]);
  const [first, second] = ['first', 'second'].map((which) =>
    new RegExp(`^${which} status (\\d+); left: (.*)\\.$`, 'm').exec(output),
  );
  const codes = [...output.matchAll(/error ([A-Z_]+)/g)]
    .map(([, code]) => code!)
    .filter((code) => code !== 'TASKS_FAILED');
  const problems: string[] = [];
  if (first === null || second === null) problems.push(`a run did not end:\n${output.slice(-2000)}`);
  else {
    if (first![2] !== '') problems.push(`left after the first run: ${first![2]}`);
    if (second![1] !== '0') problems.push(`the second run failed:\n${errorsOf(output)}`);
    if (first![1] !== '0' && codes.some((code) => code !== 'DISK_FULL'))
      problems.push(`the errors are ${codes.join(', ')}:\n${errorsOf(output)}`);
    const found = shownDigests(tree);
    for (const [name, digest] of undisturbed) if (found.get(name) !== digest) problems.push(`${name} differs`);
  }
  return { free, code: first?.[1] === '0' ? 'none' : (codes[0] ?? 'unknown'), problems };
}

/** The errors with the lines that belong to them. */
function errorsOf(output: string): string {
  return [...output.matchAll(/^.*error [A-Z_]+.*(?:\n {2,}.*)*/gm)].map(([text]) => text).join('\n');
}
