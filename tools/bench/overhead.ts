/** Command: what Kiln adds to rpmbuild; see overhead-bench.ts. As root. */
import '../conformance/use-sources.ts';
import { parseArgs } from 'node:util';
import type { Overhead } from './overhead-bench.ts';

const { measureOverhead, NOTHING } = await import('./overhead-bench.ts');

const HELP = `Usage: npx tsx tools/bench/overhead.ts [--json] [--runs 5] [package…]

Builds each package by Kiln (everything from its identity to its files in dist/), and by the same two rpmbuild commands in the same root with nothing around
them but a chroot. Medians. Without packages: '${NOTHING}', which does nothing in a tree of its own, and sed. Needs root.
Ends with status 1 when '${NOTHING}' has more than 1.5 s or another package more than 3 % on top.
`;

const AIMS = { nothingSeconds: 1.5, packagePercent: 3 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    runs: { type: 'string', default: '5' },
  },
});

if (values.help) console.log(HELP);
else await main(positionals.length === 0 ? [NOTHING, 'sed'] : positionals);

async function main(names: readonly string[]): Promise<void> {
  const results: Overhead[] = [];
  for (const name of names) {
    const one = await measureOverhead(name, Number(values.runs));
    results.push(one);
    if (!values.json) console.log(describe(one));
    const isMet =
      name === NOTHING ? one.overheadSeconds <= AIMS.nothingSeconds : one.overheadPercent <= AIMS.packagePercent;
    if (!isMet) process.exitCode = 1;
  }
  if (values.json) console.log(JSON.stringify({ results, aims: AIMS }, undefined, 2));
}

function describe({ package: name, kiln, bare, overheadSeconds, overheadPercent }: Overhead): string {
  const overhead = `${overheadSeconds.toFixed(2)} s (${overheadPercent.toFixed(1)} %)`;
  return `${name}: kiln ${kiln.toFixed(2)} s, bare rpmbuild ${bare.toFixed(2)} s, overhead ${overhead}`;
}
