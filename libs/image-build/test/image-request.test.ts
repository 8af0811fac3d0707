import { digestOf, sha256 } from '@kiln/build-identity';
import type { ImageDefinition } from '@kiln/image-config';
import { describe, expect, it } from 'vitest';
import { IMAGE_RECIPE_VERSION, imageActionRequest, type ImageIdentity } from '../src/index.ts';
import { noCustomization } from './no-customization.ts';

const definition: ImageDefinition = {
  name: 'small',
  file: 'images/small.json',
  files: ['images/small.json'],
  places: {},
  packages: [{ dependency: { name: 'bash' }, location: { file: 'images/small.json', line: 3 } }],
  artifacts: [{ type: 'oci', fileName: 'small.oci.tar' }],
  boot: { type: 'none', commandLine: [] },
  removeRpmDb: false,
  disableRpmDocs: false,
  hidepid: false,
  customization: noCustomization,
  container: { env: {}, labels: {}, exposedPorts: [], volumes: [] },
};
const identity: ImageIdentity = {
  definition,
  arch: 'x86_64',
  sourceDateEpoch: 1,
  rpms: [{ nevra: 'bash-5-1.x86_64', artifactDigest: sha256('bash') }],
  localFiles: {},
  toolchain: 'toolchain',
};
const user = { name: 'me', sshKeys: [], secondaryGroups: [] };
const key = (changed: Partial<ImageIdentity>) => digestOf(imageActionRequest({ ...identity, ...changed }));

describe('imageActionRequest', () => {
  it('is this request; another one needs a new recipe version', () => {
    expect(imageActionRequest(identity)).toEqual({
      stage: 'image',
      recipeVersion: IMAGE_RECIPE_VERSION,
      arch: 'x86_64',
      sourceDateEpoch: 1,
      toolchain: 'toolchain',
      localFiles: {},
      definition: {
        boot: { type: 'none', commandLine: [] },
        name: 'small',
        artifacts: [{ type: 'oci', fileName: 'small.oci.tar' }],
        removeRpmDb: false,
        disableRpmDocs: false,
        hidepid: false,
        customization: noCustomization,
        container: { env: {}, labels: {}, exposedPorts: [], volumes: [] },
      },
      rpms: [{ nevra: 'bash-5-1.x86_64', artifactDigest: sha256('bash'), origin: null }],
    });
  });

  it('is the same wherever the definition was written', () => {
    expect(key({ definition: { ...definition, file: 'b.json', files: ['a', 'b'], packages: [] } })).toBe(key({}));
  });

  it.each<[string, Partial<ImageIdentity>]>([
    ['another package', { rpms: [{ nevra: 'bash-5-1.x86_64', artifactDigest: sha256('other') }] }],
    ['another script', { localFiles: { 'images/run': sha256('other') } }],
    ['another origin', { rpms: [{ nevra: 'bash-5-1.x86_64', artifactDigest: sha256('bash'), origin: 'other.spec' }] }],
    ['another toolchain', { toolchain: 'other' }],
    ['another time', { sourceDateEpoch: 2 }],
    ['another architecture', { arch: 'aarch64' }],
    ['another artifact', { definition: { ...definition, artifacts: [] } }],
    ['a user', { definition: { ...definition, customization: { ...noCustomization, users: [user] } } }],
    ['a host name', { definition: { ...definition, hostname: 'a' } }],
    ['another environment', { definition: { ...definition, container: { ...definition.container, env: { A: '1' } } } }],
  ])('is another one for %s', (_, changed) => {
    expect(key(changed)).not.toBe(key({}));
  });
});
