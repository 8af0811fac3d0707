/** What the event logs tell of a toolchain from source: stage A in the log of the workspace, each round in that of its own. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  bootstrapPlan,
  loadDistribution,
  readEventLog,
  ROUNDS,
  roundWorkspace,
  type Distribution,
} from '@kiln/distribution';
import { expectedTime } from '../../libs/cli/src/expected-time.ts';

/** Times in seconds. */
export interface PartTimes {
  /** `stage A` or a round. */
  readonly part: string;
  readonly actions: number;
  /** The sum of what each took, beside whatever ran with it. */
  readonly seconds: number;
  /** In which at least one of them ran. */
  readonly busySeconds: number;
  readonly cpuSeconds: number;
  /** Of actions that need one another. */
  readonly chain: { readonly seconds: number; readonly tasks: readonly string[] };
  readonly most: readonly ActionTime[];
}

interface ActionTime {
  readonly subject: string;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Seconds since the epoch. */
  readonly ended: number;
}

const MOST = 8;

/** @param since ISO time before which nothing counts; of an action that was done more than once the last time counts. */
export async function bootstrapTimes(tree: string, since: string): Promise<PartTimes[]> {
  const root = resolve(tree);
  const distribution = await loadDistribution(root);
  const { steps } = bootstrapPlan(distribution);
  const needs = new Map(steps.map((step) => [step.name, step.needs]));
  const parts = [partTimes('stage A', timesOf(root, 'bootstrap-step', since), (name) => needs.get(name) ?? [])];
  for (const round of ROUNDS) {
    const place = roundWorkspace(root, round);
    if (!existsSync(place)) continue;
    const times = timesOf(place, 'rpm', since);
    parts.push(partTimes(round, times, packagesInRoot(await loadDistribution(place))));
  }
  return parts.filter(({ actions }) => actions > 0);
}

function timesOf(root: string, action: string, since: string): ActionTime[] {
  const built = readEventLog(root).filter((event) => event.action === action && event.outcome === 'built');
  const last = new Map(built.filter(({ time }) => time > since).map((event) => [event.subject, event]));
  return [...last.values()].map(({ subject, seconds, usage, time }) => ({
    subject,
    seconds,
    cpuSeconds: usage?.cpuSeconds ?? 0,
    ended: Date.parse(time) / 1000,
  }));
}

/** Packages whose RPMs lie in the build root of each. */
function packagesInRoot({ packages }: Distribution): (id: string) => readonly string[] {
  const byId = new Map(packages.map((one) => [one.id, one.rootPackages]));
  return (id) => (byId.get(id) ?? []).map(originOf).filter((other) => other !== id);
}

/** Of `name (origin)`. */
function originOf(planned: string): string {
  return /\((.*)\)$/.exec(planned)![1]!;
}

function partTimes(part: string, times: readonly ActionTime[], before: (name: string) => readonly string[]): PartTimes {
  const tasks = times.map(({ subject, seconds }) => ({ name: subject, seconds, before: before(subject) }));
  return {
    part,
    actions: times.length,
    seconds: sum(times.map(({ seconds }) => seconds)),
    busySeconds: busySeconds(times),
    cpuSeconds: sum(times.map(({ cpuSeconds }) => cpuSeconds)),
    chain: expectedTime(tasks, 1).criticalPath,
    most: [...times].sort((a, b) => b.cpuSeconds - a.cpuSeconds).slice(0, MOST),
  };
}

function busySeconds(times: readonly ActionTime[]): number {
  const spans = times.map(({ seconds, ended }) => [ended - seconds, ended] as const).sort(([a], [b]) => a - b);
  let [busy, until] = [0, -Infinity];
  for (const [begun, ended] of spans) {
    busy += Math.max(0, ended - Math.max(begun, until));
    until = Math.max(until, ended);
  }
  return busy;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
