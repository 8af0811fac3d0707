/** The lock of mode `debian-full`: which Debian packages answer what specs ask for, why, and all of them by digest with what they need. */
import { BuildError } from '@kiln/diagnostics';
import type { Answer } from './answer-requirements.ts';
import { checkLockedPackage, type LockedPackage } from './toolchain-lock.ts';

/** A package with the names of those that it needs, beside the base layer's. */
export interface LockedNode extends LockedPackage {
  readonly depends: readonly string[];
}

export interface LockedAnswer extends Answer {
  /** Upstream's version of the first package; absent where the file that answers has one of its own. */
  readonly version?: string;
  /** Other capabilities of the lock that come with it. */
  readonly needs?: readonly string[];
}

export interface RequirementsLock {
  readonly suite: string;
  /** SHA-256 of the signed `InRelease` of each suite that was read. */
  readonly releases: Readonly<Record<string, string>>;
  /** By capability, sorted. */
  readonly answers: ReadonlyMap<string, LockedAnswer>;
  /** Capabilities that the archive has nothing for; sorted. */
  readonly unanswered: readonly string[];
  /** Packages that every root has: the base layer's packages depend on them, and its list leaves them out; sorted. */
  readonly always: readonly string[];
  /** Capabilities that every root has, as the tree's own have; sorted. */
  readonly inEveryRoot: readonly string[];
  /** In the order of their names. */
  readonly packages: ReadonlyMap<string, LockedNode>;
}

/**
 * Reads a lock; `file` is how it is called in messages.
 * @throws BuildError `TOOLCHAIN_LOCK_MALFORMED`.
 */
export function parseRequirementsLock(text: string, file: string): RequirementsLock {
  try {
    const { suite, releases, answers, unanswered, always, inEveryRoot, packages } = JSON.parse(text) as {
      suite: string;
      releases: Record<string, string>;
      answers: Record<string, LockedAnswer>;
      unanswered: string[];
      always: string[];
      inEveryRoot: string[];
      packages: LockedNode[];
    };
    if (typeof suite !== 'string') throw new Error("'suite' is missing");
    const nodes = packages.map((one) => ({ ...checkLockedPackage(one), depends: one.depends.map(String) }));
    const lock = {
      suite,
      releases,
      answers: new Map(Object.entries(answers)),
      unanswered: unanswered.map(String),
      always: always.map(String),
      inEveryRoot: inEveryRoot.map(String),
      packages: new Map(nodes.map((one) => [one.name, one])),
    };
    const unknown = [...lock.answers].flatMap(([, { needs = [] }]) => needs).find((name) => !lock.answers.has(name));
    if (unknown !== undefined) throw new Error(`an answer needs '${unknown}', which the lock doesn't have`);
    const needed = [
      ...lock.always.map((name) => ['the base layer', name] as const),
      ...[...lock.answers].flatMap(([capability, one]) =>
        one.packages.map((name) => [`'${capability}'`, name] as const),
      ),
      ...nodes.flatMap(({ name, depends }) => depends.map((one) => [name, one] as const)),
    ];
    const lack = needed.find(([, name]) => !lock.packages.has(name));
    if (lack !== undefined) throw new Error(`${lack[0]} needs '${lack[1]}', which the lock doesn't have`);
    return lock;
  } catch (cause) {
    throw new BuildError(
      'TOOLCHAIN_LOCK_MALFORMED',
      `${file} is not a lock of requirements: ${(cause as Error).message}`,
      {
        location: { file, line: 1 },
        hint: 'restore the file, or make it again with `kiln lock-toolchain`',
        cause,
      },
    );
  }
}

/** The text of a lock: one answer and one package a line, so that changes read well. */
export function formatRequirementsLock(lock: RequirementsLock): string {
  const members = (entries: readonly (readonly [string, unknown])[]) =>
    entries.map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`).join(',\n');
  const items = (list: readonly unknown[]) => list.map((one) => `    ${JSON.stringify(one)}`).join(',\n');
  return `{
  "suite": ${JSON.stringify(lock.suite)},
  "releases": {
${members(Object.entries(lock.releases))}
  },
  "answers": {
${members([...lock.answers])}
  },
  "unanswered": [
${items(lock.unanswered)}
  ],
  "always": ${JSON.stringify(lock.always)},
  "inEveryRoot": ${JSON.stringify(lock.inEveryRoot)},
  "packages": [
${items([...lock.packages.values()])}
  ]
}
`;
}

/** Of a workspace that has none yet. */
export const EMPTY_REQUIREMENTS_LOCK: RequirementsLock = {
  suite: '',
  releases: {},
  answers: new Map(),
  unanswered: [],
  always: [],
  inEveryRoot: [],
  packages: new Map(),
};
