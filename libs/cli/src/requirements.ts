/** All that the stages need of the machine, gathered from the libraries that need it. */
import { programRequirement, type Requirement } from '@kiln/host';
import { sandboxRequirements } from '@kiln/sandbox';
import { sourceRequirements } from '@kiln/sources';
import { toolchainRequirements } from '@kiln/toolchain';

const git = programRequirement({
  program: 'git',
  why: 'older revisions of the tree, for `affected`',
  debianPackage: 'git',
});

/** In the order in which they should be fixed. */
export function machineRequirements(): readonly Requirement[] {
  return [...sourceRequirements, ...toolchainRequirements, ...sandboxRequirements, git];
}
