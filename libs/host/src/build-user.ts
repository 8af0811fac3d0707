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

/** `nobody` of every system: owns nothing, and has no subordinate ids. */
const OTHER_UID = 65_534;

/**
 * The same machine with another build user, who has the group of the first and so may enter what is open to that. Only root can choose: else the
 * user is the same.
 * @throws BuildError `BUILD_USER_MISSING`.
 */
export async function withOtherBuildUser(host: Host): Promise<Host> {
  const user = await buildUser(host);
  const other = { ...host };
  if (user.prefix.length === 0) return other;
  const name = String(OTHER_UID);
  known.set(other, Promise.resolve({ name, uid: OTHER_UID, gid: user.gid, prefix: dropTo(OTHER_UID, user.gid) }));
  return other;
}

function dropTo(uid: number, gid: number): string[] {
  const ids = ['--reuid', String(uid), '--regid', String(gid)];
  return ['setpriv', ...ids, '--clear-groups', '--inh-caps=-all', '--'];
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
  const [buildUid, buildGid] = [Number(entryUid), Number(entryGid)];
  return { name, uid: buildUid, gid: buildGid, prefix: dropTo(buildUid, buildGid) };
}
