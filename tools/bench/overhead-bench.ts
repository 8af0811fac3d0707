/** Measures builds by Kiln against bare rpmbuild: the same commands in the same root, with a chroot instead of the sandbox and nothing before or after. */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadDistribution, Session, type PackageProject } from '@kiln/distribution';
import { buildUser, createHost, shellQuote } from '@kiln/host';
import { buildInput, preparedBuild } from '../../libs/distribution/src/build-input.ts';
import { inBuildRoot, placeRequest, type BuildPlace } from '../../libs/package-build/src/build-place.ts';
import { buildCommands, TOP_DIRECTORY } from '../../libs/package-build/src/build-request.ts';
import { benchSession, makeBenchStore, median } from './bench-store.ts';
import { timedPhases } from './timed-phases.ts';

/** Name of the package that does nothing. */
export const NOTHING = 'nothing';

/** Medians in seconds. */
export interface Overhead {
  readonly package: string;
  readonly kiln: number;
  readonly bare: number;
  readonly overheadSeconds: number;
  readonly overheadPercent: number;
}

const REPOSITORY = join(import.meta.dirname, '..', '..');

/** Builds the package so many times in both ways, in turn, in a store of its own. */
export async function measureOverhead(name: string, runs: number): Promise<Overhead> {
  const place = mkdtempSync(join(tmpdir(), 'kiln-overhead-'));
  chmodSync(place, 0o755);
  try {
    const tree = name === NOTHING ? nothingTree(join(place, 'tree')) : REPOSITORY;
    const shared = new Session(await loadDistribution(tree), createHost());
    const project = shared.distribution.findPackage(name);
    const store = join(place, 'store');
    await makeBenchStore(shared, [project], store);
    const [kiln, bare]: [number[], number[]] = [[], []];
    for (let run = 0; run < runs; run += 1) {
      // First, so that sources and layers are there for Kiln too.
      bare.push(await bareSeconds(benchSession(shared, store), project));
      kiln.push(await kilnSeconds(benchSession(shared, store), project));
    }
    const [a, b] = [median(kiln), median(bare)];
    return { package: name, kiln: a, bare: b, overheadSeconds: a - b, overheadPercent: ((a - b) / b) * 100 };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** From the package's identity to its files in `dist/`; then the store forgets them. */
async function kilnSeconds(session: Session, { id }: PackageProject): Promise<number> {
  await session.toolchain();
  const begun = performance.now();
  await session.run('rpm', id);
  const seconds = (performance.now() - begun) / 1000;
  const { key, result } = await session.state('rpm', id);
  rmSync(join(session.store.directory, 'ac', key!.slice(0, 2), `${key}.json`));
  for (const { sha256 } of Object.values(result!.outputs)) rmSync(session.store.blobPath(sha256), { force: true });
  return seconds;
}

/** Both rpmbuild commands, in a root that Kiln laid out. */
async function bareSeconds(session: Session, project: PackageProject): Promise<number> {
  const input = await buildInput(session, project);
  const build = await preparedBuild(session, input!, { target: 'rpm', log: `dist/logs/bench/${project.id}.log` });
  const { uid, gid } = await buildUser(session.host);
  return inBuildRoot(session.host, session.store, build, (place) => {
    const phases = timedPhases({ rpmbuild: rpmbuildScript(place, `${uid}:${gid}`) }, rootScript(place));
    return Promise.resolve(phases.rpmbuild);
  });
}

const ROOT = '/mnt/root';

function rootScript(place: BuildPlace): string {
  const { layers } = placeRequest(place);
  // Mount points that the layers lack come from the lowest one; what is written elsewhere goes to memory.
  return `
    mount -t tmpfs bare /mnt && mkdir -p /mnt/up /mnt/work ${ROOT} /mnt/points/{proc,dev,tmp,var/tmp}
    mkdir -p /mnt/points${TOP_DIRECTORY}
    mount -t overlay -o lowerdir=${[...layers, '/mnt/points'].join(':')},upperdir=/mnt/up,workdir=/mnt/work bare ${ROOT}
    mount -t proc proc ${ROOT}/proc; mount --bind /dev ${ROOT}/dev
    for each in tmp var/tmp; do mount -t tmpfs -o mode=1777 bare ${ROOT}/$each; done
    mount --bind ${join(place.work, 'top')} ${ROOT}${TOP_DIRECTORY}`;
}

function rpmbuildScript(place: BuildPlace, owner: string): string {
  const { environment } = placeRequest(place);
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const enter = ['chroot', `--userspec=${owner}`, '--groups=', ROOT, '/usr/bin/env', '-i', ...variables];
  return buildCommands(place.build.request)
    .map((argv) => shellQuote([...enter, ...argv]))
    .join('\n');
}

/** A workspace with one package that does nothing. */
function nothingTree(tree: string): string {
  for (const path of ['toolkit/toolchain', 'toolkit/macros', 'toolkit/sources']) {
    cpSync(join(REPOSITORY, path), join(tree, path), { recursive: true });
  }
  const config = JSON.parse(readFileSync(join(REPOSITORY, 'toolkit/distro.json'), 'utf8')) as object;
  writeFileSync(join(tree, 'toolkit/distro.json'), JSON.stringify({ ...config, specRoots: ['SPECS'] }));
  mkdirSync(join(tree, 'imageconfigs'));
  mkdirSync(join(tree, 'SPECS', NOTHING), { recursive: true });
  writeFileSync(
    join(tree, 'SPECS', NOTHING, `${NOTHING}.spec`),
    `Name:           ${NOTHING}
Version:        1.0
Release:        1%{?dist}
Summary:        Nothing
License:        MIT
BuildArch:      noarch

%description
Nothing.

%install
install -d %{buildroot}/usr/share/licenses/nothing
echo MIT > %{buildroot}/usr/share/licenses/nothing/LICENSE

%files
%license /usr/share/licenses/nothing/LICENSE

%changelog
* Mon Jun 01 2026 Kiln Maintainers <maintainers@kiln.example> - 1.0-1
- First version
`,
  );
  return tree;
}
