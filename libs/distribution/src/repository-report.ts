/** What a user of the repository would run into: requirements that nothing provides, packages that exclude one another, files that clash. */
import { examineRepository, findConflicts, ProviderIndex, type RepositoryExamination } from '@kiln/package-graph';
import { findFileConflicts, readRpmHeader, type FileConflict } from '@kiln/rpm-repository';
import type { Store } from '@kiln/store';
import type { BuiltProvider } from './built-providers.ts';

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

/** One line for each kind of problem that there is, and where to read more. */
export function reportLines({ unprovided, uninstallable, fileConflicts }: RepositoryReport): string[] {
  const line = (count: number, what: string, first: string) =>
    count === 0 ? [] : [`${count} ${what}, first: ${first} (all in report.json of the repository)`];
  const [lack, excluded, clash] = [unprovided[0], uninstallable[0], fileConflicts[0]];
  return [
    ...line(
      unprovided.length,
      'requirements that nothing provides',
      `${lack?.dependency} of ${lack?.requiredBy.join(', ')}`,
    ),
    ...line(uninstallable.length, 'packages that cannot be installed', `${excluded?.package}`),
    ...line(fileConflicts.length, 'files that clash', `${clash?.path} of ${clash?.packages.join(' and ')}`),
  ];
}
