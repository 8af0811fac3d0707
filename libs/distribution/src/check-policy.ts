/** What the distribution makes of the findings of its checks, and what of them a package is excused from. */
import type { CheckPolicy } from '@kiln/package-build';
import type { DistroConfig } from './distro-config.ts';
import type { PackageSettings } from './package-settings.ts';

export function checkPolicy({ checks }: DistroConfig, { waivers = [] }: PackageSettings = {}): CheckPolicy {
  return { severities: checks?.severities ?? {}, compilerFlags: checks?.compilerFlags ?? [], waivers };
}
