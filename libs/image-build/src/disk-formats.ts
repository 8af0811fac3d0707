/** Disks by the type of the artifact, with QEMU's name of the format; earlier ones are preferred when one must be read. */
import type { BuiltArtifactType } from '@kiln/image-config';

export const DISK_FORMATS: readonly (readonly [BuiltArtifactType, string])[] = [
  ['qcow2', 'qcow2'],
  ['raw', 'raw'],
  ['vhdx', 'vhdx'],
  ['vhd', 'vpc'],
  ['vhd-dynamic', 'vpc'],
  ['vmdk', 'vmdk'],
];
