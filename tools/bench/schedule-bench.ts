/** Runs graphs of sleeping tasks with the real Nx and compares how long they take with what no schedule can beat. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scheduleBound } from './schedule-bound.ts';
import type { Machine, SleepingTask } from './schedule-graphs.ts';
import type { SleepingRun } from './sleep-executor.ts';

/** `nx`: each task in a process, in Nx's order. The others are one batch, in the order of Kiln or first come, first served. */
export type Order = 'nx' | 'fifo' | 'kiln' | 'kiln+history';

export interface ScheduleMeasure extends Machine {
  readonly graph: string;
  readonly order: Order;
  /** Seconds from the first task's start to the last one's end. */
  readonly seconds: number;
  readonly bound: number;
  /** Seconds of the whole command beyond that: reading the graph, starting, ending. */
  readonly overhead: number;
}

const REPOSITORY = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A workspace in which each task is a project; Nx and the executor are this repository's. */
export class SleepingWorkspace {
  readonly root = mkdtempSync(join(tmpdir(), 'kiln-schedule-'));
  readonly #graph: string;
  readonly #tasks: readonly SleepingTask[];

  constructor(graph: string, tasks: readonly SleepingTask[]) {
    this.#graph = graph;
    this.#tasks = tasks;
    const write = (path: string, content: object | string) => {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      writeFileSync(join(this.root, path), typeof content === 'string' ? content : JSON.stringify(content));
    };
    const settings = { neverConnectToCloud: true, analytics: false, cacheDirectory: '.nx/cache' };
    write('nx.json', { ...settings, useDaemonProcess: false, tui: { enabled: false } });
    write('package.json', { name: 'sleepers', private: true });
    for (const task of tasks) {
      const dependsOn = task.before.map((project) => ({ projects: [project], target: 'sleep' }));
      const target = { executor: '@bench/sleep:sleep', options: task, dependsOn };
      write(`${task.name}/project.json`, { name: task.name, targets: { sleep: target } });
    }
    for (const name of readdirSync(join(REPOSITORY, 'node_modules')))
      if (!name.startsWith('.')) {
        mkdirSync(join(this.root, 'node_modules'), { recursive: true });
        symlinkSync(join(REPOSITORY, 'node_modules', name), join(this.root, 'node_modules', name));
      }
    const entry = { implementation: './executors.cjs#alone', batchImplementation: './executors.cjs#together' };
    write('node_modules/@bench/sleep/package.json', { name: '@bench/sleep', executors: './executors.json' });
    write('node_modules/@bench/sleep/executors.json', { executors: { sleep: { ...entry, schema: './schema.json' } } });
    write('node_modules/@bench/sleep/schema.json', { type: 'object', properties: {} });
    write('node_modules/@bench/sleep/executors.cjs', EXECUTORS);
  }

  /** @throws Error with Nx's output when the run fails. */
  async measure(order: Order, { workers, memoryBytes }: Machine): Promise<ScheduleMeasure> {
    const results = join(this.root, `${order}-${workers}.txt`);
    const run: SleepingRun = {
      order: order === 'fifo' ? 'fifo' : 'kiln',
      tokens: join(this.root, 'tokens'),
      ...(order === 'kiln+history' ? { store: join(this.root, 'store') } : {}),
      ...{ workers, memoryBytes, results },
    };
    const seconds = await this.#nx(order === 'nx' ? workers : undefined, run);
    const rows = readFileSync(results, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    if (rows.length !== this.#tasks.length) throw new Error(`${rows.length} of ${this.#tasks.length} tasks ran`);
    const took =
      Math.max(...rows.map(([, , end]) => Number(end))) - Math.min(...rows.map(([, start]) => Number(start)));
    const bound = scheduleBound(this.#tasks, { workers, memoryBytes: order === 'nx' ? Infinity : memoryBytes });
    rmSync(results);
    return { graph: this.#graph, order, workers, memoryBytes, seconds: took, bound, overhead: seconds - took };
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }

  async #nx(parallel: number | undefined, run: SleepingRun): Promise<number> {
    const started = Date.now();
    const how = parallel === undefined ? ['--batch'] : [`--parallel=${parallel}`, '--batch=false'];
    const child = spawn(
      process.execPath,
      [join(REPOSITORY, 'node_modules/nx/dist/bin/nx.js'), 'run-many', '-t', 'sleep', '--skip-nx-cache', ...how],
      {
        cwd: this.root,
        env: {
          ...process.env,
          CI: 'true',
          NX_DAEMON: 'false',
          NX_ISOLATE_PLUGINS: 'false',
          KILN_BENCH: JSON.stringify(run),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [status] = (await once(child, 'close')) as [number | null];
    if (status !== 0) throw new Error(`nx ended with ${status}:\n${output}`);
    return (Date.now() - started) / 1000;
  }
}

const EXECUTORS = `const { importSource } = require(${JSON.stringify(join(REPOSITORY, 'libs/source-loader.cjs'))});
const load = () => importSource(${JSON.stringify(join(REPOSITORY, 'tools/bench/sleep-executor.ts'))});
exports.alone = async (task) => (await load()).sleepAlone(task);
exports.together = async function* (...given) {
  yield* (await load()).sleepTogether(...given);
};
`;
