/** The boot test of a container: unpacks the archive, runs what it holds, looks at it from outside. */
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import type { ImageDefinition } from '@kiln/image-config';
import { formatNevra } from '@kiln/rpm-package';
import { readRpmHeader } from '@kiln/rpm-repository';
import {
  comparableFiles,
  foreignFiles,
  withoutPublished,
  type ForeignFile,
  type PackagedFile,
} from './foreign-files.ts';
import { failureOfChecks, type BootReport } from './boot-report.ts';
import { checkImage, type ImageFindings, type ShellFindings } from './image-checks.ts';
import { SCRATCH, withWorkDirectories, type ImagePorts, type ToolRequest, type ToolResult } from './image-ports.ts';
import { ROOT, RPM_DATABASE, toolEnvironment } from './install-packages.ts';
import { readOciArchive, type OciArchive } from './oci-archive.ts';
import { parseOsRelease } from './os-release.ts';
import { parseDigests, publishedDigests } from './published-files.ts';
import { parseScan, RootPaths, SCAN_FORMAT, type ScannedFile } from './root-scan.ts';

export interface BootTestRequest {
  readonly definition: ImageDefinition;
  /** The OCI archive. */
  readonly archive: string;
  /** What the image was made from. */
  readonly rpms: readonly { readonly path: string; readonly nevra: string }[];
  /** Their source packages: path by file name. */
  readonly sourceRpms: ReadonlyMap<string, string>;
  /** The database that was kept outside, when the image has none. */
  readonly rpmDatabase?: string;
  /** Paths that the definition added, changed or removed. */
  readonly customized: readonly string[];
  /** Names of the packages whose commands must all start; one that doesn't know `--version` has started too. */
  readonly startedPackages: readonly string[];
  /** The toolchain is made of RPMs: its files may be in the image. */
  readonly hasOwnToolchain?: boolean;
  /** Paths of the machine that may stand in no file: workspace, store, home. */
  readonly hostPaths: readonly string[];
  readonly log?: string;
}

/** As a shell reports it. */
const CANNOT_EXECUTE = 126;

/**
 * Arguments: the layers' file names, lowest first. `.wh.` files take away what lower ones have, and what isn't a directory replaces one. Leaves
 * /scratch/{tree,host-paths,toolchain}.
 */
const UNPACK_SCRIPT = `
set -euo pipefail
for layer in "$@"; do
  tar --list --gzip --quoting-style=literal --file="${SCRATCH}/$layer" | while IFS= read -r name; do
    case \${name##*/} in
      .wh.*)
        gone=\${name##*/}
        rm -rf "${ROOT}/\${name%/*}/\${gone#.wh.}"
        ;;
      ?*) if [ -d "${ROOT}/$name" ] && [ ! -L "${ROOT}/$name" ]; then rm -r "${ROOT}/$name"; fi ;;
    esac
  done
  tar --extract --exclude='.wh.*' --gzip --file="${SCRATCH}/$layer" --directory=${ROOT} --numeric-owner --same-owner --same-permissions \\
    --xattrs --xattrs-include=security.capability
done
cd ${ROOT}
find . -printf '${SCAN_FORMAT}' > ${SCRATCH}/tree
: > ${SCRATCH}/host-paths
if [ -s ${SCRATCH}/patterns ]; then
  grep --recursive --files-with-matches --binary-files=text --null --fixed-strings --file=${SCRATCH}/patterns . \\
    > ${SCRATCH}/host-paths || [ $? -eq 1 ]
fi
if [ -r ./usr/lib/os-release ]; then cat ./usr/lib/os-release > ${SCRATCH}/os-release; else : > ${SCRATCH}/os-release; fi
find / \\( -path /proc -o -path /dev -o -path /sys -o -path /run -o -path /tmp -o -path /var/tmp -o -path ${ROOT} -o -path ${SCRATCH} \\) -prune \\
  -o -type f -size +0 -printf '%s\\0%p\\0' > ${SCRATCH}/toolchain
`;

/** Digests of the toolchain's files named in /scratch/candidates, then rpm's view of the root. Argument: `copy` to use the outside database. */
const EXAMINE_SCRIPT = `
set -euo pipefail
xargs --null --no-run-if-empty sha256sum --zero -- < ${SCRATCH}/candidates > ${SCRATCH}/digests
if [ "$1" = copy ]; then cp ${SCRATCH}/rpmdb.sqlite ${ROOT}${RPM_DATABASE}/rpmdb.sqlite; fi
rpm=(rpm --root ${ROOT} --define "_dbpath ${RPM_DATABASE}" --noplugins --nosignature)
"\${rpm[@]}" --query --all --queryformat '%{NEVRA}\\n' > ${SCRATCH}/packages
status=0
"\${rpm[@]}" --verify --all > ${SCRATCH}/verify 2>&1 || status=$?
echo "$status" > ${SCRATCH}/verify-status
`;

