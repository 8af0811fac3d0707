/**
 * Command: how long the toolchain from source took, by the event logs of the workspace and of its rounds, and what running side by side gained.
 * `npx tsx tools/bench/bootstrap.ts [--tree <workspace>] [--since <ISO time>] [--json]`
 */
import '../conformance/use-sources.ts';
import { parseArgs } from 'node:util';
import type { PartTimes } from './bootstrap-times.ts';

const { bootstrapTimes } = await import('./bootstrap-times.ts');

const { values } = parseArgs({
  options: {
    tree: { type: 'string', default: '.' },
    since: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
const parts = await bootstrapTimes(values.tree, values.since);
if (values.json) console.log(JSON.stringify(parts, undefined, 2));
else parts.forEach((part) => console.log(format(part)));

function format({ part, actions, seconds, busySeconds, cpuSeconds, chain, most }: PartTimes): string {
  const minutes = (count: number) => (count / 60).toFixed(1);
  return [
    `${part}: ${actions} actions, ${minutes(seconds)} min one after the other, ${minutes(busySeconds)} min side by side: ` +
      `${(seconds / busySeconds).toFixed(2)} times; CPU ${minutes(cpuSeconds)} min, ${(cpuSeconds / busySeconds).toFixed(2)} cores`,
    `  longest chain ${minutes(chain.seconds)} min: ${chain.tasks.join(' > ')}`,
    `  most of the CPU: ${most.map((one) => `${one.subject} ${one.seconds.toFixed(0)} s, CPU ${one.cpuSeconds.toFixed(0)} s`).join('; ')}`,
  ].join('\n');
}
