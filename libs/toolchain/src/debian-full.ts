/** Mode `debian-full` as planning sees it: a base layer of tools, and Debian's packages as answers to BuildRequires. For trying foreign specs. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, type Sha256 } from '@kiln/build-identity';
import { parseDependency, type Dependency } from '@kiln/rpm-package';
import { closureOf } from './debian-closure.ts';
import { loadDebianToolchain, type DebianToolchain } from './debian-toolchain.ts';
import { FULL_RECIPE } from './layer-recipe.ts';
import {
  EMPTY_REQUIREMENTS_LOCK,
  parseRequirementsLock,
  type LockedAnswer,
  type LockedNode,
  type RequirementsLock,
} from './requirements-lock.ts';

/** Raise it when the same packages give another root. */
const SET_RECIPE_VERSION = 9;

/** Debian's Python installs below /usr/lib/python3 as packages do, not below /usr/local; manuals of perl's programs are called as elsewhere. */
export const DEBIAN_FULL_ENVIRONMENT: Readonly<Record<string, string>> = {
  DEB_PYTHON_INSTALL_LAYOUT: 'deb',
  PERL_MM_OPT: 'MAN1EXT=1',
};

export interface DebianFullToolchain extends DebianToolchain {
  readonly requirements: RequirementsLock;
}

/** The Debian packages of one build root. */
export interface RequirementSet {
  /** Digest of all that is above the base layer, and of that. */
  readonly identity: Sha256;
  /** What the packages answer, sorted by capability. */
  readonly answers: readonly (readonly [string, LockedAnswer])[];
  /** Packages above the base layer, sorted by name. */
  readonly packages: readonly LockedNode[];
  /** Names of all packages that the answers need, the base layer's with them. */
  readonly members: ReadonlySet<string>;
}

/**
 * Reads package list, lock and lock of requirements; without the last one nothing is answered. The paths are relative to `root`.
 * @throws BuildError as `loadDebianToolchain`.
 */
export function loadDebianFullToolchain(
  root: string,
  files: { readonly packages: string; readonly lock: string; readonly requirementsLock?: string },
): DebianFullToolchain {
  const base = loadDebianToolchain(root, files, FULL_RECIPE);
  const { requirementsLock: file } = files;
  const requirements =
    file !== undefined && existsSync(join(root, file))
      ? parseRequirementsLock(readFileSync(join(root, file), 'utf8'), file)
      : EMPTY_REQUIREMENTS_LOCK;
  const answered = [...requirements.answers].map(([name, one]) => answeredCapability(name, one));
  return { ...base, requirements, package: { ...base.package, provides: [...base.package.provides, ...answered] } };
}

/** As a plan sees it: without a version where only the file itself knows it. */
function answeredCapability(name: string, { version }: LockedAnswer): Dependency {
  return version === undefined ? { name } : parseDependency(`${name} = ${version}`);
}

/** Capabilities that are answered, with those that come with them; sorted. */
function withNeeds(capabilities: Iterable<string>, { answers }: RequirementsLock): string[] {
  const found = new Set<string>();
  const open = [...capabilities];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const answer = answers.get(name);
    if (answer === undefined || found.has(name)) continue;
    found.add(name);
    open.push(...(answer.needs ?? []));
  }
  return [...found].sort();
}

/** What the root of a build has that asks for these capabilities. */
export function requirementSet(toolchain: DebianFullToolchain, capabilities: Iterable<string>): RequirementSet {
  const { requirements, lock } = toolchain;
  const asked = withNeeds([...capabilities, ...requirements.inEveryRoot], requirements);
  const answers = asked.map((name) => [name, requirements.answers.get(name)!] as const);
  const roots = [...requirements.always, ...answers.flatMap(([, { packages }]) => packages)];
  const dependsOf = (name: string) => requirements.packages.get(name)?.depends ?? [];
  const base = new Set(lock.packages.map(({ name }) => name));
  const packages = closureOf(roots, dependsOf, base).map((name) => requirements.packages.get(name)!);
  const identity = digestOf({
    recipeVersion: SET_RECIPE_VERSION,
    base: toolchain.identity,
    answers: answers.map(([name, { packages: names, rule, evidence, version }]) => [
      name,
      names,
      rule,
      evidence,
      version ?? '',
    ]),
    packages: packages.map(({ name, sha256 }) => [name, sha256]),
  });
  return { identity, answers, packages, members: new Set(closureOf(roots, dependsOf, new Set())) };
}
