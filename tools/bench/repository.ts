/**
 * How long a repository takes from nothing, and when all packages but one are in earlier metadata. The programs are those of the machine (rpmbuild,
 * createrepo_c). `npx tsx tools/bench/repository.ts [--packages 200] [--megabytes 2]`
 */
import '../conformance/use-sources.ts';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { createRepository as CreateRepository, RunTool } from '@kiln/rpm-repository';

const { createHost } = await import('@kiln/host');
const { createRepository } = await import('@kiln/rpm-repository');

const { values } = parseArgs({
  options: { packages: { type: 'string', default: '200' }, megabytes: { type: 'string', default: '2' } },
});
const count = Number(values.packages);
const top = mkdtempSync(join(tmpdir(), 'kiln-bench-repository-'));
const host = createHost();
let toolSeconds = 0;
const runTool: RunTool = async ({ argv, mounts, environment }) => {
  const [program, ...words] = argv.map((word) => mounts.find(({ target }) => target === word)?.source ?? word);
  const ran = await host.run({
    argv: [program!, ...words],
    environment: { PATH: process.env['PATH'] ?? '', ...environment },
  });
  toolSeconds = ran.seconds;
  return ran;
};

try {
  const rpms = buildPackages();
  const rest = rpms.slice(1);
  const earlier = await measure('one package less, from nothing', { directory: join(top, 'a'), rpms: rest });
  await measure('all, from nothing', { directory: join(top, 'b'), rpms });
  const packages = Object.fromEntries(
    earlier.packages.map(({ file, fileDigest, size }) => [file, { sha256: fileDigest, size }]),
  );
  await measure('all, all but one in earlier metadata', {
    directory: join(top, 'c'),
    rpms,
    earlier: { directory: earlier.directory, packages },
  });
} finally {
  rmSync(top, { recursive: true });
}

async function measure(what: string, request: Omit<Parameters<typeof CreateRepository>[2], 'reusedNevra'>) {
  const began = performance.now();
  const made = await createRepository(host, runTool, { ...request, reusedNevra: 'refuse' });
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${what}: ${seconds.toFixed(2)} s, of which createrepo_c ${toolSeconds.toFixed(2)} s; ${made.repomdDigest.slice(0, 12)}`,
  );
  return made;
}

/** Subpackages of one spec, each with a file of random bytes. */
function buildPackages(): string[] {
  const names = Array.from({ length: count }, (_, n) => `p${n}`);
  const spec = [
    ...[
      'Name: bench',
      'Version: 1',
      'Release: 1',
      'Summary: Packages',
      'License: MIT',
      '%define _binary_payload w1T0.gzdio',
    ],
    ...['%description', 'Packages.'],
    ...names.flatMap((name) => [`%package ${name}`, 'Summary: A package', `%description ${name}`, 'One.']),
    '%install',
    'mkdir -p %{buildroot}/usr/share/bench',
    ...names.map((name) => `head -c ${Number(values.megabytes)}M /dev/urandom > %{buildroot}/usr/share/bench/${name}`),
    ...names.flatMap((name) => [`%files ${name}`, `/usr/share/bench/${name}`]),
  ];
  writeFileSync(join(top, 'bench.spec'), `${spec.join('\n')}\n`);
  const defines = ['--define', `_topdir ${top}/build`, '--define', '__os_install_post %{nil}'];
  const { status, stderr } = spawnSync('rpmbuild', ['-bb', '--quiet', ...defines, join(top, 'bench.spec')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  const directory = join(top, 'build/RPMS', process.arch === 'arm64' ? 'aarch64' : 'x86_64');
  return readdirSync(directory).map((name) => join(directory, name));
}
