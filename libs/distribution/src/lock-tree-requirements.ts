/** The lock of mode `debian-full` for a tree: everything that its specs ask for, answered by Debian's archive as it is now. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { writeFileAtomic } from '@kiln/host';
import { parseRequirement } from '@kiln/package-graph';
import { simpleDependencies, type Dependency } from '@kiln/rpm-package';
import {
  formatRequirementsLock,
  lockRequirements,
  parseStatedAnswers,
  type Requirement,
  type RequirementsLock,
} from '@kiln/toolchain';
import { DISTRO_FILE } from './distro-config.ts';
import type { Distribution } from './distribution.ts';
import type { Session } from './session.ts';
import { buildRequiresOf } from './universe.ts';

export interface RequirementsLocking {
  /** Workspace-relative path of the lock. */
  readonly file: string;
  readonly lock: RequirementsLock;
}

/**
 * Writes the lock that `toolchain.requirements` in `toolkit/distro.json` names.
 * @throws BuildError `TOOLCHAIN_CONFIG_INVALID`, and those of `lockRequirements`.
 */
export async function lockTreeRequirements({ host, store, distribution }: Session): Promise<RequirementsLocking> {
  const { root, config, toolchain } = distribution;
  if (config.toolchain.provider !== 'debian-full' || toolchain.full === undefined) {
    throw new BuildError('TOOLCHAIN_CONFIG_INVALID', "only the toolchain 'debian-full' has a lock of requirements", {
      location: { file: DISTRO_FILE, line: 1 },
    });
  }
  const { requirements } = config.toolchain;
  const text = readFileSync(join(root, requirements.stated), 'utf8');
  const { stated, exclude, inEveryRoot } = parseStatedAnswers(text, requirements.stated);
  const lock = await lockRequirements(host, store, {
    requirements: treeRequirements(distribution, inEveryRoot),
    base: toolchain.full.lock,
    stated,
    exclude,
    inEveryRoot,
  });
  await writeFileAtomic(join(root, requirements.lock), formatRequirementsLock(lock));
  return { file: requirements.lock, lock };
}

/** What specs ask for and the base layer doesn't have, with what the tree's own packages of those names are made of and need. */
function treeRequirements({ packages, toolchain }: Distribution, inEveryRoot: readonly string[]): Requirement[] {
  const answered = toolchain.full!.requirements.answers;
  const base = new Set(toolchain.package.provides.map(({ name }) => name).filter((name) => !answered.has(name)));
  const known = treePackages(packages);
  const asked = packages
    .flatMap((one) => (one.check === undefined ? [one] : [one, one.check]))
    .flatMap(buildRequiresOf);
  const requirements = new Map<string, Requirement>();
  const open = [...inEveryRoot, ...namesOf(asked)];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (base.has(name) || requirements.has(name)) continue;
    const requirement = { name, ...(known.get(name) ?? { files: [] }) };
    requirements.set(name, requirement);
    open.push(...(requirement.needs ?? []));
  }
  return [...requirements.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function namesOf(dependencies: readonly Dependency[]): string[] {
  return dependencies.flatMap((one) => simpleDependencies(parseRequirement(one))).map(({ name }) => name);
}

/** Packages of the tree by their names and by what they provide; a name comes before what others provide. */
function treePackages(packages: Distribution['packages']): Map<string, Omit<Requirement, 'name'>> {
  const known = new Map<string, Omit<Requirement, 'name'>>();
  for (const { sourcePackage } of packages) {
    for (const { name, evr, provides, requires } of sourcePackage?.packages ?? []) {
      const required = namesOf(requires);
      const needs = required.filter((one) => DEVELOPMENT.test(one));
      const hasPrograms =
        DEVELOPMENT.test(name) &&
        [name, ...required].some((one) => sourcePackage?.packagedPaths?.[one]?.some(isProgram) === true);
      const facts = {
        files: sourcePackage?.packagedPaths?.[name] ?? [],
        version: evr.version,
        ...(evr.epoch === undefined || evr.epoch === 0 ? {} : { epoch: evr.epoch }),
        ...(needs.length === 0 ? {} : { needs }),
        ...(hasPrograms ? { hasPrograms } : {}),
      };
      known.set(name, facts);
      for (const one of provides) if (!known.has(one.name)) known.set(one.name, facts);
      // Only that file answers it, and what comes with the package comes with it.
      for (const one of facts.files.flatMap(pkgConfigName))
        if (!known.has(one)) known.set(one, { ...facts, files: [] });
    }
  }
  return known;
}

/** What rpm's generator calls a `.pc` file. */
function pkgConfigName(path: string): string[] {
  const [, name] = /\/pkgconfig\/([^/*]+)\.pc$/.exec(path) ?? [];
  return name === undefined ? [] : [`pkgconfig(${name})`];
}

function isProgram(path: string): boolean {
  return /^(\/usr)?\/(s?bin|libexec)\//.test(path);
}

/** What compilers may need beside what a package was asked for. */
const DEVELOPMENT = /-(devel|static)(\(x86-64\))?$|^pkgconfig\(/;
