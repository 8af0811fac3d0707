/** What a bootstrap has made that other stores can take: the steps of stage A, and the RPMs of the rounds as far as these were run. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import { Store, type ActionResult } from '@kiln/store';
import { stepLayerKey } from '@kiln/toolchain';
import { memberPackages, ROUNDS, roundWorkspace, type BootstrapRound } from './bootstrap-rounds.ts';
import { bootstrapPlan } from './bootstrap-target.ts';
import { DISTRO_FILE } from './distro-config.ts';
import { loadDistribution, type Distribution } from './distribution.ts';
import type { OwnResult } from './export-results.ts';
import { configuredResults } from './open-store.ts';
import { Session, type TaskState } from './session.ts';
import type { TakenResults } from './taken-results.ts';
import { TARGETS, type TargetName } from './targets.ts';

/** Tasks of a round whose results depend on nothing but their key. */
const CARRIED_TARGETS: readonly TargetName[] = ['rpm', 'rpm-bootstrap', 'buildrequires'];

/** In the order in which they are made. @throws BuildError as `bootstrapPlan`, and those of a round's tree. */
export async function bootstrapResults(host: Host, store: Store, distribution: Distribution): Promise<OwnResult[]> {
  const steps = bootstrapPlan(distribution).steps.map((step): OwnResult => {
    const { name: subject, identity } = step;
    const made = { key: identity, outputs: {}, facts: { identity } };
    return { action: 'bootstrap-step', subject, ...made, layerKey: stepLayerKey(step) };
  });
  const byKey = new Map(steps.map((one) => [one.key, one]));
  for (const round of ROUNDS) {
    const own = await begunRound(distribution, round);
    if (own === undefined) continue;
    const session = new Session(own, host, store);
    for (const [action, subject] of roundTasks(distribution, own)) {
      const { result } = await stateOf(session, [action, subject]);
      if (result !== undefined) byKey.set(result.key, { action, subject, ...result });
    }
  }
  return [...byKey.values()];
}

/** Where the builds of a round come from; `built` are those that neither this store nor others have. */
export interface RoundOrigins {
  readonly round: BootstrapRound;
  readonly done: number;
  readonly taken: number;
  readonly built: number;
}

/** Of the rounds that were begun: the tree of a later one isn't known. @throws BuildError as `bootstrapResults` and of the results' list */
export async function roundOrigins(host: Host, store: Store, distribution: Distribution): Promise<RoundOrigins[]> {
  const results = configuredResults(host, distribution);
  const foreseeing = results === undefined ? store : new ForeseeingStore(host, store.directory, results);
  const origins: RoundOrigins[] = [];
  for (const round of ROUNDS) {
    const own = await begunRound(distribution, round);
    if (own === undefined) break;
    const session = new Session(own, host, foreseeing);
    const counts = { done: 0, taken: 0, built: 0 };
    for (const task of roundTasks(distribution, own)) {
      const { result } = await stateOf(session, task);
      if (result === undefined) counts.built += 1;
      else if ((await store.readAction(result.key)) === undefined) counts.taken += 1;
      else counts.done += 1;
    }
    origins.push({ round, ...counts });
  }
  return origins;
}

/** Answers with results of others as if they were there: identities need what is known of them, and no file. */
class ForeseeingStore extends Store {
  readonly #results: TakenResults;

  constructor(host: Host, directory: string, results: TakenResults) {
    super(host, directory);
    this.#results = results;
  }

  override async readAction(key: Sha256): Promise<ActionResult | undefined> {
    return (await super.readAction(key)) ?? (await this.#results.foresee(this, key));
  }
}

/** The tree of a round as it was last run; undefined when it never was. */
async function begunRound({ root }: Distribution, round: BootstrapRound): Promise<Distribution | undefined> {
  const place = roundWorkspace(root, round);
  return existsSync(join(place, DISTRO_FILE)) ? loadDistribution(place) : undefined;
}

type Task = readonly [target: TargetName, id: string];

/** What a round makes that others can take: its members, and what they need before. */
function roundTasks(distribution: Distribution, own: Distribution): Task[] {
  const tasks = new Map<string, Task>();
  const visit = (task: Task): void => {
    const [target, id] = task;
    const name = `${target}:${id}`;
    if (tasks.has(name)) return;
    for (const before of TARGETS[target].before(own, id)) visit(before);
    tasks.set(name, task);
  };
  for (const id of memberPackages(own, bootstrapPlan(distribution))) visit(['rpm', id]);
  return [...tasks.values()].filter(([target]) => CARRIED_TARGETS.includes(target));
}

/** A package whose identity can't be told has no result either. */
async function stateOf(session: Session, [target, id]: Task): Promise<TaskState> {
  try {
    return await session.state(target, id);
  } catch (error) {
    if (error instanceof BuildError) return {};
    throw error;
  }
}
