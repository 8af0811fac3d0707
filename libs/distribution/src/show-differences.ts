/** Two RPMs that should be the same file: their files are unpacked beside one another and compared, by diff and, where there is one, diffoscope. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, writeFileAtomic } from '@kiln/host';
import { makeWorkDirectory, removeWorkDirectory } from '@kiln/sandbox';
import type { Blob } from '@kiln/store';
import type { Session } from './session.ts';

export interface TwoRpms {
  readonly name: string;
  readonly first: Blob;
  readonly second: Blob;
  /** Workspace-relative directory for the whole comparison. */
  readonly reports: string;
}

export interface ShownDifferences {
  /** The first lines of it, for a person. */
  readonly lines: readonly string[];
  /** Where the rest is, or how to see more. */
  readonly hint: string;
}

const MOST_LINES = 20;
const MOST_COLUMNS = 160;
const MOST_BYTES = 10_000_000;

const COMPARE_SCRIPT = `
set -euo pipefail
cd /kiln/compare
for side in first second; do
  mkdir $side
  (cd $side && rpm2cpio /kiln/$side.rpm | cpio --extract --make-directories --no-absolute-filenames --quiet --no-preserve-owner)
  chmod -R u+rwX $side
done
(diff --recursive --no-dereference --unified --new-file first second || true) | head --bytes=${MOST_BYTES} > differences
`;

/** @throws BuildError `RPM_UNREADABLE` and those of the sandbox. */
export async function showDifferences(session: Session, rpms: TwoRpms): Promise<ShownDifferences> {
  const { host, store, distribution } = session;
  const { name, first, second, reports } = rpms;
  const work = await makeWorkDirectory(host, store, 'compare');
  try {
    const directory = join(work, 'compare');
    await mkdir(directory);
    const ran = await session.runTool({
      argv: ['bash', '-c', COMPARE_SCRIPT],
      mounts: [
        { source: store.blobPath(first.sha256), target: '/kiln/first.rpm', writable: false },
        { source: store.blobPath(second.sha256), target: '/kiln/second.rpm', writable: false },
        { source: directory, target: '/kiln/compare', writable: true },
      ],
      environment: { LC_ALL: 'C.UTF-8' },
    });
    if (ran.status !== 0)
      throw new BuildError('RPM_UNREADABLE', `the two ${name} can't be compared: ${ran.stderr.trim()}`);
    const text = (await readFile(join(directory, 'differences'), 'utf8')).replace(HEADER_TIME, '$1');
    const report = join(reports, `${name}.diff`);
    await writeFileAtomic(join(distribution.root, report), text);
    const hint = (await diffoscope(session, { directory, report: join(reports, `${name}.diffoscope.txt`) })) ?? report;
    return {
      lines: text
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('diff --recursive '))
        .slice(0, MOST_LINES)
        .map(printable),
      hint: hint === report ? `${report} has all of it; ${INSTALL}` : `${hint} has all differences`,
    };
  } finally {
    await removeWorkDirectory(host, work);
  }
}

const INSTALL = 'diffoscope would look into binary files too: apt-get install diffoscope-minimal';

/** When diff unpacked a file tells nothing. */
const HEADER_TIME = /^((?:---|\+\+\+) [^\t\n]+)\t.*$/gm;

/** What a package has in its files must not reach the terminal as commands. */
function printable(line: string): string {
  const clean = line.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '?');
  return clean.length > MOST_COLUMNS ? `${clean.slice(0, MOST_COLUMNS)}…` : clean;
}

/** Its report, when the machine has the program. It runs as the build user, without our environment: it opens what a build made. */
async function diffoscope(
  { host, distribution }: Session,
  { directory, report }: { readonly directory: string; readonly report: string },
): Promise<string | undefined> {
  const { prefix } = await buildUser(host);
  const options = ['--exclude-directory-metadata', 'yes', '--text', '-', '--max-text-report-size', '1000000'];
  const argv = [...prefix, 'diffoscope', ...options, 'first', 'second'];
  const ran = await host
    .run({
      argv: argv as [string, ...string[]],
      cwd: directory,
      environment: { PATH: host.environment['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TMPDIR: directory },
    })
    .catch(() => undefined);
  if (ran === undefined || ran.stdout === '') return undefined;
  await writeFileAtomic(join(distribution.root, report), ran.stdout);
  return report;
}
