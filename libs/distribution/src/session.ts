/** A session over a distribution: keys, results and runs of its targets. The store is the truth; `dist/` is a view of it. */
import { join } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, giveToBuildUser, type Host } from '@kiln/host';
import type { RunTool } from '@kiln/rpm-repository';
import { runSandboxed, sweepWorkDirectories } from '@kiln/sandbox';
import type { ActionResult, Store } from '@kiln/store';
import { prepareToolchain, TOOLCHAIN_ARCHITECTURE, type Toolchain } from '@kiln/toolchain';
import { BuiltIndex } from './built-providers.ts';
import { BuildTrees } from './build-trees.ts';
import type { Distribution } from './distribution.ts';
import { recordDuration } from './durations.ts';
import { withEventLog } from './event-log.ts';
import { inputChanged } from './input-changed.ts';
import { openStore } from './open-store.ts';
import { newRunName } from './run-log.ts';
import { TaskMeter, type TaskMeasurement } from './task-meter.ts';
import { TARGETS, type TargetName } from './targets.ts';
import { isViewInPlace, showView, VIEW_SCRATCH, type Manifest } from './view.ts';

/** The state of a task: its key when everything before it is done, and its result when the store has it whole. */
export interface TaskState {
  readonly key?: Sha256;
  readonly result?: ActionResult;
}

export interface TaskOutcome {
  /** Workspace-relative path of the manifest. */
  readonly manifestFile: string;
  readonly outcome: 'built' | 'cached';
}

/** How a task is let begin what the store can't answer: it may have to wait for its turn. */
export type Admission = <T>(work: () => Promise<T>) => Promise<T>;

/** With damaged blobs before each but the last. */
const MOST_ATTEMPTS = 10;

export class Session {
  readonly distribution: Distribution;
  readonly host: Host;
  readonly store: Store;
  /** The command that this session is part of, in the event log. */
  readonly runName: string;
  /** Of builds of this session. */
  readonly trees = new BuildTrees();
  /** For the build roots of this session. */
  readonly built: BuiltIndex;
  readonly #meter: TaskMeter;
  readonly #complete = new Map<string, TaskState>();
  #toolchain: Promise<Toolchain> | undefined;
  #swept: Promise<void> | undefined;

  constructor(distribution: Distribution, host: Host, store?: Store) {
    this.distribution = distribution;
    this.built = new BuiltIndex(distribution.toolchain.provider);
    this.runName = host.environment['KILN_RUN'] ?? newRunName();
    this.#meter = new TaskMeter(host.now);
    const log = withEventLog(distribution.root, host.emit, {
      run: this.runName,
      measurement: (name) => this.#meter.measurement(name),
    });
    this.host = { ...host, emit: this.#meter.watch(log) };
    this.store = store ?? openStore(this.host, distribution);
  }

  /**
   * The toolchain layer, made when it isn't there yet; once per session.
   * @throws BuildError `TOOLCHAIN_ARCHITECTURE`, and those of `prepareToolchain`.
   */
  toolchain(): Promise<Toolchain> {
    this.#checkArchitecture();
    this.#toolchain ??= prepareToolchain(this.host, this.store, this.distribution.toolchain);
    return this.#toolchain;
  }

  /** @throws BuildError `TOOLCHAIN_ARCHITECTURE`. */
  #checkArchitecture(): void {
    const { architecture } = this.distribution.config;
    if (architecture === TOOLCHAIN_ARCHITECTURE) return;
    throw new BuildError(
      'TOOLCHAIN_ARCHITECTURE',
      `the toolchain is for ${TOOLCHAIN_ARCHITECTURE}: nothing can be built for ${architecture}`,
      { hint: `plans and questions work for ${architecture} too: kiln --arch ${architecture} plan` },
    );
  }

  /** Runs a program of the toolchain, isolated; the directories it may write to become the build user's. */
  readonly runTool: RunTool = async ({ argv, mounts, environment }) => {
    const user = await buildUser(this.host);
    for (const { source, writable } of mounts) if (writable) await giveToBuildUser(user, source);
    const { layer } = await this.toolchain();
    return runSandboxed(this.host, {
      layers: [layer],
      mounts,
      argv,
      environment: { PATH: '/usr/bin:/usr/sbin', ...environment },
      identity: 'builder',
    });
  };

  /** Key and result of a task. Without a key something before it isn't done. Only complete states are remembered. */
  async state(target: TargetName, id: string): Promise<TaskState> {
    const name = `${target}:${id}`;
    const known = this.#complete.get(name);
    if (known !== undefined) return known;
    const key = await TARGETS[target].key(this, id);
    const result = key === undefined ? undefined : await this.store.readAction(key);
    const state: TaskState = { ...(key === undefined ? {} : { key }), ...(result === undefined ? {} : { result }) };
    if (result !== undefined) this.#complete.set(name, state);
    return state;
  }

