/** Where packages are built a second time: nothing that the first build stood on is used again but the files that it was made of. */
import { lchownSync } from 'node:fs';
import { join } from 'node:path';
import { buildUser, withOtherBuildUser, type Host } from '@kiln/host';
import { makeWorkDirectory } from '@kiln/sandbox';
import { Store, walkTree } from '@kiln/store';
import { prepareToolchain, type Toolchain } from '@kiln/toolchain';
import type { BuildSite } from './package-toolchain.ts';
import type { Session } from './session.ts';

const sites = new WeakMap<Session, Promise<BuildSite>>();

/**
 * An empty store of its own, where all layers are made anew, and another build user where Kiln runs as root; one for a session. A later run removes the
 * store, as it does with every work directory of a process that has ended.
 */
export function secondSite(session: Session): Promise<BuildSite> {
  const known = sites.get(session);
  if (known !== undefined) return known;
  const made = makeSite(session);
  sites.set(session, made);
  made.catch(() => sites.delete(session));
  return made;
}

async function makeSite({ host: first, store: shared, distribution }: Session): Promise<BuildSite> {
  const host = await withOtherBuildUser(first);
  const store = new Store(host, await makeWorkDirectory(host, shared, 'second-store'), { blobs: shared });
  let toolchain: ReturnType<BuildSite['toolchain']> | undefined;
  return {
    host,
    store,
    distribution,
    toolchain: () => (toolchain ??= prepareAgain(first, { host, store, distribution })),
  };
}

/** Prebuilt RPMs are installed with subordinate ids, which the other user has none of: the first one does it, and what comes of it is the other's. */
async function prepareAgain(
  first: Host,
  { host, store, distribution: { toolchain } }: Omit<BuildSite, 'toolchain'>,
): Promise<Toolchain> {
  if (toolchain.kind !== 'repository') return prepareToolchain(host, store, toolchain);
  const made = await prepareToolchain(first, store, toolchain);
  const { prefix, uid, gid } = await buildUser(host);
  if (prefix.length === 0) return made;
  for (const path of ['', ...[...walkTree(made.layer)].map((entry) => entry.path)])
    lchownSync(join(made.layer, path), uid, gid);
  return made;
}
