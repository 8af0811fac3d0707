/** `toolkit/distro.json`: the one file that says what a distribution is; nothing of it is hard-coded. */
import type { JSONSchemaType } from 'ajv';
import { CHECK_CODES } from '@kiln/package-build';
import { PROVIDER_NAMES, type ToolchainConfig, type WrittenToolchainConfig } from '@kiln/toolchain';

/** All paths are relative to the workspace. */
export interface DistroConfig {
  readonly name: string;
  readonly version: string;
  /** What is built unless somebody asks for another one. */
  readonly architecture: string;
  /** Further ones that the tree is planned for, when asked. */
  readonly architectures?: string[];
  /** Directories below which every `*.spec` is a package. */
  readonly specRoots: string[];
  readonly imageDirectory: string;
  readonly macros: {
    /** Goes to rpm's vendor slot: read after rpm's own and the platform's macros. */
    readonly main: string;
    /** More macro files, read in this order before the platform's and `main`, as rpm reads `macros.d`. */
    readonly additional: string[];
    /** rpm's file of that name: `optflags: <architecture> <flags>`; other lines are for rpm alone. */
    readonly rpmrc?: string;
    /** Files that `require` finds in Lua macros, by the name that it is given, for example `forge.srpm`. */
    readonly luaModules?: Record<string, string>;
    /** Macro files of build roots alone: specs are read without them, as they come with packages that BuildRequires ask for. */
    readonly inBuildRoots?: string[];
    /** Scripts and other files that macros name, by their path below rpm's configuration directory. */
    readonly files?: Record<string, string>;
  };
  readonly defines: Record<string, string>;
  /** More of them when a package is built for its `%check`; `with_check` is 1 when omitted. */
  readonly checkDefines?: Record<string, string>;
  readonly toolchain: ToolchainConfig;
  /** Table of steps and lock of a toolchain from source, which can be made beside the one that is used. */
  readonly bootstrap?: { readonly steps: string; readonly lock: string };
  /** Results of other stores, which are taken instead of being made. */
  readonly results?: {
    /** An address (`http`, `https`, `file`) or a directory; only what a command is given when omitted. */
    readonly from?: string;
    /** Whose signature their list must have. */
    readonly signedBy?: { readonly key: string; readonly publicKey: string };
  };
  readonly sources: {
    readonly debianLock: string;
    /** Where source files are looked for when the store doesn't have them, in this order; the Debian archive, then the spec's address when omitted. */
    readonly places?: DistroSourcePlace[];
  };
  /** Directory of the records of generated provides and requires. */
  readonly provides: string;
  /** Specs that others of the tree take the place of: a replaced one is not planned. */
  readonly replaces?: { readonly spec: string; readonly by: string }[];
  /** Which package is taken where several provide a capability: name of the package by name of the capability. */
  readonly choices?: Record<string, string>;
  /** Recorded answers of shell commands in macros, when the tree has any. */
  readonly macroAnswers?: string;
  /** What built packages are measured by; every rule is an error when omitted. */
  readonly checks?: {
    /** By code of the rule; `*` stands for all that aren't named. */
    readonly severities?: Record<string, 'error' | 'warning' | 'off'>;
    /** Flags that all C and C++ code must be compiled with. */
    readonly compilerFlags?: string[];
    /** What the report of a repository finds, by its members; a warning when omitted. */
    readonly repository?: {
      readonly unprovided?: 'error' | 'warning' | 'off';
      readonly uninstallable?: 'error' | 'warning' | 'off';
      readonly fileConflicts?: 'error' | 'warning' | 'off';
    };
  };
  /** What looks at built RPMs from outside; nothing does when omitted. */
  readonly lint?: {
    /** List and lock of the Debian packages that rpmlint's root is made of. */
    readonly packages: string;
    readonly lock: string;
    /** rpmlint's configuration. */
    readonly config: string;
    /** Rules that are none of this distribution, with the reason. */
    readonly off?: Record<string, string>;
  };
  /** List and lock of the Debian packages whose programs make disks and file systems; images with these can't be made when omitted. */
  readonly imageTools?: ToolPackages;
  /** Of those that start disks in a virtual machine. */
  readonly bootTools?: ToolPackages;
  /** What publications are signed with. */
  readonly signing?: {
    /** Fingerprint of the OpenPGP key: 40 or 64 upper-case hexadecimal digits. */
    readonly key: string;
    /** File with the armored public key. */
    readonly publicKey: string;
  };
  /** What images are signed with that start with Secure Boot. */
  readonly secureBoot?: {
    /** File with the certificate in PEM, which the firmware has to know. */
    readonly certificate: string;
  };
  /** What to set aside for tasks that run at the same time; history and a default say it otherwise. */
  readonly resources?: {
    readonly default?: StatedResources;
  };
}

/** A root of tools: a list of Debian packages, and its lock. */
export interface ToolPackages {
  readonly packages: string;
  readonly lock: string;
}

/** What somebody says that a task needs. */
export interface StatedResources {
  /** Peak memory in units of 10^9 bytes. */
  readonly memoryGB?: number;
  /** Cores that are kept busy on average. */
  readonly cores?: number;
}

/** `from` is `debian-archive`, `spec-url`, or a mirror's address as `SourcePlace` describes it. */
export interface DistroSourcePlace {
  readonly from: string;
  /** Environment variable that holds the bearer token for a mirror. */
  readonly tokenVariable?: string;
}

export const DISTRO_FILE = 'toolkit/distro.json';

