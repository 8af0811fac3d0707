/** Schema of disks: partitions, artifacts, and what a system says about its partitions and its kernel's command line. */
import { flag, name, text } from './schema-node.ts';

/** Artifact types of Azure Linux 3 and `oci`. */
const ARTIFACT_TYPES = [
  'oci',
  'tar.gz',
  'diff',
  'ext4',
  'gz',
  'initrd',
  'iso',
  'ova',
  'qcow2',
  'raw',
  'rdiff',
  'squashfs',
  'tar.xz',
  'vhd',
  'vhdx',
  'xz',
] as const;

export type ArtifactType = (typeof ARTIFACT_TYPES)[number];

/** What Kiln builds of `ARTIFACT_TYPES`, with the extension of the file it makes. */
export const BUILT_ARTIFACTS = { oci: '.oci.tar', 'tar.gz': '.tar.gz' } as const satisfies Partial<
  Record<ArtifactType, string>
>;
export type BuiltArtifactType = keyof typeof BUILT_ARTIFACTS;

export const artifact = {
  type: 'object',
  description: 'One file to make',
  properties: {
    Name: {
      type: 'string',
      pattern: '^[A-Za-z0-9][A-Za-z0-9._+-]*$',
      description: "File name without extension; by default the definition's",
    },
    Type: { type: 'string', enum: ['', ...ARTIFACT_TYPES], description: 'oci: OCI archive; tar.gz: root file system' },
    Compression: {
      type: 'string',
      enum: ['', 'gz', 'tar.gz', 'xz', 'tar.xz'],
      description: 'Of the file; without a Type: of the root file system',
    },
  },
  additionalProperties: false,
} as const;

const partition = {
  type: 'object',
  properties: {
    ID: name,
    Name: { type: 'string', maxLength: 35 },
    FsType: { type: 'string', enum: ['fat32', 'fat16', 'vfat', 'ext2', 'ext3', 'ext4', 'xfs', 'linux-swap', ''] },
    Type: text,
    TypeUUID: text,
    Start: { type: 'integer', minimum: 0 },
    End: { type: 'integer', minimum: 0 },
    Flags: {
      type: 'array',
      items: { type: 'string', enum: ['esp', 'grub', 'bios_grub', 'bios-grub', 'boot', 'dmroot'] },
    },
    Artifacts: { type: 'array', items: artifact },
  },
  required: ['ID'],
  additionalProperties: false,
} as const;

export const disk = {
  type: 'object',
  properties: {
    PartitionTableType: { type: 'string', enum: ['gpt', 'mbr', ''], description: 'Has no effect without partitions' },
    MaxSize: { type: 'integer', minimum: 0, description: 'MiB', default: 0, notBuilt: true },
    TargetDisk: {
      type: 'object',
      properties: { Type: { type: 'string', enum: ['path', ''] }, Value: text },
      additionalProperties: false,
      default: {},
      notBuilt: true,
    },
    Artifacts: { type: 'array', items: artifact, description: 'Files to make from the whole' },
    RawBinaries: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          BinPath: name,
          BlockSize: { type: 'integer', minimum: 1 },
          Seek: { type: 'integer', minimum: 0 },
        },
        required: ['BinPath'],
        additionalProperties: false,
      },
      default: [],
      notBuilt: true,
    },
    Partitions: { type: 'array', items: partition, default: [], notBuilt: true },
  },
  additionalProperties: false,
} as const;

export const kernelCommandLine = {
  type: 'object',
  properties: {
    CGroup: { type: 'string', enum: ['version_one', 'version_two', ''], default: '', notBuilt: true },
    ImaPolicy: {
      type: 'array',
      items: { type: 'string', enum: ['tcb', 'appraise_tcb', 'secure_boot', ''] },
      default: [],
      notBuilt: true,
    },
    SELinux: {
      type: 'string',
      enum: ['enforcing', 'permissive', 'force_enforcing', ''],
      description: 'The mode in /etc/selinux/config',
    },
    SELinuxPolicy: { type: 'string', description: 'Package with the policy; selinux-policy when it is missing' },
    EnableFIPS: { ...flag, notBuilt: true },
    ExtraCommandLine: { type: 'string', pattern: '^[^`]*$', default: '', notBuilt: true },
  },
  additionalProperties: false,
} as const;

export const partitionSetting = {
  type: 'object',
  properties: {
    ID: name,
    MountPoint: text,
    MountOptions: text,
    MountIdentifier: { type: 'string', enum: ['uuid', 'partuuid', 'partlabel', ''] },
    RemoveDocs: flag,
    OverlayBaseImage: text,
    RdiffBaseImage: text,
  },
  required: ['ID'],
  additionalProperties: false,
} as const;
