/** How Kiln's tasks and Nx's projects name the same thing. */
import type { TargetName } from '@kiln/distribution';

/** The project of the distribution itself: toolchain and repository. */
export const DISTRIBUTION_PROJECT = 'distribution';

/** The project of the toolchain from source. */
export const BOOTSTRAP_PROJECT = 'toolchain';

/** The Nx project that has the target for this id. Images live in a name space of their own. */
export function projectNameOf(target: TargetName, id: string): string {
  switch (target) {
    case 'sources':
    case 'buildrequires':
    case 'rpm-bootstrap':
    case 'rpm':
    case 'check':
    case 'reproduce':
      return id;
    case 'image':
    case 'boot-test':
    case 'publish-image':
      return `image/${id}`;
    case 'stage-a':
      return BOOTSTRAP_PROJECT;
    case 'bootstrap-step':
      return `${BOOTSTRAP_PROJECT}/${id}`;
    case 'toolchain':
    case 'repository':
    case 'publish':
      return DISTRIBUTION_PROJECT;
  }
}
