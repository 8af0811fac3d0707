/** All that the stages need of the machine, gathered from the libraries that need it. */
import type { Requirement } from '@kiln/host';
import { sandboxRequirements } from '@kiln/sandbox';

/** In the order in which they should be fixed. */
export function machineRequirements(): readonly Requirement[] {
  return [...sandboxRequirements];
}
