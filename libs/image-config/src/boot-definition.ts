/** How an image starts: boot loader, kernel and the words that the kernel is given. */
import { parseDependency } from '@kiln/rpm-package';
import type { RequestedPackage } from './definition-reader.ts';
import type { RequestedArtifact } from './image-artifacts.ts';
import type { ImageConfig, SystemConfig } from './image-config-schema.ts';
import { valueAt, type LocatedJson } from './located-json.ts';
import type { ProblemList } from './problem-list.ts';

export interface BootDefinition {
  /** `efi`: firmware with UEFI; `legacy`: with a BIOS; `none`: nothing is made that starts. */
  readonly type: 'efi' | 'legacy' | 'none';
  /** Instead of a boot loader, with `efi`. */
  readonly unifiedKernel?: UnifiedKernel;
  /** Whether the kernel is told to keep to FIPS 140. */
  readonly fips?: true;
  /** Words of the kernel's command line, without those that depend on the disk. */
  readonly commandLine: readonly string[];
}

/** Kernel and command line as one program, which the firmware starts. */
export interface UnifiedKernel {
  /** Whether it is signed before others get it. */
  readonly secureBoot: boolean;
}

/** Packages with the boot loader of each type, as the distribution calls them. */
const LOADER_PACKAGES: Readonly<Partial<Record<string, string>>> = { efi: 'grub2-efi-binary', legacy: 'grub2-pc' };
/** Has the stub in front of a unified kernel image. */
const STUB_PACKAGE = 'systemd-boot';

/** Of a medium that starts with both; its boot loaders are put together from the modules. */
const MEDIUM_PACKAGES = ['grub2-pc', 'grub2-efi'];

const CGROUP_WORDS = {
  version_one: 'systemd.unified_cgroup_hierarchy=0',
  version_two: 'systemd.unified_cgroup_hierarchy=1',
} as const;

const SELINUX_WORDS = {
  enforcing: ['security=selinux', 'selinux=1'],
  force_enforcing: ['security=selinux', 'selinux=1', 'enforcing=1'],
  permissive: ['security=selinux', 'selinux=1'],
} as const;

export function toBoot(system: SystemConfig): BootDefinition {
  const { CGroup, SELinux, ImaPolicy = [], EnableFIPS, ExtraCommandLine = '' } = system.KernelCommandLine ?? {};
  return {
    type: system.BootType || 'none',
    ...(system.UnifiedKernelImage === true ? { unifiedKernel: { secureBoot: system.SecureBoot ?? false } } : {}),
    ...(EnableFIPS === true ? { fips: true } : {}),
    commandLine: [
      // Networks are told by eth0, eth1, ...
      'net.ifnames=0',
      ...(CGroup ? [CGROUP_WORDS[CGroup]] : []),
      ...(SELinux ? SELINUX_WORDS[SELinux] : []),
      ...ImaPolicy.filter((policy) => policy !== '').map((policy) => `ima_policy=${policy}`),
      ...(EnableFIPS === true ? ['fips=1'] : []),
      ...ExtraCommandLine.split(/\s+/).filter((word) => word !== ''),
    ],
  };
}

/** The boot loader: what an image must have although no list names it. */
export function loaderPackages(system: LocatedJson, artifacts: readonly RequestedArtifact[]): RequestedPackage[] {
  const type = valueAt(system, ['BootType']);
  const unified = valueAt(system, ['UnifiedKernelImage']);
  if (unified?.kind === 'scalar' && unified.value === true)
    return [{ dependency: parseDependency(STUB_PACKAGE), location: unified.location }];
  const name = type?.kind === 'scalar' ? LOADER_PACKAGES[String(type.value)] : undefined;
  const ofDisk = name === undefined ? [] : [{ dependency: parseDependency(name), location: type!.location }];
  const medium = artifacts.find(isMedium);
  const names = medium === undefined ? [] : MEDIUM_PACKAGES;
  return [...ofDisk, ...names.map((one) => ({ dependency: parseDependency(one), location: medium!.place.location }))];
}

/** Notes what a medium that starts by itself lacks. */
export function checkMedium(config: ImageConfig, artifacts: readonly RequestedArtifact[], problems: ProblemList): void {
  const medium = artifacts.find(isMedium);
  if (medium === undefined) return;
  const { location } = medium.place;
  if (!config.SystemConfigs[0]!.KernelOptions?.['default'])
    problems.add('an ISO image needs a kernel', location, "name its package in 'KernelOptions' as 'default'");
  if ((config.Disks?.[0]?.Partitions ?? []).length > 0)
    problems.add('an ISO image is made of a system without partitions', location, "remove 'Partitions'");
}

function isMedium({ kind, partition }: RequestedArtifact): boolean {
  return partition === undefined && /^iso(\.|$)/.test(kind);
}
