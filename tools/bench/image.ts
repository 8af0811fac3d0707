/** Command: how long an image takes, made by Kiln and by others from the same RPMs; see image-bench.ts. As root. */
import '../conformance/use-sources.ts';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ImageMeasure, OwnTimes } from './image-bench.ts';

const { benchImages } = await import('./image-bench.ts');

const HELP = `Usage: npx tsx tools/bench/image.ts [--json] [--runs 3] [--tree <path>] [--without-kiwi] [--directory <path>]

Seconds for the packages of qemu-guest as a raw disk of 2 GiB (GPT, ESP, ext4) and as an OCI image: by Kiln, the first time and as a second image of the same
packages; by mkosi, too, whose second image comes from its cache of installed packages; the container by kiwi. What is downloaded lies on the disk before. Medians; CPU seconds
are the lowest. Needs root, mmdebstrap and the packages
in the store (\`./nx image qemu-guest\`). Ends with status 1 when Kiln isn't twice as fast as the others or a second image takes more than 2 s.

  --json              everything measured, as JSON
  --runs <count>      of each (3)
  --tree <path>       workspace in which the packages are built (this one)
  --without-kiwi      leaves out kiwi, which takes longest
  --directory <path>  an existing directory for about 4 GB, removed at the end (the one for temporary files)
`;

const AIMS = { timesFaster: 2, secondSeconds: 2 };

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    runs: { type: 'string', default: '3' },
    tree: { type: 'string', default: join(import.meta.dirname, '../..') },
    'without-kiwi': { type: 'boolean', default: false },
    directory: { type: 'string', default: tmpdir() },
  },
});

if (values.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const say = (line: string) => void (values.json ? process.stderr.write(`${line}\n`) : console.log(line));
  const { tree, directory, runs } = values;
  const bench = await benchImages({ tree, directory, runs: Number(runs), withKiwi: !values['without-kiwi'], say });
  if (values.json) console.log(JSON.stringify({ ...bench, aims: AIMS }, undefined, 2));
  else {
    bench.measures.forEach((one) => say(lineOf(one)));
    say(`the disk as qcow2, right after it was made as raw: ${own(bench.otherFormat)}`);
    say(`${bench.packages} packages; ${bench.versions.join('; ')}; load ${bench.load.join(' to ')}`);
  }
  const isSoon = ({ seconds }: OwnTimes) => seconds <= AIMS.secondSeconds;
  const isMet = bench.measures.every(
    ({ kiln, kilnSecond, mkosi, kiwi = Infinity }) =>
      Math.min(mkosi, kiwi) / kiln.seconds >= AIMS.timesFaster && isSoon(kilnSecond),
  );
  if (!isMet || !isSoon(bench.otherFormat)) process.exitCode = 1;
}

function lineOf({ image, kiln, kilnSecond, mkosi, mkosiSecond, kiwi }: ImageMeasure): string {
  const other = (name: string, seconds: number, ours: OwnTimes) =>
    `${name} ${seconds.toFixed(2)} s, ${(seconds / ours.seconds).toFixed(1)} times`;
  const first = [other('mkosi', mkosi, kiln), ...(kiwi === undefined ? [] : [other('kiwi', kiwi, kiln)])];
  return [
    `${image}: kiln ${own(kiln)}; ${first.join('; ')}`,
    `a second ${image} of the same packages: kiln ${own(kilnSecond)}; ${other('mkosi', mkosiSecond, kilnSecond)}`,
  ].join('\n');
}

function own({ seconds, cpuSeconds }: OwnTimes): string {
  return `${seconds.toFixed(2)} s (CPU ${cpuSeconds.toFixed(2)} s)`;
}
