/** What a user of the repository would run into: requirements that nothing provides, packages that exclude one another, files that clash. */
import { BuildError, type Diagnostic } from '@kiln/diagnostics';
import { examineRepository, findConflicts, ProviderIndex, type RepositoryExamination } from '@kiln/package-graph';
import { findFileConflicts, readRpmHeader, type FileConflict } from '@kiln/rpm-repository';
import type { Store } from '@kiln/store';
import type { BuiltProvider } from './built-providers.ts';
import { DISTRO_FILE, type DistroConfig } from './distro-config.ts';

export interface RepositoryReport extends RepositoryExamination {
  /** Paths that packages which may be installed together install in different ways. */
  readonly fileConflicts: readonly {
    readonly path: string;
    readonly packages: readonly [string, string];
    readonly differs: FileConflict['differs'];
  }[];
}

export async function repositoryReport(store: Store, rpms: readonly BuiltProvider[]): Promise<RepositoryReport> {
  const packages = [];
  for (const provider of rpms) {
    const { package: header } = await readRpmHeader(store.blobPath(provider.blob.sha256));
    const { conflicts, obsoletes, files } = header;
    packages.push({ ...provider, conflicts, obsoletes, files: files.map(({ path }) => path), header });
  }
  const index = new ProviderIndex(packages);
  const owners = packages.map((one) => ({ name: one.name, files: one.header.files, provider: one }));
  const clashes = findFileConflicts(owners).filter(
    ({ packages: [a, b] }) => findConflicts(new Set([a.provider, b.provider]), index).length === 0,
  );
  return {
    ...examineRepository(packages),
    fileConflicts: clashes.map(({ path, packages: [a, b], differs }) => ({
      path,
      packages: [a.name, b.name],
      differs,
    })),
  };
}

type Kind = keyof RepositoryReport;

/** How a distribution takes what is found. */
export type RepositoryPolicy = NonNullable<NonNullable<DistroConfig['checks']>['repository']>;

const MOST_NAMED = 20;

const KINDS: { readonly [K in Kind]: { readonly what: string; name(found: RepositoryReport[K][number]): string } } = {
  unprovided: {
    what: 'requirements that nothing provides',
    name: ({ dependency, requiredBy }) => `${dependency} of ${requiredBy.join(', ')}`,
  },
  uninstallable: { what: 'packages that cannot be installed', name: (found) => found.package },
  fileConflicts: { what: 'files that clash', name: ({ path, packages }) => `${path} of ${packages.join(' and ')}` },
};

/**
 * One warning for each kind of problem that there is; all of them are in the report.
 * @throws BuildError `REPOSITORY_INCOMPLETE` with the problems of all kinds that the policy calls errors.
 */
export function judgeReport(report: RepositoryReport, policy: RepositoryPolicy): string[] {
  const found = (Object.keys(KINDS) as Kind[])
    .map((kind) => ({ severity: policy[kind] ?? 'warning', what: KINDS[kind].what, names: namesOf(report, kind) }))
    .filter(({ names }) => names.length > 0);
  const errors = found.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    throw new BuildError(
      'REPOSITORY_INCOMPLETE',
      `the repository has ${errors.map(({ what, names }) => `${names.length} ${what}`).join(', ')}`,
      {
        diagnostics: errors.flatMap(({ what, names }) => diagnosticsOf(what, names)),
        location: { file: DISTRO_FILE, line: 1 },
        hint: 'add what is missing, or a Conflicts where two packages exclude one another; "repository" of "checks" calls these errors',
      },
    );
  }
  return found
    .filter(({ severity }) => severity === 'warning')
    .map(({ what, names }) => `${names.length} ${what}, first: ${names[0]} (all in report.json of the repository)`);
}

function namesOf<K extends Kind>(report: RepositoryReport, kind: K): string[] {
  return (report[kind] as readonly RepositoryReport[K][number][]).map((one) => KINDS[kind].name(one));
}

function diagnosticsOf(what: string, names: readonly string[]): Diagnostic[] {
  const more = names.length > MOST_NAMED ? [`and ${names.length - MOST_NAMED} more`] : [];
  return [...names.slice(0, MOST_NAMED), ...more].map((name) => ({
    severity: 'error',
    code: 'REPOSITORY_INCOMPLETE',
    message: `${what}: ${name}`,
  }));
}
