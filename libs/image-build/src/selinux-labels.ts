/** The labels of a root's files by the root's own policy. */
import { BuildError } from '@kiln/diagnostics';
import { readRoot } from './found-root.ts';
import type { ImageStage } from './image-stage.ts';
import { SelinuxContexts, type ContextText, type FileType } from './selinux-contexts.ts';

export const SELINUX_CONFIG = '/etc/selinux/config';

/** A path of the root and what its attribute `security.selinux` has to be. */
export interface FileLabel {
  /** Absolute; the root itself is `/`. */
  readonly path: string;
  readonly label: string;
}

export interface RootLabels {
  /** Of all files of the root, in the order of their paths. */
  readonly files: readonly FileLabel[];
  /** Of a directory that isn't in the root; undefined when the policy gives it none. */
  readonly ofDirectory: (path: string) => string | undefined;
}

/**
 * By the policy of the root's own configuration, without those that the policy gives no label; undefined when the definition names no mode of SELinux.
 * @throws BuildError `IMAGE_SELINUX_MISSING` when the root has no policy, `SELINUX_CONTEXTS_INVALID`
 */
export async function rootLabels(stage: ImageStage): Promise<RootLabels | undefined> {
  const { definition } = stage.request;
  if (definition.customization.selinux === undefined) return undefined;
  const config = (await readRoot(stage, [SELINUX_CONFIG])).text(SELINUX_CONFIG) ?? '';
  const policy = /^SELINUXTYPE=(\S+)/m.exec(config)?.[1];
  const directory = `/etc/selinux/${policy}/contexts/files`;
  const names = ['', '.homedirs', '.local', '.subs', '.subs_dist'].map((end) => `${directory}/file_contexts${end}`);
  const root = await readRoot(stage, names);
  const [base, homes, local, subs, distSubs] = names.map((file): ContextText | undefined => {
    const found = root.text(file);
    return found === undefined ? undefined : { file, text: found };
  });
  if (base === undefined) {
    throw new BuildError('IMAGE_SELINUX_MISSING', `${definition.name}: there is no ${names[0]} to label files by`, {
      hint: 'add the package of the policy',
    });
  }
  const contexts = new SelinuxContexts({
    contexts: [base, homes, local].filter((one) => one !== undefined),
    ...(subs === undefined ? {} : { subs }),
    ...(distSubs === undefined ? {} : { distSubs }),
  });
  const labelled = [{ path: '/', type: 'd' }, ...root.files]
    .flatMap(({ path, type }): FileLabel[] => {
      const label = contexts.labelOf(path, type as FileType);
      return label === undefined ? [] : [{ path, label }];
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files: labelled, ofDirectory: (path) => contexts.labelOf(path, 'd') };
}