/** Runs in the image. Arguments: commands. */
const SHELL_SCRIPT = `
. /etc/os-release
printf 'id\\t%s\\n' "\${ID-}"
for command in "$@"; do
  said=$("$command" --version 2>&1 < /dev/null)
  status=$?
  printf 'command\\t%s\\t%s\\t%s\\n' "$command" "$status" "\${said%%
*}"
done
`;

const SHELLS = ['/usr/bin/bash', '/bin/bash', '/usr/bin/sh', '/bin/sh'];

/**
 * Proves that a container image works and holds what it should.
 * @throws BuildError `ARCHIVE_MALFORMED`, `BOOT_TEST_FAILED` (one diagnostic for each problem), `BOOT_TEST_BROKEN` when it can't be done
 */
export async function bootTest(host: Host, ports: ImagePorts, request: BootTestRequest): Promise<BootReport> {
  const { definition } = request;
  const archive = await readOciArchive(request.archive);
  const names = ['root', 'scratch'].map((what) => `boot-test-${definition.name}-${what}`);
  const findings = await withWorkDirectories(ports, names, async ([root, scratch]) => {
    host.emit({ type: 'progress', action: 'boot-test', subject: definition.name, message: 'unpacking and examining' });
    return examine(ports, request, { archive, root: root!, scratch: scratch! });
  });
  const report: BootReport = {
    image: definition.name,
    osRelease: findings.osRelease,
    files: findings.files.length,
    packages: findings.foundNevras.length,
    checks: checkImage(findings),
  };
  const failure = failureOfChecks(report, request.log);
  if (failure !== undefined) throw failure;
  return report;
}

interface BootPlaces {
  readonly archive: OciArchive;
  readonly root: string;
  readonly scratch: string;
}

async function examine(ports: ImagePorts, request: BootTestRequest, places: BootPlaces): Promise<ImageFindings> {
  const { archive, root, scratch } = places;
  const read = (name: string) => readFile(join(scratch, name), 'utf8');
  const runTool = async (script: string, words: readonly string[]) => {
    const result = await ports.run({
      argv: ['bash', '-c', script, 'kiln', ...words],
      mounts: [
        { source: root, target: ROOT, writable: true },
        { source: scratch, target: SCRATCH, writable: true },
      ],
      environment: toolEnvironment(0),
      ...(request.log === undefined ? {} : { log: request.log }),
    });
    refuseBroken(result, request);
  };

  const layers = await placeLayers(archive, scratch);
  await writeFile(join(scratch, 'patterns'), request.hostPaths.map((path) => `${path}\n`).join(''));
  await runTool(UNPACK_SCRIPT, layers);
  const files = parseScan(await read('tree'));
  const packagedFiles = await readPackagedFiles(request.rpms);
  await writeFile(join(scratch, 'candidates'), equalSizes(await read('toolchain'), packagedFiles).join(''));

  const shell = await runShell(ports, request, { ...places, files, packagedFiles });
  const { rpmDatabase } = request;
  if (rpmDatabase !== undefined) await copyFile(rpmDatabase, join(scratch, 'rpmdb.sqlite'));
  await runTool(EXAMINE_SCRIPT, [rpmDatabase === undefined ? 'own' : 'copy']);
  return {
    files,
    packagedFiles,
    hasRpmDatabase: rpmDatabase === undefined,
    customized: request.customized,
    expectedNevras: request.rpms.map(({ nevra }) => nevra),
    foundNevras: lines(await read('packages')),
    rpmVerify: { status: Number(await read('verify-status')), output: await read('verify') },
    osRelease: parseOsRelease(await read('os-release')),
    ...(shell === undefined ? {} : { shell }),
    filesWithHostPaths: (await read('host-paths'))
      .split('\0')
      .slice(0, -1)
      .map((path) => path.slice(1)),
    ...(request.hasOwnToolchain === true
      ? {}
      : { foreignFiles: await findForeignFiles(ports, request, { packagedFiles, digests: await read('digests') }) }),
  };
}

/** Copies the layers out of the archive, whose digests are checked already. Gives their names. */
async function placeLayers({ path, layers }: OciArchive, scratch: string): Promise<string[]> {
  const names: string[] = [];
  for (const [index, { offset, size }] of layers.entries()) {
    const name = `layer-${index}.tar.gz`;
    await pipeline(
      createReadStream(path, { start: offset, end: offset + size - 1 }),
      createWriteStream(join(scratch, name)),
    );
    names.push(name);
  }
  return names;
}

