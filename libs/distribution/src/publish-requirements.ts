/** What publications of a workspace need of the machine. */
import type { Requirement } from '@kiln/host';
import { signingRequirements } from '@kiln/rpm-repository';
import { readDistroConfig } from './distro-config.ts';

/** Nothing where no key is named. A configuration that is not in order is told by who works with it. */
export function publishRequirements(root: string): readonly Requirement[] {
  try {
    return readDistroConfig(root).signing === undefined ? [] : signingRequirements;
  } catch {
    return [];
  }
}
