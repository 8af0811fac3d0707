/** Schema of systems: packages and everything that is done to the root after they are installed. */
import { kernelCommandLine, partitionSetting } from './disk-schema.ts';
import { flag, name, text, textMap, texts, words } from './schema-node.ts';
import { readOnlyVerityRoot } from './verity-schema.ts';

const scripts = {
  type: 'array',
  items: { type: 'object', properties: { Path: name, Args: text }, required: ['Path'], additionalProperties: false },
  mergeBy: 'append',
} as const;

const PERMISSIONS = { type: 'string', pattern: '^[0-7]{3,4}$', description: 'Octal, such as 0644' } as const;
const owners = {
  Owner: { type: 'string', minLength: 1, description: 'Name or number of a user; root when it is missing' },
  Group: { type: 'string', minLength: 1, description: 'Name or number of a group; root when it is missing' },
} as const;

const additionalFile = {
  type: 'object',
  properties: { Path: name, Permissions: PERMISSIONS, ...owners },
  required: ['Path'],
  additionalProperties: false,
} as const;

const additionalDirectory = {
  type: 'object',
  properties: { Path: name, Permissions: PERMISSIONS, DirectoryPermissions: PERMISSIONS, ...owners },
  required: ['Path'],
  additionalProperties: false,
} as const;

const user = {
  type: 'object',
  properties: {
    Name: name,
    UID: text,
    PasswordHashed: { ...flag, description: 'Password is a hash as in shadow(5)' },
    Password: { type: 'string', description: 'Without one nobody can log in with a password' },
    PasswordExpiresDays: { type: 'integer', minimum: -1, maximum: 99_999, description: '-1: never' },
    SSHPubKeyPaths: { ...texts, description: 'Files beside the definition' },
    SSHPubKeys: texts,
    PrimaryGroup: { type: 'string', description: "A group of the user's own name when it is missing" },
    SecondaryGroups: texts,
    StartupCommand: { type: 'string', description: 'What a login starts; a shell when it is missing' },
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
    OnBoot: { ...flag, description: 'Whether it comes up by itself' },
    NameServer: texts,
    Device: { type: 'string', minLength: 1, description: 'Name or hardware address' },
  },
  required: ['Device'],
  additionalProperties: false,
} as const;

const packageRepository = {
  type: 'object',
  properties: {
    Name: { type: 'string', pattern: '^[^\\s/\\[\\]]+$' },
    BaseUrl: { type: 'string', pattern: '^[a-z][a-z0-9+.-]*:' },
    Install: { ...flag, description: 'Whether the image has it; else only an installer' },
    GPGCheck: { type: 'boolean', default: true },
    RepoGPGCheck: { type: 'boolean', default: true },
    GPGKeys: { type: 'string', description: 'Where the keys are; needed for checking' },
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

const seed = {
  type: 'object',
  description: 'Files of a NoCloud seed, beside the definition: what the artifact of type seed tells another machine',
  properties: {
    MetaData: { ...name, description: 'YAML with instance-id' },
    UserData: { ...name, description: 'A script, or YAML that begins with #cloud-config' },
    NetworkConfig: name,
  },
  required: ['MetaData'],
  additionalProperties: false,
} as const;

const installer = {
  type: 'object',
  description: 'Systems that an artifact of type iso installs onto disks',
  properties: {
    Systems: { type: 'array', items: name, minItems: 1, description: 'Definitions with an artifact of type tar.zst' },
    Answers: { ...name, description: 'File beside the definition; without it the installer asks' },
  },
  required: ['Systems'],
  additionalProperties: false,
} as const;

export const systemConfig = {
  type: 'object',
  properties: {
    Name: { ...name, description: 'What it is called when there are several; extending definitions refer to it' },
    IsDefault: flag,
    IsKickStartBoot: { ...flag, description: 'Installed: its PreInstallScripts say how the disk is divided' },
    IsIsoInstall: {
      ...flag,
      notBuilt: "programs of Azure Linux tell each other by it; an installer is made by 'Installer'",
    },
    BootType: { type: 'string', enum: ['efi', 'legacy', 'none', ''] },
    UnifiedKernelImage: {
      ...flag,
      description: 'With efi: the kernel and its command line are the one program that the firmware starts',
    },
    SecureBoot: { ...flag, description: 'The unified kernel image is signed when the image is published' },
    ReadOnlyVerityRoot: readOnlyVerityRoot,
    EnableGrubMkconfig: { type: 'boolean', description: 'Has no effect without a boot loader' },
    EnableSystemdFirstboot: { ...flag, description: 'systemd asks its questions at the first start' },
    // Linux has room for 64 (HOST_NAME_MAX).
    Hostname: {
      type: 'string',
      pattern: '^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.(?!$)|$))*$',
      maxLength: 64,
    },
    PackageLists: { ...texts, description: 'JSON files {"packages": […]}, relative to the file that names them' },
    Packages: { ...texts, description: 'Package names, also with a version: `name >= version`' },
    KernelOptions: { ...textMap, description: "Package of the kernel, as 'default'" },
    AdditionalFiles: {
      type: 'object',
      description: 'File beside the definition → its path or paths in the image',
      additionalProperties: {
        anyOf: [name, additionalFile, { type: 'array', items: { anyOf: [name, additionalFile] } }],
      },
    },
    AdditionalDirs: {
      type: 'object',
      description: 'Directory beside the definition → where its content goes in the image',
      additionalProperties: { anyOf: [name, additionalDirectory] },
    },
    AdditionalLinks: { ...textMap, description: 'Path of a symbolic link → what it points to' },
    PartitionSettings: { type: 'array', items: partitionSetting },
    PreInstallScripts: {
      ...scripts,
      description: 'With IsKickStartBoot: run by the installer before the disk is changed',
    },
    PostInstallScripts: scripts,
    FinalizeImageScripts: scripts,
    Networks: { type: 'array', items: network },
    PackageRepos: { type: 'array', items: packageRepository, mergeBy: 'Name' },
    Groups: {
      type: 'array',
      items: { type: 'object', properties: { Name: name, GID: text }, required: ['Name'], additionalProperties: false },
      mergeBy: 'Name',
    },
    Users: { type: 'array', items: user, mergeBy: 'Name' },
    Services: {
      type: 'object',
      description: "systemd's units, by systemctl",
      properties: { Enable: texts, Disable: texts },
      additionalProperties: false,
    },
    Encryption: {
      type: 'object',
      properties: { Enable: flag, Password: text },
      additionalProperties: false,
      default: {},
      notBuilt: 'nothing here could open such a root: there is neither an initial RAM disk nor cryptsetup',
    },
    KernelCommandLine: kernelCommandLine,
    RemoveRpmDb: { ...flag, description: 'Leave the RPM database out of the image' },
    PreserveTdnfCache: { ...flag, notBuilt: 'packages are installed by rpm alone, which leaves no cache' },
    EnableHidepid: { ...flag, description: "On a disk: /proc hides other users' processes" },
    DisableRpmDocs: { ...flag, description: 'Leave out files that packages mark as documentation' },
    OverrideRpmLocales: {
      type: 'string',
      pattern: '^[A-Za-z0-9_.@:-]*$',
      description: 'Languages whose files are kept, separated by colons, or NONE',
    },
    Container: container,
    Seed: seed,
    Installer: installer,
  },
  required: ['Name'],
  additionalProperties: false,
} as const;
