/** The boot test of an installer: installs onto empty disks, unattended and by typing, and starts what it installed. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '@kiln/host';
import type { DiskDefinition, ImageDefinition, PartitionDefinition } from '@kiln/image-config';
import { failureOfChecks, type BootReport } from './boot-report.ts';
import { checkGuest, parseAnswers } from './guest-checks.ts';
import { questionSteps, runMachine, type TestedImage } from './guest-session.ts';
import type { ImageCheck } from './image-checks.ts';
import { SCRATCH, withWorkDirectories, type ImagePorts } from './image-ports.ts';
import { toolEnvironment } from './install-packages.ts';
import { parseOsRelease } from './os-release.ts';
import { installations, type Installation } from './installations.ts';
import { TARGET_FILE, type BootSource } from './virtual-machine.ts';

export interface InstallerBootRequest {
  readonly definition: ImageDefinition;
  /** The medium. */
  readonly iso: string;
  /** Those of the medium, in its order. */
  readonly systems: readonly BootedSystem[];
  readonly log?: string;
}

export interface BootedSystem {
  readonly definition: ImageDefinition;
  readonly rpms: readonly { readonly nevra: string }[];
}

const TARGET_MIB = 4096;
/** The disk of a system that doesn't say what it is divided into; of one that is divided by scripts the root alone is known. */
const ownDisk = (isScripted: boolean): DiskDefinition => ({
  table: 'gpt',
  sizeMiB: TARGET_MIB,
  partitions: (isScripted ? ['/'] : ['/', '/boot/efi']).map((point): PartitionDefinition => ({
    id: point,
    name: '',
    isActive: false,
    startMiB: 0,
    endMiB: 0,
    artifacts: [],
    mount: { point, options: '' },
    identifier: 'partuuid',
  })),
});

/**
 * Proves that a medium installs a system that starts.
 * @throws BuildError `BOOT_TEST_FAILED` (one diagnostic for each problem)
 */
export async function bootInstaller(host: Host, ports: ImagePorts, request: InstallerBootRequest): Promise<BootReport> {
  const { definition, systems, log } = request;
  const checks: ImageCheck[] = [];
  let osRelease = '';
  const hangs: string[] = [];
  for (const installation of installations(definition.installer!)) {
    const { way, starts, login, hostname } = installation;
    const system = systems[installation.system]!;
    const expectedNevras = system.rpms.map(({ nevra }) => nevra);
    const { disk, partitionScripts } = definition.installer!.systems[installation.system]!;
    const say = (message: string) =>
      host.emit({ type: 'progress', action: 'boot-test', subject: definition.name, message: `${message} (${way})` });
    const onHang = (message: string) => {
      hangs.push(`${message} (${way})`);
      say(message);
    };
    await withWorkDirectories(ports, [`boot-test-${definition.name}-target`], async ([target]) => {
      say('installing');
      await install(ports, request, { installation, target: target!, onHang });
      for (const firmware of starts) {
        const ending = `${way}, ${firmware.toUpperCase()}`;
        say(`starting what was installed with ${firmware.toUpperCase()}`);
        const source: BootSource = { disk: join(target!, TARGET_FILE), format: 'raw', firmware };
        const machine = { source, credentials: login.credentials };
        const steps = [...login.steps, ...questionSteps()];
        const console = await runMachine(ports, { name: definition.name, log, onHang }, { machine, steps });
        const answers = parseAnswers(console);
        osRelease = answers.osRelease ?? '';
        const installed = {
          ...system.definition,
          disk: disk === undefined ? ownDisk(partitionScripts !== undefined) : { ...disk, sizeMiB: TARGET_MIB },
          ...(hostname === undefined ? {} : { hostname }),
        };
        const found = checkGuest({ definition: installed, expectedNevras, answers, console });
        checks.push(...found.map((check) => ({ ...check, name: `${check.name} (${ending})` })));
      }
    });
  }
  const report: BootReport = {
    image: definition.name,
    osRelease: parseOsRelease(osRelease),
    packages: new Set(systems.flatMap(({ rpms }) => rpms.map(({ nevra }) => nevra))).size,
    checks,
    ...(hangs.length === 0 ? {} : { hangs }),
  };
  const failure = failureOfChecks(report, log);
  if (failure !== undefined) throw failure;
  return report;
}

/** Leaves the disk in the directory `target`. */
async function install(
  ports: ImagePorts,
  { definition: { name }, iso, log }: InstallerBootRequest,
  {
    installation,
    target,
    onHang,
  }: { readonly installation: Installation; readonly target: string } & Pick<TestedImage, 'onHang'>,
): Promise<void> {
  await runTool(ports, target, `truncate --size=${TARGET_MIB}M ${TARGET_FILE}`);
  const { answers, from, steps, targetDrive } = installation;
  const media: string[] = [];
  if (answers !== undefined) {
    await writeFile(join(target, 'answers'), answers);
    await runTool(
      ports,
      target,
      'xorriso -as mkisofs -quiet -r -V ANSWERS -o answers.iso -graft-points answers=answers',
    );
    media.push(join(target, 'answers.iso'));
  }
  const machine = {
    source: { disk: iso, format: 'raw', ...from },
    media,
    target,
    targetDrive,
    credentials: {},
  } as const;
  await runMachine(ports, { name, log, onHang }, { machine, steps });
}

async function runTool(ports: ImagePorts, directory: string, script: string): Promise<void> {
  const { status, stderr } = await ports.run({
    argv: ['bash', '-c', `cd ${SCRATCH}; ${script}`],
    layers: [await ports.imageTools()],
    mounts: [{ source: directory, target: SCRATCH, writable: true }],
    environment: toolEnvironment(0),
  });
  if (status !== 0) throw new Error(stderr);
}
