/**
 * The schema of image definitions: the one table from which validation, merging, "not built yet", TypeScript's types and the editors'
 * schema file come. Names and meanings are those of Azure Linux 3 image configurations; `extends`, `Container` and the artifact type
 * `oci` are ours.
 */
import type { FromSchema } from './schema-type.ts';

/** A node of the schema. The last two members are ours. */
export interface SchemaNode {
  readonly type?: 'string' | 'integer' | 'boolean' | 'array' | 'object';
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false | SchemaNode;
  /** How lists of a base and of what extends it become one: `append` without repetitions, or by the member `Name`; else replace. */
  readonly mergeBy?: 'append' | 'Name';
  /** Kiln knows the meaning but doesn't build it yet; only `default` is accepted. */
  readonly notBuilt?: true;
}

const text = { type: 'string' } as const;
const name = { type: 'string', minLength: 1 } as const;
const flag = { type: 'boolean', default: false } as const;
const texts = { type: 'array', items: name, mergeBy: 'append' } as const;
const words = { type: 'array', items: text } as const;
const textMap = { type: 'object', additionalProperties: text } as const;
const scripts = {
  type: 'array',
  items: { type: 'object', properties: { Path: name, Args: text }, required: ['Path'], additionalProperties: false },
  mergeBy: 'append',
  default: [],
  notBuilt: true,
} as const;

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

