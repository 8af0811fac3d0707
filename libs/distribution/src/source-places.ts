/** The places of a distribution's source files, as its configuration orders them. */
import { join } from 'node:path';
import type { SourcePlace } from '@kiln/sources';
import type { DistroConfig, DistroSourcePlace } from './distro-config.ts';

const DEFAULT: readonly DistroSourcePlace[] = [{ from: 'debian-archive' }, { from: 'spec-url' }];

export function sourcePlaces(root: string, { sources }: DistroConfig): SourcePlace[] {
  const lock = join(root, sources.debianLock);
  return (sources.places ?? DEFAULT).map(({ from, tokenVariable }): SourcePlace => {
    if (from === 'spec-url') return { kind: 'spec-url' };
    if (from === 'debian-archive') return { kind: 'debian-archive', lock };
    return { kind: 'mirror', template: from, ...(tokenVariable === undefined ? {} : { tokenVariable }) };
  });
}
