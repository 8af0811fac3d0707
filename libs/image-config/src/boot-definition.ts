/** How an image starts: boot loader, kernel and the words that the kernel is given. */
import { parseDependency } from '@kiln/rpm-package';
import type { RequestedPackage } from './definition-reader.ts';
import type { SystemConfig } from './image-config-schema.ts';
import { valueAt, type LocatedJson } from './located-json.ts';

export interface BootDefinition {
  /** `efi`: firmware with UEFI; `legacy`: with a BIOS; `none`: nothing is made that starts. */
  readonly type: 'efi' | 'legacy' | 'none';
  /** Words of the kernel's command line, without the one for the root file system. */
  readonly commandLine: readonly string[];
}

/** Packages with the boot loader of each type, as the distribution calls them. */
const LOADER_PACKAGES: Readonly<Partial<Record<string, string>>> = { efi: 'grub2-efi-binary', legacy: 'grub2-pc' };

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
export function loaderPackages(system: LocatedJson): RequestedPackage[] {
  const type = valueAt(system, ['BootType']);
  const name = type?.kind === 'scalar' ? LOADER_PACKAGES[String(type.value)] : undefined;
  return name === undefined ? [] : [{ dependency: parseDependency(name), location: type!.location }];
}
