/** Provider `bootstrap`: what stage A makes from source, as the lowest layer of build roots. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { digestOf, readElf, type Sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import { parseDependency } from '@kiln/rpm-package';
import type { Store } from '@kiln/store';
import { formatBootstrapLock, parseBootstrapLock, type BootstrapLock } from './bootstrap-lock.ts';
import { loadBootstrapPlan, statedVersion, type BootstrapPlan } from './bootstrap-plan.ts';
import { bootstrapRoot, bootstrapRootIdentity, bootstrapRootKey, type BootstrapRoot } from './bootstrap-root.ts';
import { doStep, stepLayerKey } from './bootstrap-step.ts';
import { TOOLCHAIN_ARCHITECTURE } from './debian-toolchain.ts';
import type { ManifestEntry } from './layer-manifest.ts';
import { layerPrograms, programCapabilities } from './layer-programs.ts';
import { checkMember } from './lock-member.ts';
import { libraryCapabilities, namedLibraries, perlCapabilities } from './native-facts.ts';
import { toolchainRpm } from './toolchain-rpm.ts';
import type { Toolchain, ToolchainPackage } from './toolchain.ts';

export interface BootstrapToolchain {
  readonly kind: 'bootstrap';
  /** Digest of all that the layer and the RPM are made from. */
  readonly identity: Sha256;
  /** The generated RPM. */
  readonly package: ToolchainPackage;
  readonly plan: BootstrapPlan;
  readonly lock: BootstrapLock;
}

/** The files that say what is done and what comes of it, relative to the workspace. */
export interface BootstrapFiles {
  readonly steps: string;
  readonly lock: string;
}

/** Name of the generated RPM. */
export const BOOTSTRAP_PACKAGE = 'kiln-toolchain-bootstrap';

/** Where its rpm has the files of its vendor. */
const RPM_VENDOR = 'kiln';

/** Steps whose shared libraries a built RPM may need. */
const LIBRARY_STEPS = new Set(['glibc', 'gcc']);

/** Raise it when the same root gives another RPM. */
const RPM_RECIPE_VERSION = 1;

const LOCK_COMMAND = 'kiln bootstrap --lock';

/**
 * Reads the table of steps and the lock; nothing is downloaded.
 * @throws BuildError `BOOTSTRAP_*`, `TOOLCHAIN_LOCK_MISSING`, `TOOLCHAIN_LOCK_MALFORMED` and those of the seed.
 */
export function loadBootstrapToolchain(root: string, { steps, lock: file }: BootstrapFiles): BootstrapToolchain {
  const plan = loadBootstrapPlan(root, steps);
  let text: string;
  try {
    text = readFileSync(join(root, file), 'utf8');
  } catch (cause) {
    throw new BuildError('TOOLCHAIN_LOCK_MISSING', `${file} can't be read`, {
      hint: `restore the file, or make it with \`${LOCK_COMMAND}\``,
      cause,
    });
  }
  const lock = parseBootstrapLock(text, file);
  const versioned = Object.entries(plan.table.provides).flatMap(([capability, name]) => {
    const version = statedVersion(root, plan.table, name);
    return [`${capability} = ${version}`, `${capability}(x86-64) = ${version}`];
  });
  const generated = [...lock.libraryCapabilities, ...lock.perlCapabilities];
  const capabilities = [...versioned, ...lock.programs.flatMap(programCapabilities), ...generated];
  const provides = [...new Set([...capabilities, 'rtld(GNU_HASH)'])].sort();
  const identity = digestOf({ root: bootstrapRootIdentity(plan), recipeVersion: RPM_RECIPE_VERSION, provides });
  return {
    kind: 'bootstrap',
    ...{ identity, plan, lock },
    package: {
      name: BOOTSTRAP_PACKAGE,
      evr: { epoch: 0, version: 'source', release: identity.slice(0, 12) },
      arch: TOOLCHAIN_ARCHITECTURE,
      provides: provides.map(parseDependency),
      requires: [],
    },
  };
}

