/** A file system to make. */
import type { FileSystemRequest } from './file-systems.ts';
import type { StageScript } from './image-stage.ts';
import type { LabelledTree } from './selinux-attributes.ts';
import type { RootLabels } from './selinux-labels.ts';

export interface NewFileSystem extends FileSystemRequest {
  /** Its name in the output directory. */
  readonly file: string;
  readonly sizeBytes: number;
  /** What it is made of: a directory in the sandbox. */
  readonly content: string;
  /** Of SELinux; absent when the files get none. */
  readonly labels?: { readonly root: RootLabels; readonly tree: LabelledTree };
  /** How its failure is told, and what lies over the content. */
  readonly step: Pick<StageScript, 'failure' | 'code' | 'tooSmall' | 'mounts'>;
}
