/** Builds packages one after another, some at a time, and writes down how each ended. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { loadDistribution, Session, SETTINGS_FILE, type PackageProject } from '@kiln/distribution';
import { createHost, inParallel } from '@kiln/host';
import { failureCause } from './failure-cause.ts';
import type { TrialResult } from './trial-results.ts';

export interface Trial {
  readonly root: string;
  /** Results are appended to it. */
  readonly file: string;
  readonly target: 'rpm' | 'reproduce';
  readonly ids: readonly string[];
  readonly workers: number;
  /** Time limit of one build. */
  readonly seconds: number;
  /** Milliseconds since the epoch: nothing begins later. */
  readonly until: number;
}

/** Emits a line for each package on standard error. */
export async function runTrial({ root, file, target, ids, workers, seconds, until }: Trial): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  const settings = Object.fromEntries(ids.map((id) => [id, { limits: { seconds } }]));
  writeFileSync(join(root, SETTINGS_FILE), `${JSON.stringify(settings, undefined, 2)}\n`);
  const distribution = await loadDistribution(root);
  const warnings = new Map<string, Record<string, number>>();
  const host = createHost({
    emit: (event) => {
      if (event.type !== 'notice' || event.severity !== 'warning') return;
      const counts = warnings.get(event.message.split(':')[0]!);
      if (counts !== undefined) counts[event.code] = (counts[event.code] ?? 0) + 1;
    },
  });
  const session = new Session(distribution, host);
  let done = 0;
  await inParallel(ids, workers, async (id) => {
    if (Date.now() > until) return;
    const project = distribution.findPackage(id);
    warnings.set(id, {});
    done += 1;
    const number = done;
    for (const one of target === 'rpm' ? (['rpm', 'check'] as const) : [target]) {
      if (one === 'check' && project.sourcePackage?.hasCheck !== true) continue;
      const started = Date.now();
      const failure = await session.run(one, id).then(
        () => undefined,
        (error: unknown) => error,
      );
      const seconds = (Date.now() - started) / 1000;
      const result = resultOf(project, { target: one, failure, seconds, warnings: warnings.get(id)! });
      appendFileSync(file, `${JSON.stringify(result)}\n`);
      console.error(`${number}/${ids.length} ${line(result)}`);
      if (result.outcome === 'failed') break;
    }
  });
}

function line({ target, id, outcome, seconds, cause, message = '' }: TrialResult): string {
  const why = cause === undefined ? '' : `: ${cause}: ${message.split('\n')[0]!.slice(0, 160)}`;
  return `${target} ${id} ${outcome} (${Math.round(seconds)} s)${why}`;
}

interface Ended {
  readonly target: TrialResult['target'];
  readonly failure: unknown;
  readonly seconds: number;
  readonly warnings: Readonly<Record<string, number>>;
}

/** @throws Error what isn't an error of a build. */
function resultOf({ id, sourcePackage }: PackageProject, { target, failure, seconds, warnings }: Ended): TrialResult {
  const hasCheck = sourcePackage?.hasCheck === true;
  const common = { target, id, seconds: Math.round(seconds * 10) / 10, hasCheck, warnings };
  if (failure === undefined) return { ...common, outcome: 'built' };
  if (!(failure instanceof BuildError)) throw failure instanceof Error ? failure : new Error(String(failure));
  const { code, message, diagnostics } = failure;
  const said = [message, ...diagnostics.map((one) => one.message)].join('\n');
  const cause =
    target === 'check' && code === 'RPMBUILD_FAILED' && /%check/.test(message)
      ? '%check failure'
      : failureCause(failure);
  return { ...common, outcome: 'failed', cause, code, message: said.slice(0, 2000) };
}
