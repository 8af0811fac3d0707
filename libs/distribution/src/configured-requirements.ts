/** What a workspace needs of the machine because of its configuration. */
import type { Requirement } from '@kiln/host';
import { signingRequirements } from '@kiln/rpm-repository';
import { repositoryToolchainRequirements } from '@kiln/toolchain';
import { readDistroConfig } from './read-distro-config.ts';

/**
 * Programs that sign, where a key is named; those that a toolchain of prebuilt RPMs is made with. A configuration that is not in order is told by
 * who works with it.
 */
export function configuredRequirements(root: string): readonly Requirement[] {
  try {
    const { signing, toolchain } = readDistroConfig(root);
    return [
      ...(toolchain.provider === 'repository' ? repositoryToolchainRequirements : []),
      ...(signing === undefined ? [] : signingRequirements),
    ];
  } catch {
    return [];
  }
}
