/** Where packages are built a second time: nothing that the first build stood on is used again but the files that it was made of. */
import { withOtherBuildUser } from '@kiln/host';
import { makeWorkDirectory } from '@kiln/sandbox';
import { Store } from '@kiln/store';
import { prepareToolchain } from '@kiln/toolchain';
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
    toolchain: () => (toolchain ??= prepareToolchain(host, store, distribution.toolchain)),
  };
}
