/** The boot test of an installer: installs onto empty disks, unattended and by typing, and starts what it installed. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '@kiln/host';
import type {
  DiskDefinition,
  ImageDefinition,
  InstalledSystem,
  InstallerDefinition,
  PartitionDefinition,
} from '@kiln/image-config';
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
  /** Those of the medium, in its order. */
  readonly systems: readonly BootedSystem[];
  readonly log?: string;
}

export interface BootedSystem {
  readonly definition: ImageDefinition;
  readonly rpms: readonly { readonly nevra: string }[];
}

type Firmware = 'bios' | 'uefi';

/** One installation and what is started after it. */
interface Installation {
  readonly way: string;
  /** Which system, by its place on the medium. */
  readonly system: number;
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

/** The disk of a system that doesn't say what it is divided into. */
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
  const { definition, systems, log } = request;
  const checks: ImageCheck[] = [];
  let osRelease = '';
  for (const installation of installations(definition.installer!)) {
    const { way, starts, login, hostname } = installation;
    const system = systems[installation.system]!;
    const expectedNevras = system.rpms.map(({ nevra }) => nevra);
    const disk = definition.installer!.systems[installation.system]!.disk;
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
          disk: disk === undefined ? INSTALLED_DISK : { ...disk, sizeMiB: TARGET_MIB },
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
  };
  const failure = failureOfChecks(report, log);
  if (failure !== undefined) throw failure;
  return report;
}

/** Unattended the first system, attended the last one. A medium with answers of its own never asks. */
function installations({ systems, answers }: InstallerDefinition): Installation[] {
  const done: ConsoleStep = { expect: ' is installed on ', seconds: INSTALL_SECONDS };
  const off: ConsoleStep = { off: true, seconds: ANSWER_SECONDS };
  const both: readonly Firmware[] = ['bios', 'uefi'];
  const fromDrive = { drive: 'cd', firmware: 'bios' } as const;
  if (answers !== undefined) {
    const way = 'answers of the medium';
    const chosen = /^system\s+(\S+)\s*$/m.exec(answers)?.[1];
    const system = chosen === undefined ? 0 : systems.findIndex(({ image }) => image === chosen);
    return [{ way, system, from: fromDrive, steps: [done, off], login: LOGIN_AS_ROOT, starts: both }];
  }
  const hash = sha512Crypt(PASSWORD, saltOf(USER));
  const words = `system ${systems[0]!.image}\ndisk ${DISK}\nhostname ${HOST_NAME}\nuser ${USER}\npassword-hash ${hash}\n${systems[0]!.disk === undefined ? 'swap 64\n' : ''}`;
  const common = { login: LOGIN_AS_USER, hostname: HOST_NAME };
  return [
    { ...common, way: 'unattended', system: 0, from: fromDrive, answers: words, steps: [done, off], starts: both },
    {
      ...common,
      way: 'attended',
      system: systems.length - 1,
      from: { drive: 'usb', firmware: 'uefi' },
      steps: [...typed(systems), done, ...answer('Press Enter to restart', ''), off],
      starts: ['uefi'],
    },
  ];
}

function answer(expect: string, send: string): ConsoleStep[] {
  return [{ expect, seconds: BOOT_SECONDS }, { send }];
}

/** The last system, by its number in the list, which has the order of the names. */
function typed(systems: readonly InstalledSystem[]): ConsoleStep[] {
  const names = systems.map(({ image }) => image).sort();
  const number = names.indexOf(systems.at(-1)!.image) + 1;
  return [
    ...answer('Press Enter to begin on this console.', ''),
    ...(systems.length > 1 ? answer('System [', String(number)) : []),
    { expect: `${systems.at(-1)!.title} will be installed.`, seconds: ANSWER_SECONDS },
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
