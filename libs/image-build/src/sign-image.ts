/** Signs the unified kernel image of a finished image for Secure Boot, and makes its disks again with it. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { Host } from '@kiln/host';
import { DISK_ARTIFACTS, type Compression, type ImageArtifact } from '@kiln/image-config';
import { copySparse } from '@kiln/store';
import { writeDiskArtifact, type DiskArtifact } from './artifact-writers.ts';
import { DISK_FORMATS } from './disk-formats.ts';
import { DISK_FILE, planDisk } from './disk-plan.ts';
import { withWorkDirectories, type ImagePorts } from './image-ports.ts';
import type { ImageRequest } from './image-request.ts';
import { runScript, type ImageStage } from './image-stage.ts';
import { OUTPUT } from './install-packages.ts';
import { ARTIFACT } from './made-image.ts';
import { UNIFIED_KERNEL_FILE, UNIFIED_KERNEL_PATH } from './unified-kernel.ts';

/** Texts in PEM. */
export interface SecureBootKey {
  readonly certificate: string;
  /** Without a passphrase. It stands in no log and in no file of the machine. */
  readonly privateKey: string;
}

export interface SigningRequest {
  /** As the image was made; what is signed goes to its directory. */
  readonly image: ImageRequest;
  /** The unsigned artifacts. */
  readonly files: ReadonlyMap<ImageArtifact, string>;
  readonly key: SecureBootKey;
}

/** Arguments: a compression or nothing, QEMU's name of the format. */
const UNPACK_SCRIPT = `
cd ${OUTPUT}
source=/source
case $1 in
  gz) gzip --decompress --stdout /source > packed ;;
  xz) xz --decompress --stdout /source > packed ;;
  zst) zstd --quiet --decompress --stdout /source > packed ;;
esac
if [ -n "$1" ]; then source=packed; fi
qemu-img convert -f "$2" -O raw "$source" ${DISK_FILE}
rm -f packed
`;

/**
 * Arguments: where the partition for the firmware begins, in bytes. The private key is only in the sandbox's own memory. sbsign notes the time in the
 * signature: the library gives it that of the image. sbverify must agree.
 */
const SIGN_SCRIPT = `
cd ${OUTPUT}
export MTOOLS_SKIP_CHECK=1
mcopy -i "${DISK_FILE}@@$1" ::${UNIFIED_KERNEL_PATH} unsigned.efi
(umask 077; cat > /tmp/key)
clock=$(find /usr/lib -name libfaketime.so.1)
LD_PRELOAD=$clock FAKETIME=$(date --date="@$SOURCE_DATE_EPOCH" '+%Y-%m-%d %H:%M:%S') \\
  sbsign --key /tmp/key --cert certificate --output ${UNIFIED_KERNEL_FILE} unsigned.efi
rm /tmp/key
sbverify --cert certificate ${UNIFIED_KERNEL_FILE} > /dev/null
touch --date="@$SOURCE_DATE_EPOCH" ${UNIFIED_KERNEL_FILE}
mcopy -o -m -i "${DISK_FILE}@@$1" ${UNIFIED_KERNEL_FILE} ::${UNIFIED_KERNEL_PATH}
`;

/**
 * The same image and key give the same bytes (with RSA, which has no random part).
 * @returns the names of the files that it made in the directory of the request: those of the disk
 * @throws BuildError `IMAGE_SIGNING_FAILED`, `IMAGE_NOT_SIGNABLE`, `IMAGE_ARTIFACT_FAILED`, `NO_SPACE`
 */
export async function signImage(
  host: Host,
  ports: ImagePorts,
  { image, files, key }: SigningRequest,
): Promise<string[]> {
  const { definition, outputDirectory } = image;
  const [artifact, format] = sourceDisk(image);
  const names = ['root', 'output'].map((what) => `sign-${definition.name}-${what}`);
  return withWorkDirectories(ports, names, async ([root, output]) => {
    const directories = { root: root!, output: output! };
    const stage: ImageStage = { ports, request: image, directories };
    const plan = planDisk(definition.disk!, image.identity);
    const step = { code: 'IMAGE_SIGNING_FAILED', tools: 'image-tools' } as const;
    await runScript(stage, {
      ...step,
      script: UNPACK_SCRIPT,
      words: [artifact.compression ?? '', format],
      failure: `${artifact.fileName} could not be read`,
      mounts: [{ source: files.get(artifact)!, target: '/source', writable: false }],
    });
    await writeFile(join(directories.output, 'certificate'), key.certificate);
    await runScript(stage, {
      ...step,
      script: SIGN_SCRIPT,
      words: [String(plan.partitions.find((one) => one.definition.role === 'esp')!.startBytes)],
      failure: 'the unified kernel image could not be signed',
      input: key.privateKey,
    });
    await mkdir(outputDirectory, { recursive: true });
    const signed = definition.artifacts.filter(isOfDisk);
    for (const one of signed) {
      await writeDiskArtifact({ stage, plan }, one);
      await copySparse(host, join(directories.output, ARTIFACT), join(outputDirectory, one.fileName));
      await rm(join(directories.output, ARTIFACT));
    }
    return signed.map(({ fileName }) => fileName);
  });
}

function isOfDisk(artifact: ImageArtifact): artifact is DiskArtifact {
  return Object.hasOwn(DISK_ARTIFACTS, artifact.type);
}

/** One that has the whole disk, preferably not compressed, and its format. */
function sourceDisk({ definition }: ImageRequest): readonly [ImageArtifact, string] {
  const packings: readonly (Compression | undefined)[] = [undefined, 'zst', 'gz', 'xz'];
  for (const packing of packings) {
    for (const [type, format] of DISK_FORMATS) {
      const found = definition.artifacts.find((one) => one.type === type && one.compression === packing);
      if (found !== undefined) return [found, format];
    }
  }
  throw new BuildError('IMAGE_NOT_SIGNABLE', `${definition.file} makes no disk that could be signed`, {
    location: { file: definition.file, line: 1 },
    hint: `add one of: ${DISK_FORMATS.map(([type]) => type).join(', ')}`,
  });
}
