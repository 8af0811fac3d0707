/** Debian roots with the programs of peers that make images, which want a root of their own and not only a chroot. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { shellOutput } from './timed-phases.ts';

export interface PeerRootOptions {
  readonly name: string;
  readonly suite: string;
  readonly packages: readonly string[];
}

/** Where the RPMs and their repodata are in it. */
export const PEER_REPOSITORY = '/repository';

/** Makes it in `directory`, with the RPMs (file name and path) as a repository; downloads. @returns its path. */
export function makePeerRoot(
  directory: string,
  { name, suite, packages }: PeerRootOptions,
  rpms: ReadonlyMap<string, string>,
): string {
  const root = join(directory, name);
  shellOutput(`
    TMPDIR=${directory} mmdebstrap --quiet --variant=apt --dpkgopt=force-unsafe-io --include=${packages.join()} ${suite} ${root}
    mkdir -p ${root}/old ${root}/empty ${root}/scratch`);
  mkdirSync(join(root, PEER_REPOSITORY));
  for (const [file, path] of rpms) copyFileSync(path, join(root, PEER_REPOSITORY, file));
  shellOutput(`chroot ${root} createrepo_c --quiet ${PEER_REPOSITORY}`);
  return root;
}

/** What a script needs so that the rest of it runs with `root` as the root of its mount namespace. */
export const enterPeerRoot = (root: string): string => `
  mount --bind ${root} ${root}
  mount -t proc proc ${root}/proc; mount --rbind /dev ${root}/dev; mount -t sysfs sys ${root}/sys; mount -t tmpfs run ${root}/run
  cd ${root}
  pivot_root . old
  umount -l /old
  rm -rf /scratch; mkdir /scratch`;
