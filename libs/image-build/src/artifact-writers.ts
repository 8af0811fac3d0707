/** The table of artifacts: who writes which type. */
import { link } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltArtifactType, Compression, DiskArtifactType, ImageArtifact } from '@kiln/image-config';
import { writeInitrd, writeKernel } from './artifacts/initrd.ts';
import { writeIso } from './artifacts/iso.ts';
import { writeOci } from './artifacts/oci.ts';
import { writeOva } from './artifacts/ova.ts';
import { writeErofs, writeExt4, writeSquashfs, writeXfs } from './artifacts/root-file-system.ts';
import { writeSeed } from './artifacts/seed.ts';
import { writeTarGz } from './artifacts/tar-gz.ts';
import { writeDynamicVhd, writeFixedVhd } from './artifacts/vhd.ts';
import { writeVhdx } from './artifacts/vhdx.ts';
import { writeVmdk } from './artifacts/vmdk.ts';
import { DISK_FILE, partitionFile, type PlannedPartition } from './disk-plan.ts';
import {
  ARTIFACT,
  scriptWriter,
  type ArtifactWriter,
  type DiskWriter,
  type MadeDisk,
  type MadeImage,
} from './made-image.ts';
import { UNIFIED_KERNEL_FILE } from './unified-kernel.ts';

const DISK_WRITERS: Readonly<Record<DiskArtifactType, DiskWriter>> = {
  raw: (made) => linkArtifact(made, DISK_FILE),
  qcow2: scriptWriter('qemu-img convert -f raw -O qcow2 -c -o compression_type=zstd disk.raw artifact'),
  vhd: writeFixedVhd,
  'vhd-dynamic': writeDynamicVhd,
  vhdx: writeVhdx,
  vmdk: writeVmdk,
  ova: writeOva,
  uki: scriptWriter(`cp ${UNIFIED_KERNEL_FILE} artifact`),
};

const WRITERS: Readonly<Record<BuiltArtifactType, ArtifactWriter>> = {
  ...DISK_WRITERS,
  oci: writeOci,
  'tar.gz': writeTarGz,
  'tar.xz': scriptWriter('xz --stdout -T2 -6 root.tar > artifact'),
  'tar.zst': scriptWriter('zstd --quiet -T2 -12 --check --stdout root.tar > artifact'),
  ext4: writeExt4,
  xfs: writeXfs,
  squashfs: writeSquashfs,
  erofs: writeErofs,
  initrd: writeInitrd,
  kernel: writeKernel,
  iso: writeIso,
  seed: writeSeed,
};

export type DiskArtifact = ImageArtifact & { readonly type: DiskArtifactType };

/** A fixed number of threads above one: the bytes don't depend on the machine's cores. */
const COMPRESSORS: Readonly<Record<Compression, string>> = {
  gz: 'gzip --no-name -6',
  xz: 'xz -T2 -6',
  zst: 'zstd --quiet -T2 -12 --check',
};

/** Writes an artifact of the whole. */
export async function writeArtifact(made: MadeImage, artifact: ImageArtifact): Promise<void> {
  await WRITERS[artifact.type](made, artifact);
  await compress(made, artifact);
}

/** Writes an artifact of the disk alone. */
export async function writeDiskArtifact(made: MadeDisk, artifact: DiskArtifact): Promise<void> {
  await DISK_WRITERS[artifact.type](made, artifact);
  await compress(made, artifact);
}

/** Writes an artifact of one partition. */
export async function writePartitionArtifact(
  made: MadeImage,
  partition: PlannedPartition,
  artifact: ImageArtifact,
): Promise<void> {
  await linkArtifact(made, partitionFile(partition));
  await compress(made, artifact);
}

/** A file of the output directory as it is. */
async function linkArtifact({ stage: { directories } }: MadeDisk, file: string): Promise<void> {
  await link(join(directories.output, file), join(directories.output, ARTIFACT));
}

async function compress(made: MadeDisk, artifact: ImageArtifact): Promise<void> {
  if (artifact.compression === undefined) return;
  await scriptWriter(`${COMPRESSORS[artifact.compression]} --stdout artifact > packed\nmv packed artifact`)(
    made,
    artifact,
  );
}
