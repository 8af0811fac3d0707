/** Copies of a disk for the boot test: signed with keys of the test alone, and with a changed byte. */
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import type { ImageDefinition, PartitionDefinition } from '@kiln/image-config';
import { MIB } from './disk-plan.ts';
import { SCRATCH, type ImagePorts } from './image-ports.ts';
import { UNIFIED_KERNEL_PATH } from './unified-kernel.ts';
import type { BootSource } from './virtual-machine.ts';

type Disk = Extract<BootSource, { readonly disk: string }>;

export interface ProtectedDisks {
  /** What must start: signed, where the definition asks for it. */
  readonly started: Disk;
  /** As it was made, in front of a firmware that wants signatures. */
  readonly unsigned?: Disk;
  /** With another byte at the start of the root, where no file system has anything; unless that is to be ignored. */
  readonly changed?: Disk;
}

/** Owner of the keys in the firmware's variables; of no meaning. */
const OWNER = '2e7f8a4c-6d1b-4f53-9a0e-5c3d8b1f7a62';

/** Arguments: format of the disk. */
const COPY_SCRIPT = `qemu-img convert -f "$1" -O raw /disk disk.raw`;

/** Arguments: place of the partition for the firmware in bytes. The keys are thrown away with the directory. */
const SIGN_SCRIPT = `
printf '[req]\\ndistinguished_name=name\\n[name]\\n' > request
OPENSSL_CONF=request openssl req -new -x509 -newkey rsa:2048 -noenc -keyout key -out certificate -subj '/CN=Boot test' -days 36500 2> openssl.log
virt-fw-vars --loglevel WARNING -i /usr/share/OVMF/OVMF_VARS_4M.fd -o keys.fd --sb \\
  --set-pk ${OWNER} certificate --add-kek ${OWNER} certificate --add-db ${OWNER} certificate
export MTOOLS_SKIP_CHECK=1
mcopy -i "disk.raw@@$1" ::${UNIFIED_KERNEL_PATH} unsigned.efi
sbsign --key key --cert certificate --output signed.efi unsigned.efi 2> sbsign.log
mcopy -o -i "disk.raw@@$1" signed.efi ::${UNIFIED_KERNEL_PATH}
`;

/** Arguments: place of the byte. */
const CHANGE_SCRIPT = `
cp --sparse=always disk.raw changed.raw
printf 'x' | dd of=changed.raw bs=1 seek="$1" conv=notrunc status=none
`;

interface DisksRequest {
  readonly definition: ImageDefinition;
  /** What the image is started from. */
  readonly sources: readonly BootSource[];
  /** An empty work directory. */
  readonly scratch: string;
}

/** Undefined when nothing of the image is protected, or it doesn't start from one disk. @throws BuildError `BOOT_TEST_FAILED` */
export async function protectedDisks(
  ports: ImagePorts,
  { definition, sources, scratch }: DisksRequest,
): Promise<ProtectedDisks | undefined> {
  const [source, second] = sources;
  if (source === undefined || second !== undefined || !('disk' in source)) return undefined;
  const partitions = definition.disk?.partitions ?? [];
  const isSigned = definition.boot.unifiedKernel?.secureBoot === true;
  const behaviour = definition.disk?.verity?.onCorruption ?? 'ignore';
  const root = behaviour === 'ignore' ? undefined : partitions.find(({ mount }) => mount?.point === '/');
  if (!isSigned && root === undefined) return undefined;
  const run = (script: string, word: string) => runTool(ports, { script, word, source, scratch });
  await run(COPY_SCRIPT, source.format);
  if (isSigned) await run(SIGN_SCRIPT, placeOf(partitions.find(({ role }) => role === 'esp')!));
  if (root !== undefined) await run(CHANGE_SCRIPT, placeOf(root));
  const keys = isSigned ? { variables: join(scratch, 'keys.fd') } : {};
  const copy = (name: string): Disk => ({ ...source, ...keys, disk: join(scratch, name), format: 'raw' });
  return {
    started: copy('disk.raw'),
    ...(isSigned ? { unsigned: { ...source, ...keys } } : {}),
    ...(root === undefined ? {} : { changed: copy('changed.raw') }),
  };
}

function placeOf({ startMiB }: PartitionDefinition): string {
  return String(startMiB * MIB);
}

async function runTool(
  ports: ImagePorts,
  step: { readonly script: string; readonly word: string; readonly source: Disk; readonly scratch: string },
): Promise<void> {
  const { status, stdout, stderr, command } = await ports.run({
    argv: ['bash', '-c', `set -eu\ncd ${SCRATCH}\n${step.script}`, 'kiln', step.word],
    layers: [await ports.bootTools()],
    mounts: [
      { source: step.scratch, target: SCRATCH, writable: true },
      { source: step.source.disk, target: '/disk', writable: false },
    ],
    environment: { PATH: '/usr/bin:/usr/sbin', HOME: SCRATCH, TMPDIR: SCRATCH, LC_ALL: 'C.UTF-8' },
  });
  if (status !== 0)
    throw new BuildError('BOOT_TEST_FAILED', `the disk could not be prepared: ${(stderr || stdout).trim()}`, {
      command,
    });
}
