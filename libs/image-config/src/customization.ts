/** What a definition asks to be done to a root after its packages are installed. */
import { readAccounts, type Accounts } from './accounts.ts';
import { readAddedFiles, type AddedFile } from './additional-files.ts';
import type { DefinitionReader } from './definition-reader.ts';
import type { SystemConfig } from './image-config-schema.ts';
import { listItems, plainValue, valueAt, type LocatedJson } from './located-json.ts';
import { readNetworks, type NetworkDevice } from './network-config.ts';
import type { ProblemList } from './problem-list.ts';

export type SelinuxMode = 'enforcing' | 'permissive';

/** A script of the definition; it runs in the image's own root. */
export interface ImageScript {
  /** In the workspace. */
  readonly source: string;
  /** As a shell reads them. */
  readonly arguments: string;
}

/** A repository that the image's package manager knows. */
export interface PackageRepository {
  readonly name: string;
  readonly baseUrl: string;
  readonly checkPackages: boolean;
  readonly checkMetadata: boolean;
  readonly keys?: string;
}

/** Plain data; paths in the image are absolute. */
export interface Customization extends Accounts {
  readonly files: readonly AddedFile[];
  readonly networks: readonly NetworkDevice[];
  readonly repositories: readonly PackageRepository[];
  readonly services: { readonly enable: readonly string[]; readonly disable: readonly string[] };
  /** Whether systemd asks its questions when the image starts for the first time. */
  readonly firstBoot: boolean;
  readonly selinux?: SelinuxMode;
  /** Run after all else of this is done. */
  readonly postInstallScripts: readonly ImageScript[];
  /** Run when the root is complete, with its boot loader. */
  readonly finalizeScripts: readonly ImageScript[];
}

/** Reads it from a system; what is wrong goes to `problems`. */
export function readCustomization(system: LocatedJson, reader: DefinitionReader, problems: ProblemList): Customization {
  const { EnableSystemdFirstboot, Services, KernelCommandLine } = plainValue(system) as SystemConfig;
  const mode = KernelCommandLine?.SELinux ?? '';
  const services = { enable: Services?.Enable ?? [], disable: Services?.Disable ?? [] };
  checkServices(services, valueAt(system, ['Services']) ?? system, problems);
  return {
    ...readAccounts(system, reader, problems),
    files: readAddedFiles(system, reader, problems),
    networks: readNetworks(system, problems),
    repositories: readRepositories(system, problems),
    services,
    firstBoot: EnableSystemdFirstboot ?? false,
    ...(mode === '' ? {} : { selinux: mode === 'permissive' ? mode : ('enforcing' as const) }),
    postInstallScripts: readScripts(valueAt(system, ['PostInstallScripts']), reader),
    finalizeScripts: readScripts(valueAt(system, ['FinalizeImageScripts']), reader),
  };
}

function readScripts(list: LocatedJson | undefined, reader: DefinitionReader): ImageScript[] {
  return listItems(list).map((place) => {
    const { Path, Args = '' } = plainValue(place) as { readonly Path: string; readonly Args?: string };
    const location = valueAt(place, ['Path'])!.location;
    return { source: reader.inspectBeside({ path: Path, location }, 'file').path, arguments: Args };
  });
}

function readRepositories(system: LocatedJson, problems: ProblemList): PackageRepository[] {
  const names = new Set<string>();
  return listItems(valueAt(system, ['PackageRepos'])).flatMap((place) => {
    const written = plainValue(place) as NonNullable<SystemConfig['PackageRepos']>[number];
    const { Name, BaseUrl, Install = false, GPGCheck = true, RepoGPGCheck = true, GPGKeys = '' } = written;
    const at = (member: string) => (valueAt(place, [member]) ?? place).location;
    if (names.has(Name)) problems.add(`two repositories have the Name '${Name}'`, at('Name'));
    names.add(Name);
    for (const [member, value] of [
      ['BaseUrl', BaseUrl],
      ['GPGKeys', GPGKeys],
    ] as const)
      if (/[\n\r]/.test(value)) problems.add(`'${member}' has more than one line`, at(member));
    // Those that are not installed are for Azure Linux's installer alone.
    if (!Install) return [];
    if ((GPGCheck || RepoGPGCheck) && GPGKeys === '')
      problems.add(`the repository '${Name}' is checked but has no keys`, place.location, "add 'GPGKeys'");
    return [
      {
        name: Name,
        baseUrl: BaseUrl,
        checkPackages: GPGCheck,
        checkMetadata: RepoGPGCheck,
        ...(GPGKeys === '' ? {} : { keys: GPGKeys }),
      },
    ];
  });
}

function checkServices(
  { enable, disable }: Customization['services'],
  place: LocatedJson,
  problems: ProblemList,
): void {
  for (const unit of [...enable, ...disable])
    if (!/^[A-Za-z0-9:_.\\@-]+$/.test(unit)) problems.add(`'${unit}' can't be the name of a unit`, place.location);
  const both = enable.find((unit) => disable.includes(unit));
  if (both !== undefined) problems.add(`'${both}' is both enabled and disabled`, place.location);
}
