/** All that the stages need of the machine, gathered from the libraries that need it. */
import { configuredRequirements } from '@kiln/distribution';
import { programRequirement, type Requirement } from '@kiln/host';
import { sandboxRequirements } from '@kiln/sandbox';
import { sourceRequirements } from '@kiln/sources';
import { toolchainRequirements } from '@kiln/toolchain';

const git = programRequirement({
  program: 'git',
  why: 'older revisions of the tree, for `affected`',
  debianPackage: 'git',
});

const mount = programRequirement({
  program: 'mount',
  why: 'puts layers on one another',
  debianPackage: 'mount',
});

/** With what only some workspaces need. */
export function workspaceRequirements(root: string): readonly Requirement[] {
  return [...machineRequirements(), ...configuredRequirements(root)];
}

/** In the order in which they should be fixed. */
export function machineRequirements(): readonly Requirement[] {
  return [...sourceRequirements, ...toolchainRequirements, mount, ...sandboxRequirements, git];
}
