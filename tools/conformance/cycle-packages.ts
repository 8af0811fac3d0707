/** Installs, verifies, upgrades and erases the RPMs of source packages, each in a root of its own with what they require. */
import { copyFile, mkdir, open, readFile, realpath } from 'node:fs/promises';
import { constants, existsSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Session } from '@kiln/distribution';
import { giveToBuildUser, buildUser } from '@kiln/host';
import { ProviderIndex, resolveClosure } from '@kiln/package-graph';
import { formatDependency } from '@kiln/rpm-package';
import { makeWorkDirectory, removeWorkDirectory, runSandboxed } from '@kiln/sandbox';
import type { BuiltProvider } from '../../libs/distribution/src/built-providers.ts';
import { publishableRpms } from '../../libs/distribution/src/trial-toolchain.ts';
import { ERASE_SCRIPT, INSTALL_SCRIPT, KEPT, LEFT_BEHIND, OUTPUT, PACKAGES, ROOT, STEPS } from './cycle-script.ts';
import { loadedLibraries } from './loaded-libraries.ts';

export interface CycleReport {
  readonly id: string;
  /** RPMs in the root. */
  readonly installed: number;
  /** Empty when everything went without a word. */
  readonly findings: readonly string[];
}

/** The RPMs of each package of the tree that is in the store. */
export async function builtRpms(session: Session): Promise<Map<string, readonly BuiltProvider[]>> {
  const built = new Map<string, readonly BuiltProvider[]>();
  for (const project of session.distribution.packages) {
    const { result } = await session.state('rpm', project.id);
    if (result !== undefined) built.set(project.id, publishableRpms(project, result));
  }
  return built;
}

/**
 * What is found: requirements that nothing provides; every word that rpm says; files that are not as packaged, or left behind; libraries
 * that programs load while they run and that come with nothing they require. RPMs with debug information stay out.
 * @throws BuildError of the sandbox and the store
 */
export async function cyclePackage(
  session: Session,
  built: ReadonlyMap<string, readonly BuiltProvider[]>,
  id: string,
): Promise<CycleReport> {
  const own = (built.get(id) ?? []).filter(({ name }) => !/-debug(info|source)$/.test(name));
  const closure = resolveClosure(
    new ProviderIndex([...built.values()].flat()),
    own.map(({ name }) => ({ name })),
  );
  const members = closure.members as readonly BuiltProvider[];
  const lacks = [
    ...closure.unresolved.map(
      ({ dependency, requiredBy = id }) =>
        `${requiredBy} requires ${formatDependency(dependency)}: nothing provides it`,
    ),
    ...closure.conflicts.map((conflict) => `they exclude one another: ${JSON.stringify(conflict)}`),
  ];
  const findings = lacks.length > 0 ? lacks : await cycle(session, own, members);
  return { id, installed: members.length, findings };
}