/**
 * Does all steps that the store doesn't have, one after the other, and puts the root together. Emits progress of the
 * task that waits for it: `action` of `toolchain`.
 * @throws BuildError `BOOTSTRAP_STEP_FAILED`, `BOOTSTRAP_FILES_CLASH`, `FOREIGN_TRACES`, `SOURCE_*` and those of the sandbox.
 */
export async function makeBootstrapRoot(
  host: Host,
  store: Store,
  { plan, action }: { readonly plan: BootstrapPlan; readonly action: string },
): Promise<BootstrapRoot> {
  const total = plan.steps.length;
  for (const [done, step] of plan.steps.entries()) {
    const message = `step ${step.name}`;
    host.emit({ type: 'progress', action, subject: 'toolchain', message, done, total, unit: 'steps' });
    await doStep(host, store, { plan, step, run: { logs: bootstrapLogs(plan.root) } });
  }
  return bootstrapRoot(host, store, plan);
}

/** Absolute path of the directory of logs. */
export function bootstrapLogs(root: string): string {
  return join(root, 'dist', 'logs', 'bootstrap');
}

/**
 * Makes the toolchain ready. @throws BuildError `BOOTSTRAP_*`, `FOREIGN_TRACES`, `TOOLCHAIN_LOCK_STALE`, `TOOLCHAIN_UNUSABLE`, `SOURCE_*`
 * and those of the sandbox.
 */
export async function prepareBootstrapToolchain(
  host: Host,
  store: Store,
  toolchain: BootstrapToolchain,
): Promise<Toolchain> {
  const { plan, lock, identity } = toolchain;
  const { root, manifestFile } = await makeBootstrapRoot(host, store, { plan, action: 'toolchain' });
  const readManifest = async () => JSON.parse(await readFile(manifestFile, 'utf8')) as ManifestEntry[];
  const checkLock = async () => {
    const found = await bootstrapFacts(host, { root, manifest: await readManifest() });
    for (const member of ['libraryCapabilities', 'perlCapabilities', 'programs'] as const)
      checkMember(member, lock[member], { found: found[member], command: LOCK_COMMAND });
  };
  const rpm = await toolchainRpm(host, store, { toolchain, root, origin: 'source', checkLock });
  const headers = new Set((await readManifest()).filter(isHeader).map(({ path }) => `/${path}`));
  return {
    ...{ identity, layer: root, rpmVendor: RPM_VENDOR, package: toolchain.package },
    rpms: [{ fileName: basename(rpm), path: rpm }],
    libraryCapabilities: lock.libraryCapabilities,
    ownsHeader: (path) => headers.has(path),
    readManifest,
  };
}

function isHeader({ path, type }: ManifestEntry): boolean {
  return type !== 'directory' && /^usr\/(include|lib\/gcc)\//.test(path);
}

async function bootstrapFacts(
  host: Host,
  { root, manifest }: { readonly root: string; readonly manifest: readonly ManifestEntry[] },
): Promise<BootstrapLock> {
  // Some are texts for the linker.
  const isLibrary = (path: string) => readElf(readFileSync(join(root, path))) !== undefined;
  const libraries = namedLibraries(manifest, LIBRARY_STEPS).filter(isLibrary);
  return {
    libraryCapabilities: await libraryCapabilities(host, root, libraries),
    perlCapabilities: await perlCapabilities(host, root, manifest),
    programs: layerPrograms(manifest),
  };
}

/** Text of the lock, by doing what isn't done. @throws BuildError as `prepareBootstrapToolchain` */
export async function lockBootstrap(host: Host, store: Store, plan: BootstrapPlan): Promise<string> {
  const { root, manifestFile } = await makeBootstrapRoot(host, store, { plan, action: 'bootstrap' });
  const manifest = JSON.parse(await readFile(manifestFile, 'utf8')) as ManifestEntry[];
  return formatBootstrapLock(await bootstrapFacts(host, { root, manifest }));
}

/** The layers in the store that belong to it. */
export function bootstrapLayerKeys({ identity, plan }: BootstrapToolchain): string[] {
  return [...plan.steps.map(stepLayerKey), bootstrapRootKey(plan), `toolchain-rpm-${identity}`];
}
