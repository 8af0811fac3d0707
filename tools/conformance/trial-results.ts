/** Results of a trial: one line of JSON for each build. */
import { existsSync, readFileSync } from 'node:fs';
import type { FailureCause } from './failure-cause.ts';
import { isModule } from './draw-packages.ts';

export interface TrialResult {
  readonly target: 'rpm' | 'check' | 'reproduce';
  readonly id: string;
  readonly outcome: 'built' | 'failed';
  readonly seconds: number;
  /** Whether the spec has `%check`: then it counts only with it. */
  readonly hasCheck: boolean;
  readonly cause?: FailureCause;
  readonly code?: string;
  readonly message?: string;
  /** Codes of warnings, with how many there were. */
  readonly warnings: Readonly<Record<string, number>>;
}

/** The last result of each target and id, by `target id`. */
export function latestResults(file: string): Map<string, TrialResult> {
  if (!existsSync(file)) return new Map();
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return new Map(lines.map((line) => JSON.parse(line) as TrialResult).map((one) => [`${one.target} ${one.id}`, one]));
}

export interface TrialFigures {
  readonly drawn: number;
  readonly tried: number;
  readonly built: number;
  readonly percent: number;
  readonly modules: { readonly tried: number; readonly built: number };
  readonly withCheck: { readonly tried: number; readonly built: number };
  readonly causes: Readonly<Record<string, readonly string[]>>;
  readonly reproduced: {
    readonly equal: number;
    readonly different: readonly string[];
    readonly failed: readonly string[];
  };
  readonly warnings: Readonly<Record<string, number>>;
}

/** Figures over the drawn packages. */
export function trialFigures(drawn: readonly string[], results: ReadonlyMap<string, TrialResult>): TrialFigures {
  const of = (target: TrialResult['target']) => drawn.flatMap((id) => results.get(`${target} ${id}`) ?? []);
  const tried = drawn.flatMap((id) => trialOutcome(id, results) ?? []);
  const built = tried.filter(isBuilt);
  const again = of('reproduce');
  const share = (test: (one: TrialResult) => boolean) => ({
    tried: tried.filter(test).length,
    built: built.filter(test).length,
  });
  const failed = again.filter((one) => !isBuilt(one));
  return {
    drawn: drawn.length,
    tried: tried.length,
    built: built.length,
    percent: Math.round((1000 * built.length) / Math.max(1, tried.length)) / 10,
    modules: share(({ id }) => isModule(id)),
    withCheck: share(({ hasCheck }) => hasCheck),
    causes: grouped(tried.filter((one) => !isBuilt(one)).map(({ cause = 'other', id }) => [cause, id])),
    reproduced: {
      equal: again.filter(isBuilt).length,
      different: failed.filter(({ code }) => code === 'REPRODUCE_DIFFERS').map(({ id }) => id),
      failed: failed.filter(({ code }) => code !== 'REPRODUCE_DIFFERS').map(({ id }) => id),
    },
    warnings: Object.fromEntries(
      Object.entries(
        grouped(built.flatMap(({ warnings, id }) => Object.keys(warnings).map((code) => [code, id] as const))),
      ).map(([code, ids]) => [code, ids.length]),
    ),
  };
}

/** How a package ended: with its check when it has one; undefined while that is open. */
export function trialOutcome(id: string, results: ReadonlyMap<string, TrialResult>): TrialResult | undefined {
  const rpm = results.get(`rpm ${id}`);
  return rpm?.outcome === 'built' && rpm.hasCheck ? results.get(`check ${id}`) : rpm;
}

function isBuilt({ outcome }: TrialResult): boolean {
  return outcome === 'built';
}

function grouped(pairs: readonly (readonly [string, string])[]): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const [name, id] of pairs) (groups[name] ??= []).push(id);
  return groups;
}
