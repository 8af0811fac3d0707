/** What artifacts are written from. */
import type { ImageArtifact } from '@kiln/image-config';
import type { PackagesLayer } from './container-layers.ts';
import type { DiskPlan } from './disk-plan.ts';
import { runScript, type ImageStage } from './image-stage.ts';
import type { PackedRoot } from './pack-root.ts';
import type { RootLabels } from './selinux-labels.ts';

export interface MadeDisk {
  readonly stage: ImageStage;
  /** Of the disk in the output directory; absent without partitions. */
  readonly plan?: DiskPlan;
}

export interface MadeImage extends MadeDisk {
  readonly packed: PackedRoot;
  /** When the image is a container, too. */
  readonly packagesLayer?: PackagesLayer;
  /** Absent without SELinux. */
  readonly labels?: RootLabels;
}

/** Writes the file `ARTIFACT` in the output directory; equal images give equal bytes. */
export type ArtifactWriter = (made: MadeImage, artifact: ImageArtifact) => Promise<void>;

/** One that needs the disk alone. */
export type DiskWriter = (made: MadeDisk, artifact: ImageArtifact) => Promise<void>;

/** The file that a writer makes. */
export const ARTIFACT = 'artifact';

/** A writer that is a script of bash: it runs in the output directory with the image tools. */
export function scriptWriter(script: string, words: (made: MadeDisk) => readonly string[] = () => []): DiskWriter {
  return async (made, { type }) => {
    await runScript(made.stage, {
      script: `cd /output\n${script}`,
      words: words(made),
      failure: `the artifact of type '${type}' could not be made`,
      code: 'IMAGE_ARTIFACT_FAILED',
      tools: 'image-tools',
    });
  };
}
