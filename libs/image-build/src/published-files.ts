/** What upstream releases hold as it is: the files in the archives of source packages. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SCRATCH, type ImagePorts, type ToolResult } from './image-ports.ts';
import { toolEnvironment } from './install-packages.ts';

/** Arguments: source packages. Leaves /scratch/digests of all files in them and in the archives in them. */
const UNPACK_SCRIPT = `
set -euo pipefail
mkdir ${SCRATCH}/tree
cd ${SCRATCH}/tree
for package in "$@"; do
  rpm2cpio "$package" | cpio --quiet --extract --make-directories --no-absolute-filenames
done
for archive in *.tar *.tar.* *.tgz *.tbz2 *.txz; do
  if [ -f "$archive" ]; then tar --extract --file="$archive" --one-top-level="$archive.d" --no-same-owner --no-same-permissions; fi
done
find . -type f -size +0 -print0 | xargs --null --no-run-if-empty sha256sum --zero -- > ${SCRATCH}/digests
`;

/**
 * SHA-256 digests of all files that source packages hold, also in their tar archives.
 * @param scratch a work directory
 * @param refuse is told a program that failed
 */
export async function publishedDigests(
  ports: ImagePorts,
  {
    sourceRpms,
    scratch,
    log,
  }: { readonly sourceRpms: readonly string[]; readonly scratch: string; readonly log?: string | undefined },
  refuse: (result: ToolResult) => void,
): Promise<Set<string>> {
  if (sourceRpms.length === 0) return new Set();
  const packages = sourceRpms.map((source, index) => ({
    source,
    target: `/sources/${index}.src.rpm`,
    writable: false,
  }));
  refuse(
    await ports.run({
      argv: ['bash', '-c', UNPACK_SCRIPT, 'kiln', ...packages.map(({ target }) => target)],
      mounts: [{ source: scratch, target: SCRATCH, writable: true }, ...packages],
      environment: toolEnvironment(0),
      ...(log === undefined ? {} : { log }),
    }),
  );
  return new Set(parseDigests(await readFile(join(scratch, 'digests'), 'utf8')).keys());
}

/** `sha256sum --zero` (digest, two characters, path, NUL): digest → path. */
export function parseDigests(text: string): Map<string, string> {
  return new Map(
    text
      .split('\0')
      .slice(0, -1)
      .map((entry) => [entry.slice(0, 64), entry.slice(66)]),
  );
}
