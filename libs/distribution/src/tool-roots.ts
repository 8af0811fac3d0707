/** Roots of tools beside the toolchain: their lists and locks, and their layers in the store. */
import { BuildError } from '@kiln/diagnostics';
import { loadDebianToolchain, toolchainLayer, type DebianToolchain } from '@kiln/toolchain';
import type { Distribution } from './distribution.ts';
import { DISTRO_FILE, type DistroConfig } from './distro-config.ts';
import type { Session } from './session.ts';

/** Members of the distribution's configuration that name such a root. */
export type ToolRootName = Extract<keyof DistroConfig, 'imageTools' | 'bootTools'>;

const PURPOSES: Readonly<Record<ToolRootName, string>> = {
  imageTools: 'programs that make disks and file systems',
  bootTools: 'a virtual machine',
};

const loaded = new WeakMap<Distribution, Map<ToolRootName, DebianToolchain>>();

/**
 * What a root is made of, read once; downloads nothing.
 * @throws BuildError `TOOL_ROOT_MISSING` when the distribution names none, and those of `loadDebianToolchain`
 */
export function plannedToolRoot(distribution: Distribution, name: ToolRootName): DebianToolchain {
  const files = distribution.config[name];
  if (files === undefined) {
    throw new BuildError('TOOL_ROOT_MISSING', `the distribution has no root with ${PURPOSES[name]}`, {
      location: { file: DISTRO_FILE, line: 1 },
      hint: `name a list of Debian packages and its lock as "${name}"`,
    });
  }
  const known = loaded.get(distribution) ?? new Map<ToolRootName, DebianToolchain>();
  loaded.set(distribution, known);
  const root = known.get(name) ?? loadDebianToolchain(distribution.root, files);
  known.set(name, root);
  return root;
}

/** The root as a directory: made when it isn't there. @throws BuildError as `plannedToolRoot` and `toolchainLayer` */
export async function toolRootLayer(session: Session, name: ToolRootName): Promise<string> {
  const { lock } = plannedToolRoot(session.distribution, name);
  return (await toolchainLayer(session.host, session.store, lock.packages)).root;
}
