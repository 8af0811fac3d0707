/** The layers in the store that belong to a toolchain. */
import type { DebianToolchain } from './debian-toolchain.ts';

export function toolchainLayerKeys({ identity, layerIdentity }: DebianToolchain): string[] {
  return [`toolchain-${layerIdentity}`, `toolchain-rpm-${identity}`];
}
