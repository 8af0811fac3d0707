/** Command: how long it takes until a build root is ready, for Kiln and for others; see build-root-bench.ts. As root. */
import '../conformance/use-sources.ts';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import type { RootMeasure } from './build-root-bench.ts';

const { benchBuildRoots } = await import('./build-root-bench.ts');
const { median } = await import('./bench-store.ts');

const HELP = `Usage: npx tsx tools/bench/build-root.ts [--json] [--packages 20] [--debian 20] [--runs 3] [--directory <path>]

Seconds from asking for the root of a package until a program has run in it: by Kiln (a root seen before; never seen, with its layers cached; with
nothing but the toolchain), by unpacking a tarball and installing RPMs, by sbuild's way and by mmdebstrap. Packages are those of this tree whose
dependencies are in the store (\`./nx run-many -t rpm\` builds them), of as many different sizes as there are. Needs root and mmdebstrap.
Ends with status 1 when Kiln misses a floor.

  --json              everything measured, as JSON
  --packages <count>  how many (20)
  --debian <count>    how many of them in Debian's ways, which take longest (all)
  --runs <count>      runs of each of Kiln's cases, of which the median counts (3)
  --directory <path>  an existing directory for about 4 GB, removed at the end (the one for temporary files)
`;

/** Times faster than unpacking and installing; seconds of a root never seen. */
const AIMS = { seen: { floor: 30, target: 60 }, cached: { floor: 2, target: 1 } };

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    packages: { type: 'string', default: '20' },
    debian: { type: 'string' },
    runs: { type: 'string', default: '3' },
    directory: { type: 'string', default: tmpdir() },
  },
});

if (values.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const tell = (line: string) => void (values.json ? process.stderr.write(`${line}\n`) : console.log(line));
  const bench = await benchBuildRoots({
    packages: Number(values.packages),
    debian: Math.max(1, Number(values.debian ?? values.packages)),
    runs: Number(values.runs),
    directory: values.directory,
    say: tell,
    measured: (one) => tell(lineOf(one)),
  });
  const { measures } = bench;
  const timesFaster = median(measures.map((one) => installed(one) / one.kiln.seen));
  const withRpmAlone = median(
    measures.map((one) => (installed(one) - one.installed.install + one.installed.rpmInstall) / one.kiln.seen),
  );
  const withDebian = measures.flatMap(({ debian, kiln }) => (debian === undefined ? [] : [[debian, kiln] as const]));
  const fasterThanSbuild = median(withDebian.map(([debian, kiln]) => debian.sbuild / kiln.seen));
  const fasterThanMmdebstrap = median(withDebian.map(([debian, kiln]) => debian.mmdebstrap / kiln.seen));
  const neverSeen = Math.max(...measures.map(({ kiln }) => kiln.cached));
  const summary = { timesFaster, withRpmAlone, fasterThanSbuild, fasterThanMmdebstrap, neverSeen };
  if (values.json) console.log(JSON.stringify({ ...bench, summary, aims: AIMS }, undefined, 2));
  else {
    const { seen, cached } = AIMS;
    console.log(
      `seen before: ${timesFaster.toFixed(0)} times faster than unpacking and installing (floor ${seen.floor}, target ${seen.target}; with rpm alone ${withRpmAlone.toFixed(0)}), ${fasterThanSbuild.toFixed(0)} times than sbuild's way, ${fasterThanMmdebstrap.toFixed(0)} times than mmdebstrap; medians`,
    );
    console.log(
      `never seen, layers cached: ${neverSeen.toFixed(2)} s at most (floor ${cached.floor}, target ${cached.target})`,
    );
    console.log(
      `once in a run: ${bench.toolchainSeconds.toFixed(2)} s to look at the toolchain; load ${bench.load.join(' to ')}`,
    );
  }
  if (timesFaster < AIMS.seen.floor || neverSeen > AIMS.cached.floor) process.exitCode = 1;
}

function installed({ installed: { unpack, createrepo, install } }: RootMeasure): number {
  return unpack + createrepo + install;
}

function lineOf(one: RootMeasure): string {
  const { id, rpms, kiln, installed: way, debian } = one;
  const seconds = (value: number) => value.toFixed(2);
  return [
    `${id}, ${rpms} RPMs: seen ${seconds(kiln.seen)} s, never seen ${seconds(kiln.cached)} s, cold ${seconds(kiln.cold)} s`,
    `unpack ${seconds(way.unpack)} + createrepo ${seconds(way.createrepo)} + dnf ${seconds(way.install)} (rpm ${seconds(way.rpmInstall)}) s`,
    ...(debian === undefined
      ? []
      : [
          `Debian's ${debian.source} (${debian.buildDependencies} for ${one.buildRequires} build-dependencies, ${debian.installs} packages): sbuild ${seconds(debian.sbuild)} s, mmdebstrap ${seconds(debian.mmdebstrap)} s`,
        ]),
  ].join('; ');
}
