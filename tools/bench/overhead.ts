/**
 * What Kiln adds to rpmbuild: a package is built by Kiln, and by bare rpmbuild in the same root with nothing around but a chroot.
 * `node --conditions=development --import tsx tools/bench/overhead.ts [--json] [--runs <count>] [package…]`; as root. Without names a
 * package that does nothing is measured, in a tree of its own.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadDistribution, Session } from '@kiln/distribution';
import { buildUser, createHost } from '@kiln/host';
import { Store } from '@kiln/store';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, runs: { type: 'string', default: '5' } },
});
const runs = Number(values.runs);

interface Measured {
  readonly package: string;
  /** Medians in seconds. */
  readonly kiln: number;
  readonly bare: number;
  readonly overheadSeconds: number;
  readonly overheadPercent: number;
}

const place = mkdtempSync(join(tmpdir(), 'kiln-overhead-'));
execFileSync('chmod', ['0755', place]);
const results: Measured[] = [];
try {
  if (positionals.length === 0) results.push(await measure(nothingTree(), 'nothing'));
  for (const name of positionals) results.push(await measure(REPOSITORY, name));
} finally {
  rmSync(place, { recursive: true, force: true });
}
if (values.json) console.log(JSON.stringify(results, undefined, 2));
else for (const one of results) console.log(describe(one));

async function measure(tree: string, name: string): Promise<Measured> {
  const [kiln, bare]: [number[], number[]] = [[], []];
  const shared = new Session(await loadDistribution(tree), createHost());
  const { layer } = await shared.toolchain();
  const project = shared.distribution.findPackage(name);
  for (let run = 0; run < runs; run += 1) {
    // Each run by Kiln has a store without the package's result, and the toolchain of the usual one.
    const store = join(place, `store-${run}`);
    mkdirSync(join(store, 'layers'), { recursive: true });
    execFileSync('cp', ['--archive', '--reflink=auto', dirname(layer), join(store, 'layers')]);
    const session = new Session(shared.distribution, createHost(), new Store(createHost(), store));
    await session.toolchain();
    for (const id of project.dependencies) await session.run('rpm', id);
    const begun = performance.now();
    await session.run('rpm', project.id);
    kiln.push((performance.now() - begun) / 1000);
    const { result } = await session.state('rpm', project.id);
    const [, blob] = Object.entries(result!.outputs).find(([file]) => file.endsWith('.src.rpm'))!;
    bare.push(await bareBuild(session, project.specFile, { layer, source: session.store.blobPath(blob.sha256) }));
    rmSync(store, { recursive: true, force: true });
  }
  const [a, b] = [median(kiln), median(bare)];
  return { package: name, kiln: a, bare: b, overheadSeconds: a - b, overheadPercent: ((a - b) / b) * 100 };
}

interface BareBuild {
  readonly layer: string;
  /** Path of the source RPM. */
  readonly source: string;
}

/** `rpmbuild -ba` in the toolchain's root: a mount namespace with an overlay for what it writes, and chroot. */
async function bareBuild(
  { distribution, host }: Session,
  specFile: string,
  { layer, source }: BareBuild,
): Promise<number> {
  const { uid, gid } = await buildUser(host);
  const owner = `${uid}:${gid}`;
  const macros = distribution.macroFiles.map(({ slot, text }) => ({ slot, text }));
  for (const { slot, text } of macros) {
    mkdirSync(join(place, 'macros', 'usr/lib/rpm', slot, '..'), { recursive: true });
    writeFileSync(join(place, 'macros', 'usr/lib/rpm', slot), text);
  }
  const defines = Object.entries({ _topdir: '/top', ...distribution.config.defines })
    .map(([name, value]) => `--define '${name} ${value}'`)
    .join(' ');
  const script = `
    mount -t tmpfs bare /mnt && mkdir /mnt/up /mnt/work /mnt/root
    mount -t overlay -o lowerdir=${join(place, 'macros')}:${layer},upperdir=/mnt/up,workdir=/mnt/work bare /mnt/root
    mkdir -p /mnt/root/top /mnt/root/tmp /mnt/root/var/tmp /mnt/root/dev; chmod 1777 /mnt/root/tmp /mnt/root/var/tmp
    mount --bind /dev /mnt/root/dev; mount -t proc proc /mnt/root/proc
    cp ${source} /mnt/root/top/source.rpm
    chroot /mnt/root rpm ${defines} -i /top/source.rpm >/dev/null 2>&1
    chown -R ${owner} /mnt/root/top; mkdir -p /mnt/root/dev/shm
    start=$(date +%s%N)
    chroot --userspec=${owner} /mnt/root /usr/bin/env -i PATH=/usr/bin:/usr/sbin HOME=/top RPM_BUILD_NCPUS=$(nproc) rpmbuild --nodeps ${defines} -ba /top/SPECS/$(basename ${specFile}) >/mnt/log 2>&1 || { tail -n 20 /mnt/log >&2; exit 1; }
    echo $(( $(date +%s%N) - start ))`;
  const nanoseconds = execFileSync('unshare', ['--mount', 'bash', '-ec', script], { encoding: 'utf8' });
  return Number(nanoseconds.trim()) / 1e9;
}

/** A workspace with one package that does nothing. */
function nothingTree(): string {
  const tree = join(place, 'tree');
  for (const path of ['toolkit/toolchain', 'toolkit/macros', 'toolkit/sources']) {
    cpSync(join(REPOSITORY, path), join(tree, path), { recursive: true });
  }
  const config = JSON.parse(readFileSync(join(REPOSITORY, 'toolkit/distro.json'), 'utf8')) as object;
  writeFileSync(join(tree, 'toolkit/distro.json'), JSON.stringify({ ...config, specRoots: ['SPECS'] }));
  mkdirSync(join(tree, 'imageconfigs'));
  mkdirSync(join(tree, 'SPECS/nothing'), { recursive: true });
  writeFileSync(
    join(tree, 'SPECS/nothing/nothing.spec'),
    `Name:           nothing
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

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
}

function describe({ package: name, kiln, bare, overheadSeconds, overheadPercent }: Measured): string {
  const overhead = `${overheadSeconds.toFixed(2)} s (${overheadPercent.toFixed(1)} %)`;
  return `${name}: kiln ${kiln.toFixed(2)} s, bare rpmbuild ${bare.toFixed(2)} s, overhead ${overhead}`;
}
