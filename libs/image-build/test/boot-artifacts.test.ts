import type { ImageArtifact, ImageDefinition } from '@kiln/image-config';
import { describe, expect, it } from 'vitest';
import { bootArtifacts } from '../src/index.ts';
import { noCustomization } from './no-customization.ts';

function started(bootType: 'efi' | 'none', artifacts: readonly ImageArtifact['type'][]): string[] | undefined {
  const definition: ImageDefinition = {
    name: 'one',
    file: 'one.json',
    files: [],
    places: {},
    packages: [],
    artifacts: artifacts.map((type) => ({ type, fileName: `one.${type}` })),
    boot: { type: bootType, commandLine: [] },
    removeRpmDb: false,
    disableRpmDocs: false,
    hidepid: false,
    customization: noCustomization,
    container: { env: {}, labels: {}, exposedPorts: [], volumes: [] },
  };
  return bootArtifacts(definition)?.map(({ fileName }) => fileName);
}

describe('bootArtifacts', () => {
  it('are a disk with a boot loader, a medium, or a kernel with its RAM disk', () => {
    expect(started('efi', ['vhdx', 'qcow2'])).toEqual(['one.qcow2']);
    expect(started('none', ['squashfs', 'iso'])).toEqual(['one.iso']);
    expect(started('none', ['initrd', 'kernel'])).toEqual(['one.kernel', 'one.initrd']);
  });

  it('are not there when nothing can be started', () => {
    expect(started('none', ['qcow2'])).toBeUndefined();
    expect(started('none', ['kernel'])).toBeUndefined();
    expect(started('efi', ['oci'])).toBeUndefined();
  });
});
