/** A Debian root with the programs of the peers: the machine needs none of them but mmdebstrap. */
import { join } from 'node:path';
import { shellOutput } from './timed-phases.ts';

const PROGRAMS = ['dnf', 'rpm', 'createrepo-c', 'pigz', 'zstd'];

/** What a script needs before it changes its root to `root`. */
export const devicesIn = (root: string): string =>
  `mount -t proc proc ${root}/proc; mount --bind /dev ${root}/dev; mkdir -p ${root}/dev/shm`;

/** Makes it in `directory`; downloads. @returns its path. */
export function makeToolsRoot(directory: string, suite: string): string {
  const root = join(directory, 'tools');
  shellOutput(`
    TMPDIR=${directory} mmdebstrap --quiet --variant=apt --dpkgopt=force-unsafe-io --include=${PROGRAMS.join()} ${suite} ${root}
    mkdir -p ${root}/etc/rpm ${root}/rpms ${root}/repodata
    printf '%%_dbpath /var/lib/rpm\\n%%_db_backend sqlite\\n' > ${root}/etc/rpm/macros`);
  return root;
}
