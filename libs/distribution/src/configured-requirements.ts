/** What a workspace needs of the machine because of its configuration. */
import type { Requirement } from '@kiln/host';
import { signingRequirements, verifyingRequirements } from '@kiln/rpm-repository';
import { archiveRequirements } from '@kiln/store';
import { repositoryToolchainRequirements } from '@kiln/toolchain';
import { readDistroConfig } from './read-distro-config.ts';

/**
 * Programs that sign, where a key is named; those that a toolchain of prebuilt RPMs is made with; those that earlier results are unpacked with. A configuration that is not in order is told by
 * who works with it.
 */
export function configuredRequirements(root: string): readonly Requirement[] {
  try {
    const { signing, toolchain, results } = readDistroConfig(root);
    return [
      ...(toolchain.provider === 'repository' ? repositoryToolchainRequirements : []),
      ...(signing === undefined ? [] : signingRequirements),
      ...(results === undefined ? [] : archiveRequirements),
      ...(results?.signedBy === undefined ? [] : verifyingRequirements),
    ];
  } catch {
    return [];
  }
}
