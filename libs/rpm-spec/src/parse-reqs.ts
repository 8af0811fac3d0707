/** Dependency lists: tokens, versions, rich dependencies (parseRCPOT, build/parseReqs.c). */
import {
  formatEvr,
  formatRichDependency,
  parseDependencyEvr,
  parseOperator,
  parseRichDependency,
  RichDependencyError,
  satisfies,
  SENSE,
  senseOf,
  simpleDependencies,
  type DependencyOperator,
  type LocatedDependency,
  type Origin,
} from '@kiln/rpm-package';
import { isAlnum } from '@kiln/rpm-macro';
import { checkCharacters, EVR_CHARACTERS, NAME_CHARACTERS } from './characters-allowed.ts';
import type { DependencyKind, PackageState, SpecState } from './spec-state.ts';

/** Bits that a kind of dependency may keep beside its comparison (rpmSanitizeDSFlags, lib/rpmds.c). */
const REQUIRES_BITS =
  SENSE.interp |
  SENSE.pre |
  SENSE.post |
  SENSE.preun |
  SENSE.postun |
  SENSE.verify |
  SENSE.prereq |
  SENSE.pretrans |
  SENSE.posttrans |
  SENSE.rpmlib |
  SENSE.missingok |
  SENSE.meta;
const KEPT_BITS: Readonly<Record<DependencyKind, number>> = {
  provides: 0,
  requires: REQUIRES_BITS,
  conflicts: -1,
  obsoletes: 0,
  recommends: REQUIRES_BITS,
  suggests: REQUIRES_BITS,
  supplements: REQUIRES_BITS,
  enhances: REQUIRES_BITS,
  order: REQUIRES_BITS,
};
const COMPARISON_BITS = SENSE.less | SENSE.greater | SENSE.equal;
const WITHOUT_RICH: ReadonlySet<DependencyKind> = new Set(['provides', 'obsoletes', 'order']);
const CONFLICT_LIKE: ReadonlySet<DependencyKind> = new Set(['conflicts', 'supplements', 'enhances']);

/** Adds one dependency; a `rpmlib()` one gets its mark (addReqProv, build/reqprov.c). */
export function addDependency(
  target: PackageState,
  kind: DependencyKind,
  dependency: { name: string; evr?: string; flags: number; location?: Origin },
): void {
  const { name, evr = '', location } = dependency;
  const flags = dependency.flags | (name.startsWith('rpmlib(') ? SENSE.rpmlib : 0);
  const kept = (flags & COMPARISON_BITS) | (flags & KEPT_BITS[kind]);
  target.add(kind, { name, evr, flags: kept, ...(location === undefined ? {} : { location }) });
}

/** Needs a feature of rpm itself (rpmlibNeedsFeature, build/reqprov.c). */
export function addRpmlibDependency(target: PackageState, feature: string, evr: string): void {
  addDependency(target, 'requires', {
    name: `rpmlib(${feature})`,
    evr,
    flags: SENSE.rpmlib | SENSE.less | SENSE.equal,
  });
}

/** The conditions of a trigger, which are a list of dependencies; of a file trigger, of paths. The first broken one ends it. */
export function parseTriggerConditions(
  state: SpecState,
  target: PackageState,
  { field, when }: { readonly field: string; readonly when: string },
): LocatedDependency[] {
  const ofFiles = when.includes('file');
  const found: LocatedDependency[] = [];
  for (let at = skipSeparators(field, 0); at < field.length;) {
    const parsed = readSimple(state, field, at);
    if (parsed === undefined) break;
    const { name, operator, evr } = parsed;
    if (ofFiles && !name.startsWith('/')) {
      state.error('SPEC_TRIGGER', `file trigger conditions must begin with '/': ${name}`, { part: name });
      break;
    }
    if (!checkToken(state, name, evr)) break;
    const condition = {
      name,
      ...(operator === undefined || evr === undefined ? {} : { operator, ...parseDependencyEvr(evr) }),
      location: state.reader.origin(name),
    };
    const key = `${when}\0${name}`;
    const others = target.triggeredBy.get(key) ?? [];
    if (!ofFiles && others.some((other) => satisfies(other, condition))) {
      const message = `trigger fired by the same package is already defined in spec file: ${name}`;
      state.error('SPEC_TRIGGER', message, { part: name });
      break;
    }
    found.push(condition);
    target.triggeredBy.set(key, [...others, condition]);
    at = skipSeparators(field, parsed.end);
  }
  return found;
}

/** Parses the list in `field` and adds its dependencies. The first broken one ends the list with an error. */
export function parseDependencies(
  state: SpecState,
  target: PackageState,
  list: { readonly kind: DependencyKind; readonly field: string; readonly flags?: number },
): void {
  const { kind, field } = list;
  let at = skipSeparators(field, 0);
  while (at < field.length) {
    const next = field[at] === '(' ? parseRich(state, target, list, at) : parseSimple(state, target, list, at);
    if (next === undefined) return;
    at = skipSeparators(field, next);
  }
  if (kind === 'obsoletes') warnOfObsoletes(state, field);
}

type List = { readonly kind: DependencyKind; readonly field: string; readonly flags?: number };

interface SimpleDependency {
  readonly name: string;
  readonly operator: DependencyOperator | undefined;
  readonly evr: string | undefined;
  /** The offset behind it. */
  readonly end: number;
}

