/** One step of a bootstrap: done once in a sandbox, kept in the store as a layer under its identity. */
import { chmod, mkdir, open, readdir, rename } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, giveToBuildUser, type Host } from '@kiln/host';
import { makeWorkDirectory, removeWorkDirectory, runSandboxed, type SandboxMount } from '@kiln/sandbox';
import { fetchSources } from '@kiln/sources';
import type { Store } from '@kiln/store';
import type { BootstrapPlan, PlannedStep } from './bootstrap-plan.ts';
import {
  BUILD_PLACE,
  CROSS_PLACE,
  OUTPUT_PLACE,
  SOURCES_PLACE,
  STEP_PRELUDE,
  TARGET_PLACE,
} from './bootstrap-recipe.ts';
import { LAYER_TIME } from './layer-recipe.ts';
import { toolchainLayer } from './toolchain-layer.ts';

export interface StepRun {
  /** Absolute path of the directory of logs; the step's own is begun anew. */
  readonly logs: string;
  /** Of make; the number of cores when omitted. Results must not depend on it. */
  readonly jobs?: number;
}

/** The directory with a step's files: `cross` and `target`, as far as it has them. */
export function stepFiles(store: Store, { identity }: Pick<PlannedStep, 'identity'>): string {
  return join(store.directory, 'layers', stepLayerKey({ identity }), 'files');
}

export function stepLayerKey({ identity }: Pick<PlannedStep, 'identity'>): string {
  return `bootstrap-${identity}`;
}

/**
 * Does a step unless the store has it, and before it those that it sees. Fetches its sources. Returns whether it was done now.
 * @throws BuildError `BOOTSTRAP_STEP_FAILED` with the end of the log, `SOURCE_*`, those of the seed and of the sandbox.
 */
export async function doStep(
  host: Host,
  store: Store,
  { plan, step, run }: { readonly plan: BootstrapPlan; readonly step: PlannedStep; readonly run: StepRun },
): Promise<boolean> {
  let isDone = false;
  const byName = new Map(plan.steps.map((one) => [one.name, one]));
  await store.layer(
    stepLayerKey(step),
    async (directory) => {
      isDone = true;
      for (const name of step.sees.toReversed()) await doStep(host, store, { plan, step: byName.get(name)!, run });
      await makeFiles(host, store, { plan, step, run, directory });
    },
    { checked: true },
  );
  return isDone;
}

interface StepPlace {
  readonly plan: BootstrapPlan;
  readonly step: PlannedStep;
  readonly run: StepRun;
  /** Where the layer is made. */
  readonly directory: string;
}

async function makeFiles(host: Host, store: Store, { plan, step, run, directory }: StepPlace): Promise<void> {
  const { pathOf } = await fetchSources(host, store, {
    requests: step.sources.map(({ fileName, sha256 }) => ({ fileName, sha256 })),
    places: [{ kind: 'debian-archive', lock: join(plan.root, plan.table.sourceLock) }],
    task: { action: 'bootstrap-step', subject: step.name },
  });
  const user = await buildUser(host);
  const log = join(run.logs, `${step.name}.log`);
  await mkdir(run.logs, { recursive: true });
  // A second try must not hide why the first one failed.
  await rename(log, join(run.logs, `${step.name}.before.log`)).catch(() => undefined);
  const work = await makeWorkDirectory(host, store, `bootstrap-${step.name}`);
  try {
    const [build, output] = [join(work, 'build'), join(work, 'files')];
    // In the new root there is one tree; on the seed a step leaves two.
    const target = step.root === 'seed' ? output : join(output, TARGET_PLACE);
    for (const path of [build, output, ...(target === output ? [] : [target])]) {
      await mkdir(path, { recursive: true, mode: 0o755 });
      await giveToBuildUser(user, path);
    }
    const mounts: SandboxMount[] = [
      { source: build, target: BUILD_PLACE, writable: true },
      { source: target, target: OUTPUT_PLACE, writable: true },
      ...step.sources.map(({ name, sha256 }) => ({
        source: pathOf(sha256),
        target: `${SOURCES_PLACE}/${name}`,
        writable: false,
      })),
    ];
    const layers = await stepLayers(host, store, { plan, step });
    host.emit({ type: 'progress', action: 'bootstrap-step', subject: step.name, message: 'building' });
    const { status } = await runSandboxed(host, {
      layers,
      mounts,
      identity: 'builder',
      argv: ['bash', '-c', `${STEP_PRELUDE}${step.text}`, step.name, ...step.options],
      environment: stepEnvironment(plan, step, run.jobs ?? availableParallelism()),
      cwd: BUILD_PLACE,
      log,
    });
    if (status !== 0) throw await stepFailure({ step, log, status });
    await rename(output, join(directory, 'files'));
    await chmod(directory, 0o755);
  } finally {
    await removeWorkDirectory(host, work);
  }
}

