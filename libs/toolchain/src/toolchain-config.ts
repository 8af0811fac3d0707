/** `toolchain` of `toolkit/distro.json`: which provider gives stage 1, and the files that pin it. All paths are relative to the workspace. */

export type ProviderName = 'debian' | 'debian-full' | 'repository' | 'bootstrap';

/** As it stands in the file; `CONFIG_MEMBERS` says what each provider has. */
export interface WrittenToolchainConfig {
  readonly provider: ProviderName;
  readonly packages?: string;
  readonly lock?: string;
  /** Stated answers and Debian packages that are left out; the generated lock of what Debian answers. */
  readonly requirements?: { readonly stated: string; readonly lock: string };
  readonly manifest?: string;
  /** Table of the steps of a bootstrap. */
  readonly steps?: string;
  readonly manifestKey?: ManifestKey;
}

/** The manifest must be signed: `<manifest>.asc` is a signature by this key. */
export interface ManifestKey {
  /** Fingerprint: 40 or 64 upper-case hexadecimal digits. */
  readonly key: string;
  /** File with the armored public key. */
  readonly publicKey: string;
}

/** `debian-full` is for trying foreign specs: Debian's packages answer BuildRequires. Its RPMs are never published. */
export type ToolchainConfig =
  | (Required<Pick<WrittenToolchainConfig, 'packages' | 'lock'>> & {
      readonly provider: 'debian';
    })
  | (Required<Pick<WrittenToolchainConfig, 'packages' | 'lock' | 'requirements'>> & {
      readonly provider: 'debian-full';
    })
  | (Required<Pick<WrittenToolchainConfig, 'manifest'>> &
      Pick<WrittenToolchainConfig, 'manifestKey'> & { readonly provider: 'repository' })
  | (Required<Pick<WrittenToolchainConfig, 'steps' | 'lock'>> & { readonly provider: 'bootstrap' });

type Member = Exclude<keyof WrittenToolchainConfig, 'provider'>;

const CONFIG_MEMBERS: Readonly<
  Record<ProviderName, { readonly required: readonly Member[]; readonly optional: readonly Member[] }>
> = {
  debian: { required: ['packages', 'lock'], optional: [] },
  'debian-full': { required: ['packages', 'lock', 'requirements'], optional: [] },
  repository: { required: ['manifest'], optional: ['manifestKey'] },
  bootstrap: { required: ['steps', 'lock'], optional: [] },
};

export const PROVIDER_NAMES = Object.keys(CONFIG_MEMBERS) as ProviderName[];

/** What is wrong with the members for this provider; undefined when the configuration is a `ToolchainConfig`. */
export function toolchainConfigProblem(config: WrittenToolchainConfig): string | undefined {
  const { provider, ...members } = config;
  const { required, optional } = CONFIG_MEMBERS[provider];
  const lack = required.find((one) => members[one] === undefined);
  if (lack !== undefined) return `the provider '${provider}' needs '${lack}' in 'toolchain'`;
  const excess = (Object.keys(members) as Member[]).find((one) => ![...required, ...optional].includes(one));
  return excess === undefined ? undefined : `the provider '${provider}' takes no '${excess}' in 'toolchain'`;
}

/** All files that the configuration names. */
export function toolchainFiles(config: ToolchainConfig): string[] {
  switch (config.provider) {
    case 'debian':
      return [config.packages, config.lock];
    case 'debian-full':
      return [config.packages, config.lock, config.requirements.stated, config.requirements.lock];
    case 'repository': {
      const { manifest, manifestKey } = config;
      return manifestKey === undefined ? [manifest] : [manifest, `${manifest}.asc`, manifestKey.publicKey];
    }
    case 'bootstrap':
      return [config.steps, config.lock];
  }
}

/** The file that pins every byte of stage 1. */
export function toolchainLockFile(config: ToolchainConfig): string {
  switch (config.provider) {
    case 'repository':
      return config.manifest;
    case 'bootstrap':
      return config.steps;
    default:
      return config.lock;
  }
}
