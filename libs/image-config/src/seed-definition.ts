/** A NoCloud seed: a volume that tells a machine at its first start what it is to be. */
import type { DefinitionReader } from './definition-reader.ts';
import type { RequestedArtifact } from './image-artifacts.ts';
import { valueAt, type LocatedJson } from './located-json.ts';
import type { ProblemList } from './problem-list.ts';

/** Plain data. */
export interface SeedDefinition {
  /** Source in the workspace by the file's name in the volume. */
  readonly files: Readonly<Record<string, string>>;
  /** Of its meta-data: which machine it is for. */
  readonly instanceId: string;
}

/** Names in the volume, as cloud-init calls them. */
const MEMBERS = { MetaData: 'meta-data', UserData: 'user-data', NetworkConfig: 'network-config' } as const;

interface SeedPlace {
  readonly place: LocatedJson;
  readonly artifacts: readonly RequestedArtifact[];
}

/** Undefined without one; what is wrong goes to `problems`. */
export function readSeed(
  { place: system, artifacts }: SeedPlace,
  reader: DefinitionReader,
  problems: ProblemList,
): SeedDefinition | undefined {
  const place = valueAt(system, ['Seed']);
  const artifact = artifacts.find(({ kind }) => /^seed(\.|$)/.test(kind));
  if (place === undefined) {
    if (artifact !== undefined)
      problems.add("an artifact of type 'seed' needs 'Seed'", artifact.place.location, "name its 'MetaData'");
    return undefined;
  }
  if (artifact === undefined) problems.add("'Seed' has no effect", place.location, "add an artifact of type 'seed'");
  const files: Record<string, string> = {};
  for (const [member, name] of Object.entries(MEMBERS)) {
    const path = valueAt(place, [member]);
    if (path?.kind !== 'scalar') continue;
    files[name] = reader.inspectBeside({ path: String(path.value), location: path.location }, 'file').path;
  }
  const metaData = valueAt(place, ['MetaData'])!;
  const text =
    metaData.kind === 'scalar' ? reader.readBeside({ path: String(metaData.value), location: metaData.location }) : '';
  const [, instanceId] = /^instance-id: *["']?([^\s"'#]+)/m.exec(text) ?? [];
  if (instanceId === undefined)
    problems.add("there is no 'instance-id' in it", metaData.location, 'write a line such as "instance-id: one"');
  return { files, instanceId: instanceId ?? '' };
}