const path = { type: 'string', minLength: 1 } as const;
const severity = { type: 'string', enum: ['error', 'warning', 'off'], nullable: true } as const;
const amount = { type: 'number', exclusiveMinimum: 0, nullable: true } as const;
const resources = {
  type: 'object',
  additionalProperties: false,
  properties: { memoryGB: amount, cores: amount },
} as const;

const signingKey = {
  type: 'object',
  additionalProperties: false,
  required: ['key', 'publicKey'],
  properties: { key: { type: 'string', pattern: '^([0-9A-F]{40}|[0-9A-F]{64})$' }, publicKey: path },
} as const;

const toolPackages = {
  type: 'object',
  additionalProperties: false,
  nullable: true,
  required: ['packages', 'lock'],
  properties: { packages: path, lock: path },
} as const;

const ARCHITECTURES = ['x86_64', 'aarch64'];

/** The file by its schema alone. */
export type WrittenConfig = Omit<DistroConfig, 'toolchain'> & { readonly toolchain: WrittenToolchainConfig };

/** JSON Schema of the file. */
export const distroSchema: JSONSchemaType<WrittenConfig> = {
  type: 'object',
  additionalProperties: false,
  required: [
    'name',
    'version',
    'architecture',
    'specRoots',
    'imageDirectory',
    'macros',
    'defines',
    'toolchain',
    'sources',
    'provides',
  ],
  properties: {
    name: { type: 'string', pattern: '^[a-z][a-z0-9-]*$' },
    version: { type: 'string', minLength: 1 },
    architecture: { type: 'string', enum: ARCHITECTURES },
    architectures: {
      type: 'array',
      nullable: true,
      uniqueItems: true,
      items: { type: 'string', enum: ARCHITECTURES },
    },
    specRoots: { type: 'array', items: path, minItems: 1 },
    imageDirectory: path,
    macros: {
      type: 'object',
      additionalProperties: false,
      required: ['main', 'additional'],
      properties: {
        main: path,
        additional: { type: 'array', items: path },
        rpmrc: { ...path, nullable: true },
        luaModules: {
          type: 'object',
          nullable: true,
          required: [],
          propertyNames: { pattern: '^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$' },
          additionalProperties: path,
        },
        inBuildRoots: { type: 'array', items: path, nullable: true },
        files: {
          type: 'object',
          nullable: true,
          required: [],
          propertyNames: { pattern: '^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$' },
          additionalProperties: path,
        },
      },
    },
    defines: { type: 'object', required: [], additionalProperties: { type: 'string' } },
    checkDefines: { type: 'object', nullable: true, required: [], additionalProperties: { type: 'string' } },
    toolchain: {
      type: 'object',
      additionalProperties: false,
      required: ['provider'],
      properties: {
        provider: { type: 'string', enum: PROVIDER_NAMES },
        packages: { ...path, nullable: true },
        lock: { ...path, nullable: true },
        manifest: { ...path, nullable: true },
        steps: { ...path, nullable: true },
        manifestKey: { ...signingKey, nullable: true },
        requirements: {
          type: 'object',
          additionalProperties: false,
          nullable: true,
          required: ['stated', 'lock'],
          properties: { stated: path, lock: path },
        },
      },
    },
    bootstrap: {
      type: 'object',
      additionalProperties: false,
      nullable: true,
      required: ['steps', 'lock'],
      properties: { steps: path, lock: path },
    },
    results: {
      type: 'object',
      additionalProperties: false,
      nullable: true,
      properties: {
        from: { type: 'string', pattern: '^((https?|file)://|(?!.*://).)', nullable: true },
        signedBy: { ...signingKey, nullable: true },
      },
    },
    sources: {
      type: 'object',
      additionalProperties: false,
      required: ['debianLock'],
      properties: {
        debianLock: path,
        places: {
          type: 'array',
          minItems: 1,
          nullable: true,
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['from'],
            properties: {
              from: {
                type: 'string',
                pattern: '^(debian-archive|spec-url|(https?|file)://.*(/|\\{(fileName|sha256)\\}.*))$',
              },
              tokenVariable: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$', nullable: true },
            },
          },
        },
      },
    },
    provides: path,
    replaces: {
      type: 'array',
      nullable: true,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['spec', 'by'],
        properties: { spec: path, by: path },
      },
    },
    choices: { type: 'object', nullable: true, required: [], additionalProperties: path },
    macroAnswers: { ...path, nullable: true },
    checks: {
      type: 'object',
      additionalProperties: false,
      nullable: true,
      properties: {
        severities: {
          type: 'object',
          required: [],
          nullable: true,
          propertyNames: { enum: ['*', ...CHECK_CODES] },
          additionalProperties: { type: 'string', enum: ['error', 'warning', 'off'] },
        },
        compilerFlags: { type: 'array', items: { type: 'string', pattern: '^-' }, nullable: true },
        repository: {
          type: 'object',
          additionalProperties: false,
          nullable: true,
          properties: { unprovided: severity, uninstallable: severity, fileConflicts: severity },
        },
      },
    },
    lint: {
      type: 'object',
      additionalProperties: false,
      nullable: true,
      required: ['packages', 'lock', 'config'],
      properties: {
        packages: path,
        lock: path,
        config: path,
        off: { type: 'object', nullable: true, required: [], additionalProperties: { type: 'string', minLength: 10 } },
      },
    },
    imageTools: toolPackages,
    bootTools: toolPackages,
    signing: { ...signingKey, nullable: true },
    secureBoot: {
      type: 'object',
      additionalProperties: false,
      nullable: true,
      required: ['certificate'],
      properties: { certificate: path },
    },
    resources: {
      type: 'object',
      additionalProperties: false,
      nullable: true,
      properties: {
        default: { ...resources, nullable: true },
      },
    },
  },
};
