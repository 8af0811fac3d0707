/** The unprivileged user that everything foreign runs as: ourselves, or the system user `kiln` when Kiln runs as root. */
import { chown } from 'node:fs/promises';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from './host.ts';

/** Name of the system user that root drops to. */
export const BUILD_USER_NAME = 'kiln';

export interface BuildUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Put before an argument vector to run it as this user; empty when we are it. */
  readonly prefix: readonly string[];
}

const known = new WeakMap<Host, Promise<BuildUser>>();

/**
 * The build user of this machine.
 * @throws BuildError `BUILD_USER_MISSING` when Kiln runs as root and there is no system user `kiln`.
 */
export function buildUser(host: Host): Promise<BuildUser> {
  let user = known.get(host);
  if (user === undefined) {
    user = findBuildUser(host);
    known.set(host, user);
    user.catch(() => known.delete(host));
  }
  return user;
}

/** Makes a file or directory the build user's own, when we are root; else it is already. */
export async function giveToBuildUser(user: BuildUser, path: string): Promise<void> {
  if (user.prefix.length > 0) await chown(path, user.uid, user.gid);
}

async function findBuildUser(host: Host): Promise<BuildUser> {
  const uid = process.getuid?.() ?? 0;
  const name = uid === 0 ? BUILD_USER_NAME : String(uid);
  const entry = await host.run({ argv: ['getent', 'passwd', name] });
  const [login, , entryUid, entryGid] = entry.stdout.trim().split(':');
  if (uid !== 0) return { name: login || name, uid, gid: process.getgid?.() ?? uid, prefix: [] };
  if (entry.status !== 0 || entryUid === undefined || Number(entryUid) === 0) {
    throw new BuildError('BUILD_USER_MISSING', `Kiln runs as root and there is no system user '${name}' to build as`, {
      hint: 'run `kiln doctor --fix`, which makes it, or run Kiln as an ordinary user',
    });
  }
  const groups = ['--regid', entryGid!, '--clear-groups', '--inh-caps=-all'];
  return {
    name,
    uid: Number(entryUid),
    gid: Number(entryGid),
    prefix: ['setpriv', '--reuid', entryUid, ...groups, '--'],
  };
}