  /** The identity of a task for a cache in front of the store: `complete` when its result is in the store and shown in `dist/`. */
  async taskKey(target: TargetName, id: string): Promise<{ readonly key: string; readonly complete: boolean }> {
    const { key, result } = await this.state(target, id);
    if (key === undefined || result === undefined) return { key: key ?? 'unknown', complete: false };
    const { root, config } = this.distribution;
    return { key, complete: await isViewInPlace(root, config.architecture, this.#manifest(target, id, result)) };
  }

  /**
   * Does a task, and before it those it depends on that aren't done; shows its files in `dist/`.
   * @throws BuildError of the stage that fails.
   */
  async run(target: TargetName, id: string, admit: Admission = (work) => work()): Promise<TaskOutcome> {
    const stage = TARGETS[target];
    for (const [beforeTarget, beforeId] of stage.before(this.distribution, id)) {
      if ((await this.state(beforeTarget, beforeId)).result === undefined)
        await this.run(beforeTarget, beforeId, admit);
    }
    const key = await stage.key(this, id);
    if (key === undefined) {
      throw new BuildError('PLAN_STALE', `${target} of ${id} has no identity although everything before it is done`, {
        hint: 'run the same command again',
      });
    }
    await this.#sweep();
    const { root, config } = this.distribution;
    return this.#withIntactBlobs(async () => {
      const { result, outcome } = await this.#act([target, id], { key, admit });
      if (outcome === 'built') await this.#remember(target, id);
      this.#complete.set(`${target}:${id}`, { key, result });
      const manifestFile = await showView(root, config.architecture, this.#manifest(target, id, result), this.store);
      await stage.whenThere?.(this);
      return { manifestFile, outcome };
    });
  }

  /** The result of a task whose key is known, from the store or by doing it. */
  #act([target, id]: readonly [TargetName, string], { key, admit }: { key: Sha256; admit: Admission }) {
    const stage = TARGETS[target];
    const build = () =>
      admit(async () => {
        // Waiting may take hours, in which people edit files.
        const now = await stage.key(this, id);
        if (now !== undefined && now !== key) throw inputChanged(target, id);
        return this.#meter.measure(`${target}:${id}`, () => stage.build(this, id, key));
      });
    return this.store.action(key, { action: target, subject: id, log: stage.log(id) }, () =>
      this.#withIntactBlobs(build, async () => {
        for (const [beforeTarget, beforeId] of stage.before(this.distribution, id)) {
          if ((await this.state(beforeTarget, beforeId)).result === undefined)
            await this.run(beforeTarget, beforeId, admit);
        }
        if ((await stage.key(this, id)) === key) return;
        throw new BuildError('PLAN_STALE', `what ${target} of ${id} needs was done again and became something else`, {
          hint: 'run the same command again',
        });
      }),
    );
  }

  /** Damaged blobs are gone when they are noticed: does `work` again after `mend`, a few times at most. */
  async #withIntactBlobs<T>(work: () => Promise<T>, mend: () => Promise<void> = () => Promise.resolve()): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof BuildError) || error.code !== 'BLOB_UNUSABLE' || attempt === MOST_ATTEMPTS) throw error;
        const { code, message } = error;
        this.host.emit({
          type: 'notice',
          severity: 'warning',
          code,
          message: `${message}; what made it is done again`,
        });
        this.#complete.clear();
        await mend();
      }
    }
  }

  /** What a task used since it was let begin; undefined when it wasn't done in this session. */
  measurement(target: TargetName, id: string): TaskMeasurement | undefined {
    return this.#meter.measurement(`${target}:${id}`);
  }

  /** For the estimates of later runs. That a task was done doesn't depend on it. */
  async #remember(target: TargetName, id: string): Promise<void> {
    const { architecture } = this.distribution.config;
    const { seconds, usage } = this.#meter.measurement(`${target}:${id}`)!;
    const used = usage === undefined ? {} : { cpuSeconds: usage.cpuSeconds, peakMemoryBytes: usage.peakMemoryBytes };
    const run = { seconds, ...used, ended: new Date(this.host.now()).toISOString() };
    await recordDuration(this.store.directory, { architecture, target, id }, run).catch((error: unknown) =>
      this.host.emit({
        type: 'notice',
        severity: 'warning',
        code: 'DURATION_NOT_RECORDED',
        message: `the time of ${target} ${id} could not be remembered: ${(error as Error).message}`,
      }),
    );
  }

  /** Once per session: what killed runs left behind. */
  #sweep(): Promise<void> {
    this.#swept ??= sweepWorkDirectories(this.host, this.store, join(this.distribution.root, VIEW_SCRATCH));
    return this.#swept;
  }

  #manifest(target: TargetName, id: string, result: ActionResult): Manifest {
    const files = Object.entries(result.outputs).flatMap(([name, blob]) => {
      const path = TARGETS[target].showAs(this.distribution, id, name);
      return path === undefined ? [] : [[path, blob] as const];
    });
    return { target, id, key: result.key, files: Object.fromEntries(files) };
  }
}
