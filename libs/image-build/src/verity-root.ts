/** The tree of digests of a root that dm-verity protects, and how the kernel is told of it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { VerityRoot } from '@kiln/image-config';
import { hexFrom, MIB, partitionFile, partitionOf, SECTOR, uuidFrom, VERITY_DEVICE } from './disk-plan.ts';
import type { DiskPlan, PlannedPartition } from './disk-plan.ts';
import { runScript, type ImageStage } from './image-stage.ts';
import { OUTPUT } from './install-packages.ts';

const BLOCK = 4096;

export interface HashTree {
  /** Where it lies. */
  readonly partition: PlannedPartition;
  readonly rootHash: string;
  readonly salt: string;
}

/** Arguments: files of data and of the tree, size of the latter, salt, UUID. */
const TREE_SCRIPT = `
cd ${OUTPUT}
veritysetup format --hash=sha256 --data-block-size=${BLOCK} --hash-block-size=${BLOCK} --salt="$4" --uuid="$5" \\
  --root-hash-file=root-hash "$1" "$2" > /dev/null
if [ "$(stat --format=%s "$2")" -gt "$3" ]; then echo "too small: the digests need $(stat --format=%s "$2") bytes" >&2; exit 1; fi
truncate --size="$3" "$2"
`;

/** Of the file system of the root; undefined when it isn't protected. @throws BuildError `IMAGE_VERITY_FAILED`, `PARTITION_TOO_SMALL` */
export async function makeHashTree(stage: ImageStage, plan: DiskPlan): Promise<HashTree | undefined> {
  if (plan.verity === undefined) return undefined;
  const { hashPartition } = plan.verity;
  const partition = plan.partitions.find(({ definition }) => definition.id === hashPartition)!;
  const { identity } = stage.request;
  const salt = hexFrom(identity, 'salt of the root', 64);
  const size = partition.sizeBytes;
  await runScript(stage, {
    script: TREE_SCRIPT,
    words: [
      partitionFile(partitionOf(plan, '/')!),
      partitionFile(partition),
      String(size),
      salt,
      uuidFrom(identity, 'digests of the root'),
    ],
    tooSmall: `the partition '${hashPartition}' has ${size / MIB} MiB, which is too small for the digests of the root`,
    failure: 'the digests of the root could not be made',
    code: 'IMAGE_VERITY_FAILED',
    tools: 'image-tools',
  });
  const rootHash = (await readFile(join(stage.directories.output, 'root-hash'), 'utf8')).trim();
  return { partition, rootHash, salt };
}

/** dm-verity's optional arguments by what a changed block leads to. */
const ON_CORRUPTION: Readonly<Record<VerityRoot['onCorruption'], string>> = {
  nothing: '',
  ignore: ' 1 ignore_corruption',
  restart: ' 1 restart_on_corruption',
  panic: ' 1 panic_on_corruption',
};

/** Words of the kernel's command line by which it maps the root itself, without an initial RAM disk (its documents dm-init and verity). */
export function verityWords(plan: DiskPlan, { partition, rootHash, salt }: HashTree): string[] {
  const { name, onCorruption } = plan.verity!;
  const root = partitionOf(plan, '/')!;
  const devices = [root, partition].map(({ partUuid }) => `PARTUUID=${partUuid}`);
  const blocks = root.sizeBytes / BLOCK;
  // The tree begins behind the block that says what it is.
  const target = `verity 1 ${devices.join(' ')} ${BLOCK} ${BLOCK} ${blocks} 1 sha256 ${rootHash} ${salt}`;
  return [
    `root=${VERITY_DEVICE}`,
    `rootfstype=${root.definition.fileSystem ?? ''}`,
    'ro',
    `dm-mod.waitfor=${devices.join(',')}`,
    `dm-mod.create="${name},,,ro,0 ${root.sizeBytes / SECTOR} ${target}${ON_CORRUPTION[onCorruption]}"`,
  ];
}