const artifact = {
  type: 'object',
  description: 'One file to make',
  properties: {
    Name: {
      type: 'string',
      pattern: '^[A-Za-z0-9][A-Za-z0-9._+-]*$',
      description: "File name without extension; by default the definition's",
    },
    Type: { type: 'string', enum: ARTIFACT_TYPES, description: 'oci: OCI archive; tar.gz: root file system' },
    Compression: { type: 'string', default: '', notBuilt: true },
  },
  required: ['Type'],
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

const disk = {
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

const kernelCommandLine = {
  type: 'object',
  properties: {
    CGroup: { type: 'string', enum: ['version_one', 'version_two', ''] },
    ImaPolicy: { type: 'array', items: { type: 'string', enum: ['tcb', 'appraise_tcb', 'secure_boot', ''] } },
    SELinux: { type: 'string', enum: ['enforcing', 'permissive', 'force_enforcing', ''] },
    SELinuxPolicy: text,
    EnableFIPS: flag,
    ExtraCommandLine: { type: 'string', pattern: '^[^`]*$' },
  },
  additionalProperties: false,
  default: {},
  notBuilt: true,
} as const;

const partitionSetting = {
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

const additionalFile = {
  type: 'object',
  properties: { Path: name, Permissions: { type: 'string', pattern: '^[0-7]{3,4}$' } },
  required: ['Path'],
  additionalProperties: false,
} as const;

const user = {
  type: 'object',
  properties: {
    Name: name,
    UID: text,
    PasswordHashed: flag,
    Password: text,
    PasswordExpiresDays: { type: 'integer', minimum: -1, maximum: 99_999 },
    SSHPubKeyPaths: texts,
    SSHPubKeys: texts,
    PrimaryGroup: text,
    SecondaryGroups: texts,
    StartupCommand: text,
    HomeDirectory: text,
  },
  required: ['Name'],
  additionalProperties: false,
} as const;

const network = {
  type: 'object',
  properties: {
    BootProto: { type: 'string', enum: ['dhcp', 'static', 'bootp', 'ibft', ''] },
    GateWay: text,
    Ip: text,
    NetMask: text,
    OnBoot: flag,
    NameServer: texts,
    Device: text,
  },
  additionalProperties: false,
} as const;

const packageRepository = {
  type: 'object',
  properties: {
    Name: name,
    BaseUrl: name,
    Install: flag,
    GPGCheck: { type: 'boolean' },
    RepoGPGCheck: { type: 'boolean' },
    GPGKeys: text,
  },
  required: ['Name', 'BaseUrl'],
  additionalProperties: false,
} as const;

const container = {
  type: 'object',
  description: 'How an OCI image is run (OCI image specification, config.md)',
  properties: {
    Cmd: { ...words, description: 'Default command' },
    Entrypoint: words,
    Env: { type: 'object', additionalProperties: text, description: 'Environment variables' },
    Labels: { ...textMap, description: 'Labels beside the org.opencontainers.image.* ones' },
    User: text,
    WorkingDir: { type: 'string', pattern: '^/' },
    ExposedPorts: { type: 'array', items: { type: 'string', pattern: '^[0-9]+(/(tcp|udp))?$' }, mergeBy: 'append' },
    Volumes: { type: 'array', items: { type: 'string', pattern: '^/' }, mergeBy: 'append' },
    StopSignal: name,
  },
  additionalProperties: false,
} as const;

const systemConfig = {
  type: 'object',
  properties: {
    Name: { ...name, description: 'What it is called when there are several; extending definitions refer to it' },
    IsDefault: flag,
    IsKickStartBoot: { ...flag, notBuilt: true },
    IsIsoInstall: { ...flag, notBuilt: true },
    BootType: { type: 'string', enum: ['efi', 'legacy', 'none', ''], default: 'none', notBuilt: true },
    EnableGrubMkconfig: { type: 'boolean', description: 'Has no effect without a boot loader' },
    EnableSystemdFirstboot: { ...flag, notBuilt: true },
    Hostname: { type: 'string', pattern: '^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.|$))*$', maxLength: 253 },
    PackageLists: { ...texts, description: 'JSON files {"packages": […]}, relative to the file that names them' },
    Packages: { ...texts, description: 'Package names, also with a version: `name >= version`' },
    KernelOptions: { ...textMap, default: {}, notBuilt: true },
    AdditionalFiles: {
      type: 'object',
      additionalProperties: {
        anyOf: [name, additionalFile, { type: 'array', items: { anyOf: [name, additionalFile] } }],
      },
      default: {},
      notBuilt: true,
    },
    PartitionSettings: { type: 'array', items: partitionSetting, default: [], notBuilt: true },
    PreInstallScripts: scripts,
    PostInstallScripts: scripts,
    FinalizeImageScripts: scripts,
    Networks: { type: 'array', items: network, default: [], notBuilt: true },
    PackageRepos: { type: 'array', items: packageRepository, mergeBy: 'Name', default: [], notBuilt: true },
    Groups: {
      type: 'array',
      items: { type: 'object', properties: { Name: name, GID: text }, required: ['Name'], additionalProperties: false },
      mergeBy: 'Name',
      default: [],
      notBuilt: true,
    },
    Users: { type: 'array', items: user, mergeBy: 'Name', default: [], notBuilt: true },
    Encryption: {
      type: 'object',
      properties: { Enable: flag, Password: text },
      additionalProperties: false,
      default: {},
      notBuilt: true,
    },
    KernelCommandLine: kernelCommandLine,
    RemoveRpmDb: { ...flag, description: 'Leave the RPM database out of the image' },
    PreserveTdnfCache: { ...flag, notBuilt: true },
    EnableHidepid: { ...flag, notBuilt: true },
    DisableRpmDocs: { ...flag, description: 'Leave out files that packages mark as documentation' },
    OverrideRpmLocales: { type: 'string', default: '', notBuilt: true },
    Container: container,
  },
  required: ['Name'],
  additionalProperties: false,
} as const;

export const imageConfigSchema = {
  type: 'object',
  properties: {
    $schema: { type: 'string', description: 'For editors' },
    extends: {
      anyOf: [name, { type: 'array', items: name }],
      description:
        'Definitions to start from, relative to this file; later ones win over earlier ones, this one over all',
    },
    Disks: { type: 'array', items: disk, description: 'A list given here replaces that of the base' },
    SystemConfigs: { type: 'array', items: systemConfig, minItems: 1, mergeBy: 'Name' },
  },
  required: ['SystemConfigs'],
  additionalProperties: false,
} as const;

export const packageListSchema = {
  type: 'object',
  properties: {
    $schema: { type: 'string', description: 'For editors' },
    summary: { type: 'string', description: 'What the packages are for, in a sentence' },
    packages: {
      type: 'array',
      items: name,
      description: 'Names, or `name op version`; what these need comes by itself',
    },
  },
  required: ['packages'],
  additionalProperties: false,
} as const;

/** A valid image definition as it is written. */
export type ImageConfig = FromSchema<typeof imageConfigSchema>;
export type SystemConfig = ImageConfig['SystemConfigs'][number];
export type ArtifactType = (typeof ARTIFACT_TYPES)[number];

/** What Kiln builds of `ARTIFACT_TYPES`, with the extension of the file it makes. */
export const BUILT_ARTIFACTS = { oci: '.oci.tar', 'tar.gz': '.tar.gz' } as const satisfies Partial<
  Record<ArtifactType, string>
>;
export type BuiltArtifactType = keyof typeof BUILT_ARTIFACTS;

/** JSON Schemas for editors, by file name: without the members that only Kiln understands. */
export function editorSchemas(): Readonly<Record<string, unknown>> {
  return {
    'image-config.schema.json': editorSchema('Image definition', imageConfigSchema),
    'package-list.schema.json': editorSchema('List of packages', packageListSchema),
  };
}

function editorSchema(title: string, schema: object): unknown {
  const plain = JSON.parse(
    JSON.stringify(schema, (key, value: unknown) => (key === 'mergeBy' || key === 'notBuilt' ? undefined : value)),
  ) as Record<string, unknown>;
  return { $schema: 'http://json-schema.org/draft-07/schema#', title, ...plain };
}
