/** The `toolchain` target: the layer on which all packages are built. */
import { join } from 'node:path';
import { BOOTSTRAP_ROOT } from './bootstrap-target.ts';
import type { Target } from './targets.ts';

export const toolchainTarget: Target = {
  before: ({ toolchain }) => (toolchain.kind === 'bootstrap' ? [['stage-a', BOOTSTRAP_ROOT]] : []),
  key: (session) => Promise.resolve(session.distribution.toolchain.identity),
  async build(session) {
    await session.toolchain();
    return { outputs: {}, facts: { identity: session.distribution.toolchain.identity } };
  },
  showAs: (_, __, output) => join('dist', 'toolchain', output),
  log: () => join('dist', 'logs', 'toolchain.log'),
};
