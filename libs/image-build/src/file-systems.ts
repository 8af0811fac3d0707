/** How file systems are made from files, by type: programs of the image tools; equal files give equal bytes. */
import type { FileSystem, ImageDefinition } from '@kiln/image-config';
import { labelCommands, labelContexts, labelDefinitions, type LabelledTree } from './selinux-attributes.ts';
import type { RootLabels } from './selinux-labels.ts';

/** What the script of a file system is given. */
export interface FileSystemRequest {
  /** The name for people, cut to what the type allows. */
  readonly label: string;
  readonly uuid: string;
  /** A second UUID, for what must not be random beside. */
  readonly seed: string;
}

export interface FileSystemMaker {
  /**
   * Bash. Variables: $image (a file of the right size, empty), $size (of it), $content (directory), $labels (a file, or nothing), and
   * those of `variables`.
   */
  readonly script: string;
  readonly variables: (request: FileSystemRequest) => Readonly<Record<string, string>>;
  /** Content of the file with labels; a type without it has none. */
  readonly labels?: (labels: RootLabels, tree: LabelledTree) => string;
}

/** Features are stated, so that no configuration of mke2fs decides; GRUB 2.12 reads all of them. */
const EXT_FEATURES = 'none,sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr';
const EXT4_FEATURES = `${EXT_FEATURES},has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize`;

const ext = (type: string, features: string): FileSystemMaker => ({
  script: `
label=(); if [ -n "$fslabel" ]; then label=(-L "$fslabel"); fi
mke2fs -q -F -t ${type} -b 4096 -I 256 -O ${features} "\${label[@]}" -U "$uuid" \\
  -E "hash_seed=$seed,lazy_itable_init=0,lazy_journal_init=0,nodiscard,root_owner=0:0" -d "$content" "$image"
if [ -n "$labels" ]; then
  debugfs -w -f "$labels" "$image" > /dev/null 2> "$image.said"
  # Its status doesn't tell of commands that failed.
  if grep -v '^debugfs [0-9]' "$image.said" >&2; then exit 1; fi
fi
`,
  variables: ({ label, uuid, seed }) => ({ fslabel: label.replaceAll(/[^ -~]/g, '_').slice(0, 16), uuid, seed }),
  labels: labelCommands,
});

/** Directories before what is in them, all in one order; FAT has neither owners nor links, and fewer names. */
const fat = (bits: string): FileSystemMaker => ({
  script: `
export MTOOLS_SKIP_CHECK=1
label=(); if [ -n "$fslabel" ]; then label=(-n "$fslabel"); fi
# --invariant has a serial number of its own: ours comes after it.
mkfs.vfat ${bits} --invariant -i "$serial" "\${label[@]}" "$image" > /dev/null
cd "$content"
find . -mindepth 1 ! -type d ! -type f -printf '%P is no plain file, which FAT can not hold\\n' | { ! grep . >&2; }
find . -mindepth 1 -printf '%P\\n' | sed -n '/[":*<>?\\\\|]/s/$/ has a character that FAT can not hold/p' | { ! grep . >&2; }
find . -mindepth 1 -printf '%P\\n' | LC_ALL=C sort -f | uniq -di | sed 's/$/ is there in large and in small letters, which are the same for FAT/' | { ! grep . >&2; }
find . -mindepth 1 -type d -printf '%P\\n' | LC_ALL=C sort | while IFS= read -r path; do mmd -i "$image" "::/$path"; done
find . -type f -printf '%P\\n' | LC_ALL=C sort | while IFS= read -r path; do mcopy -m -i "$image" "$path" "::/$path"; done
`,
  variables: ({ label, uuid }) => ({
    fslabel: label
      .toUpperCase()
      .replaceAll(/[^A-Z0-9 _-]/g, '_')
      .slice(0, 11),
    serial: uuid.replace('-', ''),
  }),
});

/** The maker decides on the file's size; what is behind stays empty. */
const readOnly = (command: string, labels: FileSystemMaker['labels']): FileSystemMaker => ({
  script: `
rm "$image"
${command}
made=$(stat --format=%s "$image")
if [ "$made" -gt "$size" ]; then echo "too small: its files need $(((made + 1048575) / 1048576)) MiB" >&2; exit 1; fi
truncate --size="$size" "$image"
`,
  variables: ({ uuid }) => ({ uuid }),
  ...(labels === undefined ? {} : { labels }),
});

/** Of a directory; what it is given is the file to make, the directory, a UUID, and the file with labels or nothing, as variables of the shell. */
export const MAKE_EROFS =
  'mkfs.erofs --quiet -zlz4hc --mount-point=/ -T "$SOURCE_DATE_EPOCH" --mkfs-time -U "$uuid" ${labels:+--file-contexts="$labels"} "$image" "$content"';
/** Level 9 takes an eighth of the time of the default and is a few per cent larger. */
export const MAKE_SQUASHFS =
  'mksquashfs "$content" "$image" -noappend -no-progress -quiet -comp zstd -Xcompression-level 9 -processors 2 ${labels:+-pf "$labels"} > /dev/null';

/** What one script makes; xfs takes several (make-xfs.ts). */
export const FILE_SYSTEM_MAKERS: Readonly<Record<Exclude<FileSystem, 'xfs'>, FileSystemMaker>> = {
  ext2: ext('ext2', EXT_FEATURES),
  ext3: ext('ext3', `${EXT_FEATURES},has_journal`),
  ext4: ext('ext4', EXT4_FEATURES),
  vfat: fat(''),
  fat16: fat('-F 16'),
  fat32: fat('-F 32'),
  'linux-swap': {
    script: 'mkswap --quiet --uuid "$uuid" "$image" > /dev/null\n',
    variables: ({ uuid }) => ({ uuid }),
  },
  erofs: readOnly(MAKE_EROFS, labelContexts),
  squashfs: readOnly(MAKE_SQUASHFS, labelDefinitions),
};

/** They can only be read. */
export const READ_ONLY_FILE_SYSTEMS: ReadonlySet<string> = new Set<FileSystem>(['erofs', 'squashfs']);

/** Whether the running system can't write to its root. */
export function hasReadOnlyRoot({ disk }: Pick<ImageDefinition, 'disk'>): boolean {
  const root = disk?.partitions.find(({ mount }) => mount?.point === '/');
  return disk?.verity !== undefined || READ_ONLY_FILE_SYSTEMS.has(root?.fileSystem ?? '');
}
