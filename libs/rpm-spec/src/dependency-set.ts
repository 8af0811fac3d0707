/** The dependencies of one kind of one package: sorted, without duplicates (rpmdsMerge, lib/rpmds.c). */
import {
  parseDependencyEvr,
  SENSE,
  type DependencyOperator,
  type LocatedDependency,
  type Origin,
} from '@kiln/rpm-package';

/** A dependency as the header stores it: the version as text, all flags in one number. */
export interface HeaderDependency {
  readonly name: string;
  /** Empty without a version. */
  readonly evr: string;
  readonly flags: number;
  readonly location?: Origin;
}

const COMPARISON_BITS = SENSE.less | SENSE.greater | SENSE.equal;
const OPERATORS: Readonly<Record<number, DependencyOperator>> = {
  [SENSE.less]: '<',
  [SENSE.less | SENSE.equal]: '<=',
  [SENSE.equal]: '=',
  [SENSE.greater | SENSE.equal]: '>=',
  [SENSE.greater]: '>',
};

/** Sorted by name, version text, flags, as strcmp() orders them; the first of equal ones stays. */
export class DependencySet {
  readonly #byKey = new Map<string, HeaderDependency>();

  add(dependency: HeaderDependency): void {
    const key = `${dependency.name}\0${dependency.evr}\0${dependency.flags}`;
    if (!this.#byKey.has(key)) this.#byKey.set(key, dependency);
  }

  sorted(): HeaderDependency[] {
    return [...this.#byKey.values()].sort(
      (a, b) => compareText(a.name, b.name) || compareText(a.evr, b.evr) || a.flags - b.flags,
    );
  }

  toDependencies(): LocatedDependency[] {
    return this.sorted().map(toDependency);
  }
}

function toDependency({ name, evr, flags, location }: HeaderDependency): LocatedDependency {
  const operator = OPERATORS[flags & COMPARISON_BITS];
  const sense = flags & ~COMPARISON_BITS;
  return {
    name,
    ...(operator === undefined ? {} : { operator, ...parseDependencyEvr(evr) }),
    ...(sense === 0 ? {} : { sense }),
    ...(location === undefined ? {} : { location }),
  };
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
