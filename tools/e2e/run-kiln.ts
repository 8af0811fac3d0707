/** Runs Kiln as people do, in a workspace of a test, and tells what it built. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { readEventLog, type LoggedEvent } from '@kiln/distribution';
import { REPOSITORY, type SmallTree } from './small-tree.ts';

export interface Ran {
  readonly status: number | null;
  /** Standard output and error together, as they came. */
  readonly output: string;
  /** Tasks that were really done, `target:id`, in the order in which they ended. */
  readonly built: readonly string[];
  /** Tasks that failed. */
  readonly failed: readonly string[];
}

/** `kiln …` from this repository's sources. */
export function kiln(tree: SmallTree, ...args: string[]): Promise<Ran> {
  return run(tree, kilnCommand(...args));
}

export function kilnCommand(...args: string[]): string[] {
  return [process.execPath, join(REPOSITORY, 'libs/cli/bin/kiln.cjs'), ...args];
}

/** `nx …` of this repository. */
export function nx(tree: SmallTree, ...args: string[]): Promise<Ran> {
  return run(tree, [join(REPOSITORY, 'node_modules/.bin/nx'), ...args]);
}

export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ran>;
}

/** Starts a command in its own process group, so that a test can interrupt it as a terminal does. */
export function start(
  tree: SmallTree,
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Running {
  const before = readEventLog(tree.root).length;
  const [program, ...args] = argv;
  const child = spawn(program!, args, {
    cwd: tree.root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...withoutVitest(),
      CI: 'true',
      NO_COLOR: '1',
      NX_DAEMON: 'false',
      KILN_STORE: tree.store,
      KILN_TOKENS: join(tree.store, 'tokens'),
      ...environment,
    },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<Ran>((resolve) => {
    child.on('close', (status) => {
      const events = readEventLog(tree.root).slice(before);
      resolve({ status, output, built: named(events, 'built'), failed: named(events, 'failed') });
    });
  });
  return { pid: child.pid!, ended };
}

export function run(
  tree: SmallTree,
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return start(tree, argv, environment).ended;
}

function named(events: readonly LoggedEvent[], outcome: LoggedEvent['outcome']): string[] {
  return events.filter((event) => event.outcome === outcome).map(({ action, subject }) => `${action}:${subject}`);
}

function withoutVitest(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV|NODE_OPTIONS|NX_|npm_)/.test(name)),
  );
}
