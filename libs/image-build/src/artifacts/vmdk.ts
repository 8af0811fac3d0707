/** Disks of VMware, compressed as for an OVA: qemu-img's, with the image's content identifier instead of a random one. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { patchFile } from '../compose-disk.ts';
import { hexFrom } from '../disk-plan.ts';
import { ARTIFACT, scriptWriter, type ArtifactWriter } from '../made-image.ts';

/** The descriptor is text from the second sector on. */
const [DESCRIPTOR, LENGTH] = [512, 20 * 512];

export const writeVmdk: ArtifactWriter = async (made, artifact) => {
  await scriptWriter('qemu-img convert -f raw -O vmdk -o subformat=streamOptimized disk.raw artifact')(made, artifact);
  const file = await open(join(made.stage.directories.output, ARTIFACT), 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(LENGTH), 0, LENGTH, DESCRIPTOR);
    const found = /\nCID=(?=[0-9a-f]{8}\n)/.exec(buffer.toString('latin1'));
    if (found === null)
      throw new BuildError('IMAGE_ARTIFACT_FAILED', 'the VMDK file that qemu-img made has no content identifier');
    const offset = DESCRIPTOR + found.index + found[0].length;
    const bytes = Buffer.from(hexFrom(made.stage.request.identity, 'vmdk', 8), 'latin1');
    await patchFile(made.stage, ARTIFACT, [{ offset, bytes }]);
  } finally {
    await file.close();
  }
};
