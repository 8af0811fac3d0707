/** A relation to a capability: `name`, or `name op evr`, or a rich dependency kept as its text. */
import type { Evr } from './evr.ts';
import { compareEvr, formatEvr, parseEvr } from './evr.ts';

export type DependencyOperator = '<' | '<=' | '=' | '>=' | '>';

const OPERATORS: Readonly<Record<string, DependencyOperator>> = {
  '<': '<',
  '<=': '<=',
  '=<': '<=',
  '=': '=',
  '==': '=',
  '>=': '>=',
  '=>': '>=',
  '>': '>',
};

/** The comparison that a token means; undefined for any other token (rpmParseDSFlags, lib/rpmds.c). */
export function parseOperator(token: string): DependencyOperator | undefined {
  return Object.hasOwn(OPERATORS, token) ? OPERATORS[token] : undefined;
}

/**
 * One dependency as rpm stores it in a header. `name` may be a plain name, a path, a generated capability such as
 * `pkgconfig(x)` or `libc.so.6(GLIBC_2.34)(64bit)`, or a rich dependency in parentheses (then there is no version).
 */
export interface Dependency {
  readonly name: string;
  readonly operator?: DependencyOperator;
  readonly evr?: Evr;
  /** The version as it is written, where that is not `formatEvr(evr)`: `:1`, `01:1`. */
  readonly evrText?: string;
  /** RPMSENSE bits beside the comparison ones: `pre` 1<<9, `interp` 1<<8, ... (rpm's include/rpm/rpmds.h). */
  readonly sense?: number;
}

/** True for a boolean dependency such as `(a or b)`. */
export function isRich(dependency: Dependency): boolean {
  return dependency.name.startsWith('(');
}

/** `name`, `name op evr`. */
export function formatDependency({ name, operator, evr, evrText }: Dependency): string {
  return operator === undefined || evr === undefined ? name : `${name} ${operator} ${evrText ?? formatEvr(evr)}`;
}

/** The version of a dependency with what its text says beyond it. */
export function parseDependencyEvr(text: string): Required<Pick<Dependency, 'evr'>> & Pick<Dependency, 'evrText'> {
  const evr = parseEvr(text);
  return formatEvr(evr) === text ? { evr } : { evr, evrText: text };
}

/** Parses one `name [op evr]` text as it stands in a header. Rich dependencies are kept whole. */
export function parseDependency(text: string): Dependency {
  const trimmed = text.trim();
  if (trimmed.startsWith('(')) return { name: trimmed };
  const match = /^(\S+)\s+(\S+)\s+(\S+)$/.exec(trimmed);
  const operator = match === null ? undefined : parseOperator(match[2]!);
  if (match === null || operator === undefined) return { name: trimmed };
  return { name: match[1]!, operator, ...parseDependencyEvr(match[3]!) };
}

/**
 * Whether a provided capability satisfies a required one of the same name: their version ranges overlap, as rpmdsCompare()
 * (lib/rpmds.c). An unversioned side matches any version.
 */
export function satisfies(provided: Dependency, required: Dependency): boolean {
  if (provided.name !== required.name) return false;
  if (provided.operator === undefined || provided.evr === undefined) return true;
  if (required.operator === undefined || required.evr === undefined) return true;
  const order = compareEvr(provided.evr, required.evr);
  const [p, r] = [provided.operator, required.operator];
  if (order < 0) return p.startsWith('>') || r.startsWith('<');
  if (order > 0) return p.startsWith('<') || r.startsWith('>');
  // A side without a release and with "=" stands for every release of its version (rpmverOverlap, rpmio/rpmver.c).
  const [providedRelease, requiredRelease] = [provided.evr.release ?? '', required.evr.release ?? ''];
  if (providedRelease !== '' && requiredRelease === '' && r.includes('=')) return true;
  if (requiredRelease !== '' && providedRelease === '' && p.includes('=')) return true;
  return (p.includes('=') && r.includes('=')) || (p[0] === r[0] && p[0] !== '=');
}
