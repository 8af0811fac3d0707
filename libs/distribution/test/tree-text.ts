/**
 * A tree in a few lines: `S: name` begins a source package with the sub-package `name`, `P: name` a further sub-package; then
 * `B requirement` for BuildRequires, `+ provides`, `- requires`, `! conflicts`, `/path` for a %files line; `recorded` says that
 * everything is known of its RPMs.
 */
import { sha256 } from '@kiln/build-identity';
import { parseDependency, parseEvr, type BinaryPackage, type Dependency } from '@kiln/rpm-package';
import type { DescribedSource, EvaluatedPackage } from '../src/package-project.ts';

interface Lists {
  readonly provides: Dependency[];
  readonly requires: Dependency[];
  readonly conflicts: Dependency[];
  readonly paths: string[];
}

interface Source {
  readonly name: string;
  readonly buildRequires: Dependency[];
  readonly packages: Map<string, Lists>;
  isRecorded: boolean;
}

export function treeOf(text: string): EvaluatedPackage[] {
  const sources: Source[] = [];
  let lists: Lists | undefined;
  const begin = (source: Source, name: string): void => {
    lists = { provides: [parseDependency(`${name} = 1-1`)], requires: [], conflicts: [], paths: [] };
    source.packages.set(name, lists);
  };
  for (const line of text
    .split('\n')
    .map((one) => one.trim())
    .filter(Boolean)) {
    const [mark, ...rest] = line.split(' ');
    const body = rest.join(' ');
    if (mark === 'S:') {
      sources.push({ name: body, buildRequires: [], packages: new Map(), isRecorded: false });
      begin(sources.at(-1)!, body);
    } else if (mark === 'P:') begin(sources.at(-1)!, body);
    else if (mark === 'B') sources.at(-1)!.buildRequires.push(parseDependency(body));
    else if (mark === '+') lists!.provides.push(parseDependency(body));
    else if (mark === '-') lists!.requires.push(parseDependency(body));
    else if (mark === '!') lists!.conflicts.push(parseDependency(body));
    else if (mark!.startsWith('/')) lists!.paths.push(line);
    else if (mark === 'recorded') sources.at(-1)!.isRecorded = true;
    else throw new Error(`not understood: ${line}`);
  }
  return sources.map(toPackage);
}

/** The id of the source package of that name. */
export const idOf = (name: string): string => `${name}/${name}`;

function toPackage({ name, buildRequires, packages, isRecorded }: Source): EvaluatedPackage {
  const specFile = `SPECS/${name}/${name}.spec`;
  const location = { file: specFile, line: 1 };
  const none = { recommends: [], suggests: [], supplements: [], enhances: [] };
  const common = { evr: parseEvr('1-1'), summary: 'S', license: 'MIT', location };
  const sourcePackage = {
    name,
    ...common,
    specFile,
    targetArch: 'x86_64',
    buildRequires: buildRequires.map((one, at) => ({ ...one, location: { file: specFile, line: at + 2 } })),
    buildConflicts: [],
    sources: [],
    generatesBuildRequires: false,
    packages: [...packages].map(([binary, { provides, requires, conflicts }]) => ({
      name: binary,
      ...common,
      ...none,
      arch: 'x86_64',
      built: true,
      provides,
      requires,
      conflicts,
      obsoletes: [],
    })) as unknown as BinaryPackage[],
    packagedPaths: Object.fromEntries([...packages].map(([binary, { paths }]) => [binary, paths])),
  } as unknown as DescribedSource;
  return {
    id: idOf(name),
    specRoot: 'SPECS',
    directory: `SPECS/${name}`,
    specFile,
    spec: { text: '', digest: sha256('') },
    sourcePackage,
    diagnostics: [],
    inputs: [specFile],
    ...(isRecorded ? { record: { packages: new Map() } } : {}),
  };
}
