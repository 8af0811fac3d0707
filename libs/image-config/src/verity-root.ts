/** A root file system that dm-verity protects: what a definition says of it, and what can't be. */
import type { PartitionConfig } from './disk-definition.ts';
import type { SystemConfig } from './image-config-schema.ts';
import { valueAt, type LocatedJson } from './located-json.ts';
import type { ProblemList } from './problem-list.ts';

export interface VerityRoot {
  /** Of the mapped device. */
  readonly name: string;
  /** ID of the partition with the tree of digests. */
  readonly hashPartition: string;
  /** What a changed block leads to beside an error of the read. */
  readonly onCorruption: 'nothing' | 'ignore' | 'restart' | 'panic';
}

const [BLOCK, DIGEST, MIB] = [4096, 32, 1024 * 1024];

export function toVerityRoot({ ReadOnlyVerityRoot: root }: SystemConfig): VerityRoot | undefined {
  if (root?.Enable !== true) return undefined;
  return {
    name: root.Name || 'verity_root_fs',
    hashPartition: root.HashPartition ?? '',
    onCorruption: root.VerityErrorBehavior || 'nothing',
  };
}

/** What the tree of a partition needs: a block before it, then levels of digests (SHA-256) up to one block. */
export function hashTreeMiB(dataMiB: number): number {
  let [level, blocks] = [(dataMiB * MIB) / BLOCK, 1];
  while (level > 1) {
    level = Math.ceil((level * DIGEST) / BLOCK);
    blocks += level;
  }
  return Math.ceil((blocks * BLOCK) / MIB);
}

export interface VerityUse {
  /** The system. */
  readonly place: LocatedJson;
  readonly system: SystemConfig;
  readonly partitions: readonly PartitionConfig[];
  readonly sizeMiB: (partition: PartitionConfig) => number;
  readonly problems: ProblemList;
}

/** Notes what keeps the root from being protected. */
export function checkVerityRoot({ place, system, partitions, sizeMiB, problems }: VerityUse): void {
  const verity = toVerityRoot(system);
  if (verity === undefined) return;
  const member = valueAt(place, ['ReadOnlyVerityRoot'])!;
  const { location } = valueAt(member, ['HashPartition']) ?? member;
  if (system.UnifiedKernelImage !== true) {
    const message = "the digest of a root can't be in that root: it needs a 'UnifiedKernelImage', which holds it";
    problems.add(message, member.location, "add 'UnifiedKernelImage': true");
  }
  const settings = new Map((system.PartitionSettings ?? []).map(({ ID, MountPoint }) => [ID, MountPoint]));
  const root = partitions.find(({ ID }) => settings.get(ID) === '/');
  const tree = partitions.find(({ ID }) => ID === verity.hashPartition);
  if (tree === undefined) {
    const message =
      verity.hashPartition === ''
        ? "'ReadOnlyVerityRoot' needs 'HashPartition', the partition for its digests"
        : `there is no partition '${verity.hashPartition}'`;
    return problems.add(message, location, `the partitions are: ${partitions.map(({ ID }) => ID).join(', ')}`);
  }
  if (tree.FsType || settings.get(tree.ID) || tree === root)
    problems.add(`the partition '${tree.ID}' has a file system: there is no room for digests in it`, location);
  else if (root !== undefined && sizeMiB(tree) < hashTreeMiB(sizeMiB(root))) {
    const needed = `the digests of '${root.ID}' (${sizeMiB(root)} MiB) need ${hashTreeMiB(sizeMiB(root))}`;
    problems.add(`the partition '${tree.ID}' has ${sizeMiB(tree)} MiB, and ${needed}`, location);
  }
}