/** What lies over what in a step's root, topmost first. */
async function stepLayers(
  host: Host,
  store: Store,
  { plan, step }: Pick<StepPlace, 'plan' | 'step'>,
): Promise<string[]> {
  const byName = new Map(plan.steps.map((one) => [one.name, one]));
  const seen = step.sees.map((name) => stepFiles(store, byName.get(name)!));
  for (const name of step.sees) await store.useLayer(stepLayerKey(byName.get(name)!));
  if (step.root === 'seed') {
    const seed = await toolchainLayer(host, store, plan.seed.lock.packages, plan.seed.recipe);
    return [...seen, seed.root];
  }
  const layers: string[] = [];
  for (const files of seen)
    if ((await readdir(files)).includes(TARGET_PLACE.slice(1))) layers.push(join(files, TARGET_PLACE));
  return layers;
}

/** Flags are the same for all: no debug information, which would name directories. */
function stepEnvironment({ table }: BootstrapPlan, step: PlannedStep, jobs: number): Record<string, string> {
  const onSeed = step.root === 'seed';
  return {
    HOME: '/tmp',
    LC_ALL: 'C',
    TZ: 'UTC',
    SOURCE_DATE_EPOCH: String(LAYER_TIME),
    PATH: onSeed ? `${CROSS_PLACE}/bin:/usr/bin:/usr/sbin` : '/usr/bin:/usr/sbin',
    CFLAGS: '-O2',
    CXXFLAGS: '-O2',
    CONFIG_SITE: '/dev/null',
    CONFIG_SHELL: '/usr/bin/bash',
    MAKEFLAGS: `-j${jobs}`,
    FIRST: step.sources[0]?.name ?? '',
    BUILD: onSeed ? 'x86_64-pc-linux-gnu' : table.target,
    TARGET: table.target,
    CROSS: CROSS_PLACE,
    SYSROOT: onSeed ? TARGET_PLACE : '',
    OUT: OUTPUT_PLACE,
    // What libraries say of themselves is found in the new root alone.
    ...(onSeed ? { PKG_CONFIG_LIBDIR: `${TARGET_PLACE}/usr/lib/pkgconfig`, PKG_CONFIG_SYSROOT_DIR: TARGET_PLACE } : {}),
  };
}

/** What compilers, linkers, make and shells say of what ends a build. */
const COMPLAINT = /\berror: |undefined reference|\*\*\* |: (command )?not found\b|: No such file/i;
const SHOWN_LINES = 15;
const SHOWN_BEFORE = 5;
const READ_BYTES = 64 * 1024;

async function stepFailure(failed: {
  readonly step: PlannedStep;
  readonly log: string;
  readonly status: number;
}): Promise<BuildError> {
  const { step, log, status } = failed;
  const file = await open(log);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.alloc(READ_BYTES),
      position: Math.max(0, size - READ_BYTES),
    });
    const lines = buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n');
    // Of nested makes the innermost complains first.
    const first = lines.findIndex((line) => COMPLAINT.test(line));
    const begin = first < 0 ? Math.max(0, lines.length - SHOWN_LINES) : Math.max(0, first - SHOWN_BEFORE);
    const shown = lines.slice(begin, begin + SHOWN_LINES);
    const message = `the step '${step.name}' ended with status ${status}: ${(lines[first] ?? lines.at(-1) ?? '').trim()}`;
    return new BuildError('BOOTSTRAP_STEP_FAILED', message, {
      diagnostics: shown.map((line) => ({ severity: 'error', code: 'BOOTSTRAP_STEP_FAILED', message: line })),
      hint: 'the steps before it stay done; correct the step and run the same command again',
      log,
    });
  } finally {
    await file.close();
  }
}
