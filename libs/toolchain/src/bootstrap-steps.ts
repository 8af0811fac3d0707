/** The table of steps from a host's compiler to a root with its own: `steps.json` beside its scripts. */
import { BuildError, type SourceLocation } from '@kiln/diagnostics';
import { parseLocatedJson, type LocatedJson } from '@kiln/image-config';
import { LocatedReader } from './located-reader.ts';

/** Where a step runs: on the seed with cross tools, or in the new root, which has nothing of the seed. */
export type StepRoot = 'seed' | 'target';

/** What the new root keeps of a step's files: nothing, all, or all but headers and libraries for linking. */
export type KeptPart = 'nothing' | 'programs' | 'all';

export interface BootstrapStep {
  readonly name: string;
  readonly description: string;
  readonly root: StepRoot;
  /** Packages of the tree whose tarballs it unpacks; the first is unpacked before the scripts begin. */
  readonly sources: readonly string[];
  /** Steps whose files it sees, with the files of what they need. */
  readonly needs: readonly string[];
  /** Files below `scripts/`; their texts together are what runs. */
  readonly scripts: readonly string[];
  /** What the scripts know as `OPTIONS`. */
  readonly options: readonly string[];
  readonly kept: KeptPart;
  /** Where it stands in the table. */
  readonly location: SourceLocation;
}

/** The whole table. Paths are relative to the workspace. */
export interface BootstrapSteps {
  /** GNU name of the system that is built. */
  readonly target: string;
  /** Directory of the packages whose sources are taken. */
  readonly specs: string;
  /** Lock of the Debian archive, where the sources come from. */
  readonly sourceLock: string;
  /** List and lock of the Debian packages that stand for the host. */
  readonly seed: { readonly packages: string; readonly lock: string };
  /** RPM capability → the package of the tree whose version it has. */
  readonly provides: Readonly<Record<string, string>>;
  /** Capabilities that the toolchain of RPMs must have, which is built on the root. */
  readonly members: readonly string[];
  /** Each one after those that it needs. */
  readonly steps: readonly BootstrapStep[];
}

const NAME = { pattern: /^[a-z0-9][a-z0-9+-]*$/, what: 'a name of lower-case letters, digits and hyphens' };
const SCRIPT = { pattern: /^[\w-]+\.sh$/, what: 'the name of a script' };
const SYSTEM = { pattern: /^\w+(-\w+){2,3}$/, what: 'the GNU name of a system' };
const CODE = 'BOOTSTRAP_STEPS_INVALID';

/** @throws BuildError `BOOTSTRAP_STEPS_INVALID` at the place of the first problem. */
export function parseBootstrapSteps(text: string, file: string): BootstrapSteps {
  const reader = new LocatedReader(CODE, file);
  const top = reader.members(
    reader.guard(() => parseLocatedJson(text, file)),
    { required: ['target', 'specs', 'sourceLock', 'seed', 'provides', 'members', 'steps'], optional: [] },
  );
  const seed = reader.members(top.get('seed')!, { required: ['packages', 'lock'], optional: [] });
  const list = top.get('steps')!;
  reader.unique(list, 'name');
  return {
    target: reader.text(top.get('target')!, SYSTEM),
    specs: reader.relativePath(top.get('specs')!),
    sourceLock: reader.relativePath(top.get('sourceLock')!),
    seed: { packages: reader.relativePath(seed.get('packages')!), lock: reader.relativePath(seed.get('lock')!) },
    provides: reader.map(top.get('provides'), (one) => reader.text(one)),
    members: reader.list(top.get('members'), (one) => reader.text(one)),
    steps: inOrder(readSteps(reader, list), file),
  };
}

function readSteps(reader: LocatedReader, list: LocatedJson): BootstrapStep[] {
  const names: string[] = [];
  const steps = reader.list(list, (value) => {
    const members = reader.members(value, {
      required: ['name', 'description', 'root', 'sources', 'needs', 'scripts'],
      optional: ['options', 'kept'],
    });
    const texts = (member: string, form?: typeof NAME) =>
      reader.list(members.get(member), (one) => reader.text(one, form));
    const kept = members.get('kept');
    const step: BootstrapStep = {
      name: reader.text(members.get('name')!, NAME),
      description: reader.text(members.get('description')!),
      root: reader.oneOf(members.get('root')!, ['seed', 'target'], 'a root') as StepRoot,
      sources: texts('sources'),
      needs: texts('needs'),
      scripts: texts('scripts', SCRIPT),
      options: texts('options'),
      kept: kept === undefined ? 'nothing' : (reader.oneOf(kept, ['programs', 'all'], 'a part') as KeptPart),
      location: value.location,
    };
    names.push(step.name);
    return step;
  });
  for (const { needs, location } of steps)
    for (const need of needs) reader.known(need, names, { what: 'a step', location });
  return steps;
}

/** Sorted so that each comes after those that it needs; otherwise as they stand. @throws BuildError for a cycle */
function inOrder(steps: readonly BootstrapStep[], file: string): BootstrapStep[] {
  const byName = new Map(steps.map((one) => [one.name, one]));
  const sorted = new Map<string, BootstrapStep>();
  const visit = (one: BootstrapStep, path: readonly string[]): void => {
    if (sorted.has(one.name)) return;
    if (path.includes(one.name)) {
      const cycle = [...path.slice(path.indexOf(one.name)), one.name].join(' → ');
      throw new BuildError(CODE, `steps of ${file} need one another: ${cycle}`, { location: one.location });
    }
    for (const need of one.needs) visit(byName.get(need)!, [...path, one.name]);
    sorted.set(one.name, one);
  };
  for (const one of steps) visit(one, []);
  return [...sorted.values()];
}