/** Reads `name` or `name op version`; undefined and an error when the version is missing. */
function readSimple(state: SpecState, field: string, start: number): SimpleDependency | undefined {
  const nameEnd = skipToken(field, start);
  const name = field.slice(start, nameEnd);
  const relationStart = skipSeparators(field, nameEnd);
  const relationEnd = skipToken(field, relationStart);
  const relation = field.slice(relationStart, relationEnd);
  const operator = parseOperator(relation);
  if (operator === undefined) return { name, operator, evr: undefined, end: relationStart };
  const versionStart = skipSeparators(field, relationEnd);
  const end = skipToken(field, versionStart);
  if (end > versionStart) return { name, operator, evr: field.slice(versionStart, end), end };
  state.error('SPEC_DEPENDENCY', `version required after: ${name} ${relation}`, { part: relation });
  return undefined;
}

function parseSimple(
  state: SpecState,
  target: PackageState,
  { kind, field, flags = 0 }: List,
  start: number,
): number | undefined {
  const parsed = readSimple(state, field, start);
  if (parsed === undefined) return undefined;
  const { name, operator, evr, end } = parsed;
  if (!checkToken(state, name, evr)) return undefined;
  if (kind === 'obsoletes' && !checkCharacters(state, name, NAME_CHARACTERS)) return undefined;
  if (kind === 'provides' && name.startsWith('rpmlib(')) {
    state.error('SPEC_DEPENDENCY', `invalid dependency: ${name}`, {
      part: name,
      hint: 'Only rpm itself provides rpmlib().',
    });
    return undefined;
  }
  const comparison = operator === undefined ? 0 : senseOf({ name, operator });
  addDependency(target, kind, {
    name,
    flags: flags | comparison,
    location: state.reader.origin(name),
    ...(evr === undefined ? {} : { evr }),
  });
  return end;
}

function parseRich(
  state: SpecState,
  target: PackageState,
  { kind, field, flags = 0 }: List,
  start: number,
): number | undefined {
  if (WITHOUT_RICH.has(kind)) {
    state.error('SPEC_DEPENDENCY', `no rich dependencies allowed for this type: ${field}`, {
      part: field.slice(start),
    });
    return undefined;
  }
  try {
    const { value, end } = parseRichDependency(field, start, CONFLICT_LIKE.has(kind) ? 'conflicts' : 'requires');
    for (const { name, evr, evrText } of simpleDependencies(value)) {
      if (!checkToken(state, name, evr === undefined ? undefined : (evrText ?? formatEvr(evr)))) return undefined;
    }
    const name = formatRichDependency(value);
    addDependency(target, kind, { name, flags, location: state.reader.origin(field.slice(start, end)) });
    return end;
  } catch (error) {
    if (!(error instanceof RichDependencyError)) throw error;
    state.error('SPEC_DEPENDENCY', `${error.message} in: ${field}`, { part: field.slice(start) });
    return undefined;
  }
}

function checkToken(state: SpecState, name: string, evr: string | undefined): boolean {
  const first = name.charCodeAt(0);
  if (first < 128 && !isAlnum(first) && first !== 95 && first !== 47) {
    const message = `dependency tokens must begin with alpha-numeric, '_' or '/': ${name}`;
    const hint = parseOperator(name) === undefined ? undefined : 'Name the capability before the comparison.';
    state.error('SPEC_DEPENDENCY', message, { part: name, ...(hint === undefined ? {} : { hint }) });
    return false;
  }
  if (evr === undefined) return true;
  if (name.startsWith('/')) {
    state.error('SPEC_DEPENDENCY', `versioned file name not permitted: ${name} ${evr}`, { part: name });
    return false;
  }
  if (!checkCharacters(state, evr, EVR_CHARACTERS)) return false;
  const problem = evrProblem(evr);
  if (problem === undefined) return true;
  const isFatal = state.context.expandNumeric('%{?_wrong_version_format_terminate_build}') !== 0;
  if (isFatal) state.error('SPEC_DEPENDENCY', `invalid version (${problem}): ${evr}`, { part: evr });
  return !isFatal;
}

function evrProblem(evr: string): string | undefined {
  for (const separator of ['-', ':']) {
    if (evr.split(separator).length > 2) return `double separator '${separator}'`;
  }
  const colon = evr.indexOf(':');
  if (colon >= 0 && !/^\d*$/.test(evr.slice(0, colon))) return 'epoch must be unsigned integer';
  return undefined;
}

function warnOfObsoletes(state: SpecState, field: string): void {
  if (/(^|[ \t-\r,])(>|>=|=>)([ \t-\r,]|$)/.test(field)) {
    state.report('warning', 'SPEC_OBSOLETES', `'>' in Obsoletes is not recommended: ${field}`);
  } else if (!/[<=>]/.test(field)) {
    const hint = 'Write name < version, so that a later package of that name can come back.';
    state.report('warning', 'SPEC_OBSOLETES', `unversioned Obsoletes is not recommended: ${field}`, { hint });
  }
}

function skipSeparators(text: string, start: number): number {
  let at = start;
  while (at < text.length && /[ \t-\r,]/.test(text[at]!)) at += 1;
  return at;
}

function skipToken(text: string, start: number): number {
  let at = start;
  while (at < text.length && !/[ \t-\r,]/.test(text[at]!)) at += 1;
  return at;
}
