/** Schema of systems: packages and everything that is done to the root after they are installed. */
import { kernelCommandLine, partitionSetting } from './disk-schema.ts';
import { flag, name, text, textMap, texts, words } from './schema-node.ts';

const scripts = {
  type: 'array',
  items: { type: 'object', properties: { Path: name, Args: text }, required: ['Path'], additionalProperties: false },
  mergeBy: 'append',
  default: [],
  notBuilt: true,
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

export const systemConfig = {
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
