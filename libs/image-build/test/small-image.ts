/** Requests of small images for tests, and what tests ask of them. */
import { join } from 'node:path';
import { sha256 } from '@kiln/build-identity';
import { BuildError } from '@kiln/diagnostics';
import type { ImageDefinition } from '@kiln/image-config';
import type { ImageRequest, ImageRpm } from '../src/index.ts';
import { noCustomization } from './no-customization.ts';
import { temporaryDirectory } from './tool-root.ts';

/** Build time of all packages of tests. */
export const EPOCH = 1_700_000_000;

/** An image of the packages alone, called `small`, but for what is said of it. */
export function smallImage(rpms: readonly ImageRpm[], definition: Partial<ImageDefinition>): ImageRequest {
  const { name = 'small' } = definition;
  return {
    definition: {
      name,
      file: `${name}.json`,
      files: [`${name}.json`],
      places: {},
      packages: [],
      artifacts: [],
      boot: { type: 'none', commandLine: [] },
      removeRpmDb: false,
      disableRpmDocs: false,
      hidepid: false,
      customization: noCustomization,
      container: { env: {}, labels: {}, exposedPorts: [], volumes: [] },
      ...definition,
    },
    identity: sha256(name),
    arch: 'x86_64',
    sourceDateEpoch: EPOCH,
    rpms,
    localFiles: {},
    outputDirectory: join(temporaryDirectory('image'), 'out'),
  };
}

/** The error that the work ends with. */
export async function failure(work: Promise<unknown>): Promise<BuildError> {
  const error: unknown = await work.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof BuildError) return error;
  throw error;
}
