/** A definition that asks for nothing but packages. */
import type { Customization } from '@kiln/image-config';

export const noCustomization: Customization = {
  groups: [],
  users: [],
  files: [],
  networks: [],
  repositories: [],
  services: { enable: [], disable: [] },
  firstBoot: false,
  postInstallScripts: [],
  finalizeScripts: [],
};
