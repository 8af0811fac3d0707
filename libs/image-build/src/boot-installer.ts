/** The boot test of an installer: installs onto empty disks, unattended and by typing, and starts what it installed. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '@kiln/host';
import type { DiskDefinition, ImageDefinition, InstallerDefinition, PartitionDefinition } from '@kiln/image-config';
import { failureOfChecks, type BootReport } from './boot-report.ts';
import { checkGuest, parseAnswers } from './guest-checks.ts';
import { ANSWER_SECONDS, BOOT_SECONDS, questionSteps, ROOT_CREDENTIALS, runMachine } from './guest-session.ts';
import type { ImageCheck } from './image-checks.ts';
import { SCRATCH, withWorkDirectories, type ImagePorts } from './image-ports.ts';
import { toolEnvironment } from './install-packages.ts';
import { parseOsRelease } from './os-release.ts';
import { saltOf, sha512Crypt } from './sha512-crypt.ts';
import { TARGET_FILE, type BootSource, type ConsoleStep } from './virtual-machine.ts';

export interface InstallerBootRequest {
  readonly definition: ImageDefinition;
  /** The medium. */
  readonly iso: string;
  /** The first system of the medium, which is installed. */
  readonly system: { readonly definition: ImageDefinition; readonly rpms: readonly { readonly nevra: string }[] };
  readonly log?: string;
}

type Firmware = 'bios' | 'uefi';

/** One installation and what is started after it. */
interface Installation {
  readonly way: string;
  readonly from: { readonly drive: 'cd' | 'usb'; readonly firmware: Firmware };
  /** Text for a volume with answers; what is typed without it. */
  readonly answers?: string;
  readonly steps: readonly ConsoleStep[];
  /** How somebody becomes root in what is installed. */
  readonly login: { readonly steps: readonly ConsoleStep[]; readonly credentials: Readonly<Record<string, string>> };
  readonly starts: readonly Firmware[];
  /** What the installed system must be called; as its own definition says when it is missing. */
  readonly hostname?: string;
}

const TARGET_MIB = 4096;
const INSTALL_SECONDS = 1800;
const [DISK, HOST_NAME, USER, PASSWORD] = ['/dev/vda', 'installed', 'keeper', 'a password of the test'];

/** An installed disk is divided by the installer. */
const INSTALLED_DISK: DiskDefinition = {
  table: 'gpt',
  sizeMiB: TARGET_MIB,
  partitions: ['/', '/boot/efi'].map((point): PartitionDefinition => ({
    id: point,
    name: '',
    isActive: false,
    startMiB: 0,
    endMiB: 0,
    artifacts: [],
    mount: { point, options: '', identifier: 'partuuid' },
  })),
};

const LOGIN_AS_USER: Installation['login'] = {
  credentials: {},
  steps: [
    { expect: `${HOST_NAME} login: `, seconds: BOOT_SECONDS },
    { send: USER },
    { expect: 'Password: ', seconds: ANSWER_SECONDS },
    { send: PASSWORD },
    { expect: '$ ', seconds: ANSWER_SECONDS },
    { send: 'sudo -i' },
    { expect: `password for ${USER}: `, seconds: ANSWER_SECONDS },
    { send: PASSWORD },
    { expect: '# ', seconds: ANSWER_SECONDS },
  ],
};

const LOGIN_AS_ROOT: Installation['login'] = {
  credentials: ROOT_CREDENTIALS,
  steps: [
    { expect: 'login: root (automatic login)', seconds: BOOT_SECONDS },
    { expect: '# ', seconds: ANSWER_SECONDS },
  ],
};

/**
 * Proves that a medium installs a system that starts.
 * @throws BuildError `BOOT_TEST_FAILED` (one diagnostic for each problem)
 */
