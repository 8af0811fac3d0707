/** What is wrong with a planned build root, at the line of the spec that asks for it. */
import type { Diagnostic } from '@kiln/diagnostics';
import type { Closure, Conflict, Unresolved } from '@kiln/package-graph';
import { formatDependency, satisfies, type LocatedDependency, type SourcePackage } from '@kiln/rpm-package';
import { ambiguousChoices } from './universe.ts';

/** The nearest known name, for "did you mean". */
export type NearestName = (name: string) => string | undefined;

/** Diagnostics of one build root: what nobody provides, what can't be installed together, what no rule decides. */
export function rootDiagnostics(
  source: SourcePackage | undefined,
  closure: Closure,
  nearest: NearestName,
): Diagnostic[] {
  const buildRequires = source?.buildRequires ?? [];
  const locate = (text: string): Pick<Diagnostic, 'location'> => {
    const location = buildRequires.find((one) => formatDependency(one) === text)?.location;
    return location === undefined ? {} : { location };
  };
  return [
    ...closure.unresolved.map((lack) => unresolvedDiagnostic(lack, locate, nearest)),
    ...closure.conflicts.map((conflict) => conflictDiagnostic(conflict, source)),
    ...buildConflicts(source, closure),
    ...ambiguousChoices(closure.choices).map(({ dependency, chosen, others }): Diagnostic => ({
      severity: 'warning',
      code: 'DEPENDENCY_AMBIGUOUS',
      message: `${[chosen, ...others].join(' and ')} provide '${dependency}'; '${chosen}' is taken, the first by name`,
      ...locate(dependency),
      hint: `say which one: "choices": { "${dependency.split(' ')[0]}": "${chosen}" } in toolkit/distro.json`,
    })),
  ];
}

type Locate = (text: string) => Pick<Diagnostic, 'location'>;

function unresolvedDiagnostic(
  { dependency, requiredBy, offers }: Unresolved,
  locate: Locate,
  nearest: NearestName,
): Diagnostic {
  const text = formatDependency(dependency);
  const offered = offers.map(formatDependency).join(', ');
  const near = offers.length > 0 ? undefined : nearest(dependency.name);
  const found = offers.length > 0 ? `; the tree offers ${offered}` : '';
  return {
    severity: 'error',
    code: 'DEPENDENCY_UNRESOLVED',
    message:
      requiredBy === undefined
        ? `nothing provides the BuildRequires '${text}'${found}`
        : `nothing provides '${text}', which ${requiredBy} in the build root requires${found}`,
    ...locate(text),
    hint: near === undefined ? 'add a package that provides it, or remove the requirement' : `did you mean '${near}'?`,
  };
}

const CONFLICT_WORDS: Readonly<Record<Conflict['kind'], string>> = {
  conflicts: 'conflicts with',
  obsoletes: 'obsoletes',
  'same name': 'has the same name as',
};

/** rpm would refuse to install the root. The place is the BuildRequires that names one of the two, when there is one. */
function conflictDiagnostic(conflict: Conflict, source: SourcePackage | undefined): Diagnostic {
  const { kind, dependency } = conflict;
  const names = [conflict.package, ...conflict.with];
  const asking = source?.buildRequires.find(({ name }) => names.includes(name));
  return {
    severity: 'error',
    code: 'DEPENDENCY_CONFLICT',
    message: `the build root needs ${names.join(' and ')}, but ${conflict.package} ${CONFLICT_WORDS[kind]} ${conflict.with.join(' and ') || dependency}`,
    ...(asking?.location === undefined ? {} : { location: asking.location }),
    hint: `require only one of them, or correct '${dependency}' in ${conflict.package}`,
  };
}

/** rpmbuild checks BuildConflicts against the root's database (rpmSpecCheckDeps, build/build.c). */
function buildConflicts(source: SourcePackage | undefined, { members }: Closure): Diagnostic[] {
  const stated: readonly LocatedDependency[] = source?.buildConflicts ?? [];
  return stated.flatMap((conflict): Diagnostic[] => {
    const hit = members.find(({ provides }) => provides.some((one) => satisfies(one, conflict)));
    if (hit === undefined) return [];
    return [
      {
        severity: 'error',
        code: 'DEPENDENCY_CONFLICT',
        message: `BuildConflicts '${formatDependency(conflict)}': ${hit.name} is in the build root`,
        ...(conflict.location === undefined ? {} : { location: conflict.location }),
        hint: `remove what requires ${hit.name}, or the BuildConflicts`,
      },
    ];
  });
}