async function cycle(
  session: Session,
  own: readonly BuiltProvider[],
  members: readonly BuiltProvider[],
): Promise<string[]> {
  const { host, store } = session;
  const { layer } = await session.toolchain();
  const work = await makeWorkDirectory(host, store, `cycle-${own[0]!.sourceName}`);
  const [root, packages, output] = ['root', 'packages', 'output'].map((name) => join(work, name)) as [
    string,
    string,
    string,
  ];
  const run = (script: string, ...args: string[]) =>
    runSandboxed(host, {
      layers: [layer],
      mounts: [
        { source: root, target: ROOT, writable: true },
        { source: output, target: OUTPUT, writable: true },
        { source: packages, target: PACKAGES, writable: false },
      ],
      deviceDirectories: [`${ROOT}/dev`],
      identity: 'root',
      argv: ['bash', '-c', script, 'cycle', ...args],
      environment: { PATH: '/usr/sbin:/usr/bin', HOME: '/', LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    });
  try {
    const user = await buildUser(host);
    for (const directory of [root, packages, output]) {
      await mkdir(directory);
      await giveToBuildUser(user, directory);
    }
    for (const { blob, fileName } of members) {
      await store.requireIntact(blob, fileName);
      await copyFile(store.blobPath(blob.sha256), join(packages, fileName), constants.COPYFILE_FICLONE);
    }
    await run(INSTALL_SCRIPT);
    const missing = await missingLibraries(root, own, optionalLibraries(session.distribution.root));
    await run(ERASE_SCRIPT, ...own.map(({ name }) => name));
    const left = (await leftBehind(output)).map((file) => `left behind: ${file}`);
    return [...(await saidBySteps(output)), ...missing, ...left];
  } finally {
    await removeWorkDirectory(host, work);
  }
}

/** Libraries that programs of the distribution do without; the file says what they lack then. */
const OPTIONAL_LIBRARIES = 'toolkit/optional-libraries.json';

function optionalLibraries(root: string): ReadonlySet<string> {
  const file = join(root, OPTIONAL_LIBRARIES);
  return new Set(existsSync(file) ? Object.keys(JSON.parse(readFileSync(file, 'utf8')) as object) : []);
}

async function readLines(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? [`${file} was not written`] : text.split('\n').filter((line) => line !== '');
}

/** Without directories that packages use which stay. */
async function leftBehind(output: string): Promise<string[]> {
  const kept = await readLines(join(output, KEPT));
  const left = await readLines(join(output, LEFT_BEHIND));
  return left.filter((file) => !STAYS.test(file) && !kept.some((one) => one.startsWith(`${file}/`)));
}

/** What must stay when all packages go: places of the sandbox, and where rpm's database is. */
const STAYS = /^\/(dev|usr(\/lib(\/sysimage(\/rpm(\/.*)?)?)?)?)?$/;

/** What Debian's rpm says at each use, and what it says of these places. */
const EXPECTED =
  /^(rpm: (RPM should not be used directly|However assuming you know)|warning: directory (dev|\/): remove failed: Device or resource busy$)/;

async function saidBySteps(output: string): Promise<string[]> {
  const found: string[] = [];
  for (const step of STEPS) {
    const lines = (await readLines(join(output, step))).filter((line) => !EXPECTED.test(line));
    const [status] = await readLines(join(output, `${step}.status`));
    if (status !== '0' && lines.length === 0) lines.push(`status ${status}`);
    found.push(...lines.map((line) => `${step}: ${line}`));
  }
  return found;
}

/** Where the dynamic linker looks, in a root. */
const LIBRARIES = 'usr/lib';

async function missingLibraries(
  root: string,
  own: readonly BuiltProvider[],
  optional: ReadonlySet<string>,
): Promise<string[]> {
  const found = new Set<string>();
  for (const { name, paths } of own as readonly (BuiltProvider & { readonly paths: readonly string[] })[]) {
    for (const path of paths) {
      const bytes = await readElfFile(root, path);
      for (const { sonames, because } of bytes === undefined ? [] : loadedLibraries(bytes)) {
        if (sonames.some((soname) => optional.has(soname)) || (await isAnyThere(join(root, LIBRARIES), sonames)))
          continue;
        found.add(
          `${name}: ${path} may load ${sonames.join(' or ')} (${because}), which comes with nothing that it requires`,
        );
      }
    }
  }
  return [...found];
}

/** Undefined for what is no ELF file, or leads out of the root. */
async function readElfFile(root: string, path: string): Promise<Buffer | undefined> {
  const file = await realpath(join(root, path)).catch(() => undefined);
  if (file === undefined || !file.startsWith(root + sep)) return undefined;
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    if (!(await handle.stat()).isFile()) return undefined;
    const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.toString('latin1') === '\x7fELF' ? await handle.readFile() : undefined;
  } finally {
    await handle.close();
  }
}

async function isAnyThere(directory: string, names: readonly string[]): Promise<boolean> {
  for (const name of names) {
    const file = await open(join(directory, name)).catch(() => undefined);
    await file?.close();
    if (file !== undefined) return true;
  }
  return false;
}
