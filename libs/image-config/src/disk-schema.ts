/** Schema of disks: partitions, artifacts, and what a system says about its partitions and its kernel's command line. */
import { flag, name, text } from './schema-node.ts';

/** Made from a whole disk, with the extension of the file. */
export const DISK_ARTIFACTS = {
  raw: '.raw',
  qcow2: '.qcow2',
  vhd: '.vhd',
  'vhd-dynamic': '.dynamic.vhd',
  vhdx: '.vhdx',
  vmdk: '.vmdk',
  ova: '.ova',
  uki: '.efi',
} as const;

export type DiskArtifactType = keyof typeof DISK_ARTIFACTS;

/** Made from the root's files. */
const ROOT_ARTIFACTS = {
  oci: '.oci.tar',
  'tar.gz': '.tar.gz',
  'tar.xz': '.tar.xz',
  'tar.zst': '.tar.zst',
  ext4: '.ext4',
  xfs: '.xfs',
  squashfs: '.squashfs',
  erofs: '.erofs',
  initrd: '.img',
  kernel: '.vmlinuz',
  iso: '.iso',
  seed: '.seed.iso',
} as const;

/** Made from one partition. */
export const PARTITION_ARTIFACTS = { raw: '.raw', ext4: '.ext4', xfs: '.xfs' } as const;

/** Everything that Kiln builds, with the extension of the file that it makes. */
export const BUILT_ARTIFACTS = { ...DISK_ARTIFACTS, ...ROOT_ARTIFACTS } as const;
export type BuiltArtifactType = keyof typeof BUILT_ARTIFACTS;

const ARTIFACT_TYPES = [
  ...(Object.keys(BUILT_ARTIFACTS) as BuiltArtifactType[]),
  // Azure Linux 3 has these too.
  ...(['diff', 'gz', 'rdiff', 'xz'] as const),
] as const;

export type ArtifactType = (typeof ARTIFACT_TYPES)[number];

/** Programs that may pack an artifact, with what they add to the file's name. */
export const COMPRESSIONS = { gz: '.gz', xz: '.xz', zst: '.zst' } as const;
export type Compression = keyof typeof COMPRESSIONS;

const FILE_SYSTEMS = [
  ...(['fat32', 'fat16', 'vfat', 'ext2', 'ext3', 'ext4', 'xfs', 'linux-swap'] as const),
  // These two can only be read.
  ...(['erofs', 'squashfs'] as const),
] as const;
export type FileSystem = (typeof FILE_SYSTEMS)[number];

/** 64 TiB, the most of all forms of disks: that of a VHDX ([MS-VHDX] 2.6.2.2). */
const MOST_DISK_MIB = 64 * 1024 * 1024;

/** The size that mkfs.xfs (6.13, validate_supported) asks for, in MiB. */
export const LEAST_XFS_MIB = 300;

export const artifact = {
  type: 'object',
  description: 'One file to make',
  properties: {
    Name: {
      type: 'string',
      pattern: '^[A-Za-z0-9][A-Za-z0-9._+-]*$',
      description: "File name without extension; by default the definition's",
    },
    Type: {
      type: 'string',
      enum: ['', ...ARTIFACT_TYPES],
      description: 'From the disk: raw, qcow2, vhd, …; from its files: oci, tar.gz, squashfs, …',
    },
    Compression: {
      type: 'string',
      enum: ['', 'gz', 'tar.gz', 'xz', 'tar.xz', 'zst', 'tar.zst'],
      description: 'Of the file; without a Type: of the root file system',
    },
  },
  additionalProperties: false,
} as const;

const partition = {
  type: 'object',
  properties: {
    ID: name,
    Name: { type: 'string', maxLength: 35, pattern: '^[ -~]*$' },
    FsType: { type: 'string', enum: [...FILE_SYSTEMS, ''] },
    Type: text,
    TypeUUID: { type: 'string', pattern: '^([0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})?$' },
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
    MaxSize: { type: 'integer', minimum: 0, maximum: MOST_DISK_MIB, description: 'MiB' },
    TargetDisk: {
      type: 'object',
      description: 'Where an installer installs without asking',
      properties: { Type: { type: 'string', enum: ['path', ''] }, Value: text },
      additionalProperties: false,
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
        required: ['BinPath', 'BlockSize'],
        additionalProperties: false,
      },
      description:
        'Files beside the definition that are written to the disk, Seek times BlockSize bytes from its start',
    },
    Partitions: { type: 'array', items: partition },
  },
  additionalProperties: false,
} as const;

export const kernelCommandLine = {
  type: 'object',
  properties: {
    CGroup: { type: 'string', enum: ['version_one', 'version_two', ''] },
    ImaPolicy: {
      type: 'array',
      items: { type: 'string', enum: ['tcb', 'appraise_tcb', 'secure_boot', ''] },
    },
    SELinux: {
      type: 'string',
      enum: ['enforcing', 'permissive', 'force_enforcing', ''],
      description: 'The mode in /etc/selinux/config',
    },
    SELinuxPolicy: { type: 'string', description: 'Package with the policy; selinux-policy when it is missing' },
    EnableFIPS: { ...flag, description: 'The kernel allows only what FIPS 140 does; it must be built for that' },
    ExtraCommandLine: { type: 'string', pattern: '^[^`]*$' },
  },
  additionalProperties: false,
} as const;

/** Images are made of packages and files alone, so that each can be made anew. */
const BASE_IMAGE = 'no image is made from the bytes of another';

export const partitionSetting = {
  type: 'object',
  properties: {
    ID: name,
    MountPoint: text,
    MountOptions: text,
    MountIdentifier: { type: 'string', enum: ['uuid', 'partuuid', 'partlabel', ''] },
    RemoveDocs: flag,
    OverlayBaseImage: { ...text, default: '', notBuilt: BASE_IMAGE },
    RdiffBaseImage: { ...text, default: '', notBuilt: BASE_IMAGE },
  },
  required: ['ID'],
  additionalProperties: false,
} as const;
