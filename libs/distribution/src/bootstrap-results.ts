/** What a bootstrap has made that other stores can take: the steps of stage A, and the RPMs of the rounds as far as these were run. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import type { Store } from '@kiln/store';
import { stepLayerKey } from '@kiln/toolchain';
import { memberPackages, ROUNDS, roundWorkspace } from './bootstrap-rounds.ts';
import { bootstrapPlan } from './bootstrap-target.ts';
import { DISTRO_FILE } from './distro-config.ts';
import { loadDistribution, type Distribution } from './distribution.ts';
import type { OwnResult } from './export-results.ts';
import { Session } from './session.ts';
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
    const place = roundWorkspace(distribution.root, round);
    if (!existsSync(join(place, DISTRO_FILE))) continue;
    const own = await loadDistribution(place);
    const wanted = memberPackages(own, bootstrapPlan(distribution)).map((id) => ['rpm', id] as const);
    for (const one of await taskResults(new Session(own, host, store), wanted)) byKey.set(one.key, one);
  }
  return [...byKey.values()];
}

type Task = readonly [target: TargetName, id: string];

/** Results of tasks and of all before them, as far as they are there. */
async function taskResults(session: Session, wanted: readonly Task[]): Promise<OwnResult[]> {
  const results: OwnResult[] = [];
  const seen = new Set<string>();
  const visit = async ([action, subject]: Task): Promise<void> => {
    const name = `${action}:${subject}`;
    if (seen.has(name)) return;
    seen.add(name);
    for (const before of TARGETS[action].before(session.distribution, subject)) await visit(before);
    if (!CARRIED_TARGETS.includes(action)) return;
    const { result } = await session.state(action, subject).catch(notDone);
    if (result !== undefined) results.push({ action, subject, ...result });
  };
  for (const task of wanted) await visit(task);
  return results;
}

/** A package whose identity can't be told has no result either. */
function notDone(error: unknown): { result?: undefined } {
  if (error instanceof BuildError) return {};
  throw error;
}