async function readPackagedFiles(rpms: BootTestRequest['rpms']): Promise<PackagedFile[]> {
  const all: PackagedFile[] = [];
  for (const { path } of rpms) {
    const { package: rpm } = await readRpmHeader(path);
    const owner = formatNevra(rpm);
    for (const file of rpm.files) all.push({ ...file, owner, sourceRpm: rpm.sourceRpm });
  }
  return all;
}

/** The toolchain's files that have the size of a packaged file, each with its NUL. */
function equalSizes(listing: string, files: readonly PackagedFile[]): string[] {
  const sizes = new Set(comparableFiles(files).map(({ size }) => size));
  const fields = listing.split('\0');
  const paths: string[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2)
    if (sizes.has(Number(fields[at]))) paths.push(`${fields[at + 1]}\0`);
  return paths;
}

/** The packaged files that are the toolchain's; source packages are only opened when there is something to excuse. */
async function findForeignFiles(
  ports: ImagePorts,
  request: BootTestRequest,
  { packagedFiles, digests }: { readonly packagedFiles: readonly PackagedFile[]; readonly digests: string },
): Promise<readonly ForeignFile[]> {
  const foreign = foreignFiles(packagedFiles, parseDigests(digests));
  const sources = new Set(foreign.flatMap(({ file }) => request.sourceRpms.get(file.sourceRpm ?? '') ?? []));
  if (sources.size === 0) return foreign;
  return withWorkDirectories(ports, [`boot-test-${request.definition.name}-sources`], async ([scratch]) => {
    const places = { sourceRpms: [...sources], scratch: scratch!, log: request.log };
    return withoutPublished(foreign, await publishedDigests(ports, places, (result) => refuseBroken(result, request)));
  });
}

interface ShellContext extends BootPlaces {
  readonly files: readonly ScannedFile[];
  readonly packagedFiles: readonly PackagedFile[];
}

/** Runs the image's own shell with the image as the root; undefined when it has none. */
async function runShell(
  ports: ImagePorts,
  request: BootTestRequest,
  context: ShellContext,
): Promise<ShellFindings | undefined> {
  const paths = new RootPaths(context.files);
  const shell = SHELLS.find((path) => paths.get(path) !== undefined);
  if (shell === undefined) return undefined;
  const commands = startedCommands(request, context.packagedFiles, paths);
  const { config } = context.archive;
  const result = await tryRun(ports, {
    argv: [shell, '-c', SHELL_SCRIPT, 'kiln', ...commands],
    layers: [context.root],
    mounts: [],
    environment: Object.fromEntries(
      (config.Env ?? []).map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
    ),
    cwd: config.WorkingDir ?? '/',
  });
  const rows = lines(result.stdout).map((line) => line.split('\t'));
  return {
    status: result.status,
    output: result.stderr || result.stdout,
    id: rows.find(([kind]) => kind === 'id')?.[1] ?? '',
    commands: rows
      .filter(([kind]) => kind === 'command')
      .map(([, path, status, firstLine]) => ({ path: path!, status: Number(status), firstLine: firstLine ?? '' })),
  };
}

/** The toolchain ran in this sandbox a moment ago: what can't be started now is the image's fault. */
async function tryRun(
  ports: ImagePorts,
  request: ToolRequest,
): Promise<Pick<ToolResult, 'status' | 'stdout' | 'stderr'>> {
  try {
    return await ports.run(request);
  } catch (error) {
    if (!(error instanceof BuildError) || error.code !== 'SANDBOX_FAILED') throw error;
    return { status: CANNOT_EXECUTE, stdout: '', stderr: error.message };
  }
}

/** Executable files in the directories of commands, by the names under which the packages list them. */
function startedCommands(
  { startedPackages, rpms }: BootTestRequest,
  files: readonly PackagedFile[],
  paths: RootPaths,
): string[] {
  const names = new Set(startedPackages);
  const owners = new Set(
    rpms.map(({ nevra }) => nevra).filter((nevra) => names.has(nevra.replace(/-[^-]+-[^-]+$/, ''))),
  );
  return files
    .filter(
      ({ owner, path, mode }) =>
        owners.has(owner) && /^(\/usr)?\/s?bin\/[^/]+$/.test(paths.real(path)) && (mode & 0o111) !== 0,
    )
    .map(({ path }) => path);
}

function refuseBroken({ status, stdout, stderr, command }: ToolResult, { definition, log }: BootTestRequest): void {
  if (status === 0) return;
  const said = (stderr || stdout).trim();
  throw new BuildError('BOOT_TEST_BROKEN', `${definition.name} could not be examined (status ${status}): ${said}`, {
    log,
    command,
  });
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
