/** The small distribution with a store of its own, for all tests of a file. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { makeSmallTree, type SmallTree } from './small-tree.ts';
import { sharedStore } from './test-store.ts';

const MINUTES = 60_000;

/** What a file's tests work on; it is there when the first of them begins, and goes after the last one. */
export interface SmallTreeInUse extends SmallTree {
  /** For files beside the tree. */
  readonly directory: string;
}

/** Call it at the top of a test file. */
export function useSmallTree(): SmallTreeInUse {
  const inUse = { directory: '', root: '', store: '' };
  beforeAll(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'kiln-e2e-'));
    // The build user has to get in.
    chmodSync(directory, 0o755);
    Object.assign(inUse, { directory }, makeSmallTree(join(directory, 'tree'), await sharedStore(directory)));
  }, 30 * MINUTES);
  afterAll(() => rmSync(inUse.directory, { recursive: true, force: true }), 5 * MINUTES);
  return inUse;
}