export async function bootInstaller(host: Host, ports: ImagePorts, request: InstallerBootRequest): Promise<BootReport> {
  const { definition, system, log } = request;
  const expectedNevras = system.rpms.map(({ nevra }) => nevra);
  const checks: ImageCheck[] = [];
  let osRelease = '';
  for (const installation of installations(definition.installer!)) {
    const { way, starts, login, hostname } = installation;
    const say = (message: string) =>
      host.emit({ type: 'progress', action: 'boot-test', subject: definition.name, message: `${message} (${way})` });
    await withWorkDirectories(ports, [`boot-test-${definition.name}-target`], async ([target]) => {
      say('installing');
      await install(ports, request, { installation, target: target! });
      for (const firmware of starts) {
        const ending = `${way}, ${firmware.toUpperCase()}`;
        say(`starting what was installed with ${firmware.toUpperCase()}`);
        const source: BootSource = { disk: join(target!, TARGET_FILE), format: 'raw', firmware };
        const machine = { source, credentials: login.credentials };
        const steps = [...login.steps, ...questionSteps()];
        const console = await runMachine(ports, { name: definition.name, log }, { machine, steps });
        const answers = parseAnswers(console);
        osRelease = answers.osRelease ?? '';
        const installed = {
          ...system.definition,
          disk: INSTALLED_DISK,
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
    packages: expectedNevras.length,
    checks,
  };
  const failure = failureOfChecks(report, log);
  if (failure !== undefined) throw failure;
  return report;
}

/** A medium with answers of its own never asks. */
function installations({ systems, answers }: InstallerDefinition): Installation[] {
  const done: ConsoleStep = { expect: ' is installed on ', seconds: INSTALL_SECONDS };
  const off: ConsoleStep = { off: true, seconds: ANSWER_SECONDS };
  const both: readonly Firmware[] = ['bios', 'uefi'];
  const fromDrive = { drive: 'cd', firmware: 'bios' } as const;
  if (answers !== undefined)
    return [{ way: 'answers of the medium', from: fromDrive, steps: [done, off], login: LOGIN_AS_ROOT, starts: both }];
  const hash = sha512Crypt(PASSWORD, saltOf(USER));
  const words = `system ${systems[0]!.image}\ndisk ${DISK}\nhostname ${HOST_NAME}\nuser ${USER}\npassword-hash ${hash}\nswap 64\n`;
  const common = { login: LOGIN_AS_USER, hostname: HOST_NAME };
  return [
    { ...common, way: 'unattended', from: fromDrive, answers: words, steps: [done, off], starts: both },
    {
      ...common,
      way: 'attended',
      from: { drive: 'usb', firmware: 'uefi' },
      steps: [...typed(systems.length > 1), done, ...answer('Press Enter to restart', ''), off],
      starts: ['uefi'],
    },
  ];
}

function answer(expect: string, send: string): ConsoleStep[] {
  return [{ expect, seconds: BOOT_SECONDS }, { send }];
}

function typed(hasSeveral: boolean): ConsoleStep[] {
  return [
    ...answer('Press Enter to begin on this console.', ''),
    ...(hasSeveral ? answer('System [', '') : []),
    ...answer('Disk [', DISK),
    ...answer('Host name [', HOST_NAME),
    ...answer('User, who may use sudo: ', USER),
    ...answer('Password: ', PASSWORD),
    ...answer('Password again: ', PASSWORD),
    ...answer('Type "yes" to install [no]: ', 'yes'),
  ];
}

/** Leaves the disk in the directory `target`. */
async function install(
  ports: ImagePorts,
  { definition: { name }, iso, log }: InstallerBootRequest,
  { installation, target }: { readonly installation: Installation; readonly target: string },
): Promise<void> {
  await runTool(ports, target, `truncate --size=${TARGET_MIB}M ${TARGET_FILE}`);
  const { answers, from, steps } = installation;
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
  const machine = { source: { disk: iso, format: 'raw', ...from }, media, target, credentials: {} } as const;
  await runMachine(ports, { name, log }, { machine, steps });
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
