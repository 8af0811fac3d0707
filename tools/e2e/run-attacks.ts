/** Builds every package of a tree in one process, and prints how each ended, as JSON. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { loadDistribution, Session, TARGETS } from '@kiln/distribution';
import { createHost, inParallel } from '@kiln/host';

export interface Ended {
  readonly name: string;
  /** Code of the error; undefined when it was built. */
  readonly code?: string;
  readonly text: string;
  readonly log: string;
}

const AT_ONCE = 2;
const [, , root] = process.argv as [string, string, string];
const distribution = await loadDistribution(root);
const session = new Session(distribution, createHost());
await session.toolchain();

const ended = await inParallel(distribution.packages, AT_ONCE, async ({ id }): Promise<Ended> => {
  const name = id.split('/')[0]!;
  const file = join(root, TARGETS.rpm.log(id));
  const log = () => (existsSync(file) ? readFileSync(file, 'utf8').slice(0, 100_000) : '');
  try {
    await session.run('rpm', id);
    return { name, text: '', log: log() };
  } catch (error) {
    if (error instanceof BuildError) return { name, code: error.code, text: error.format(), log: log() };
    throw error;
  }
});
console.log(JSON.stringify(ended));
