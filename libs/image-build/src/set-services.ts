/** Enables and disables units with the image's own systemctl, which knows what its units say. */
import { BuildError } from '@kiln/diagnostics';
import type { ImageStage } from './image-stage.ts';
import type { RootPaths } from './root-scan.ts';
import { runInImage } from './run-in-image.ts';

const SYSTEMCTL = '/usr/bin/systemctl';

/** @throws BuildError `IMAGE_SERVICE_INVALID` */
export async function setServices(stage: ImageStage, paths: RootPaths): Promise<void> {
  const { definition, log } = stage.request;
  const { services } = definition.customization;
  if (services.enable.length + services.disable.length === 0) return;
  if (paths.follow(SYSTEMCTL) === undefined) {
    throw new BuildError(
      'IMAGE_SERVICE_INVALID',
      `${definition.name}: 'Services' need systemctl, which the image lacks`,
      {
        hint: 'add the package systemd',
      },
    );
  }
  for (const verb of ['enable', 'disable'] as const) {
    if (services[verb].length === 0) continue;
    const argv = [SYSTEMCTL, '--root=/', verb, '--', ...services[verb]] as [string, ...string[]];
    const { status, stdout, stderr } = await runInImage(stage, paths, { argv });
    if (status === 0) continue;
    const said = (stderr || stdout).trim();
    throw new BuildError('IMAGE_SERVICE_INVALID', `${definition.name}: systemctl ${verb} failed: ${said}`, {
      hint: "correct the names in 'Services', or add the package that has the unit",
      log,
    });
  }
}
