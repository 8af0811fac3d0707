/** What a boot test does with an installer: what is installed how, and what is started after it. */
import type { InstalledSystem, InstallerDefinition } from '@kiln/image-config';
import { ANSWER_SECONDS, BOOT_SECONDS, ROOT_CREDENTIALS } from './guest-session.ts';
import { saltOf, sha512Crypt } from './sha512-crypt.ts';
import type { ConsoleStep } from './virtual-machine.ts';

export type Firmware = 'bios' | 'uefi';

/** One installation and what is started after it. */
export interface Installation {
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
  /** What the empty disk is taken for; one of `virtio` when it is missing. */
  readonly targetDrive?: 'ide' | 'virtio';
  /** What the installed system must be called; as its own definition says when it is missing. */
  readonly hostname?: string;
}

const INSTALL_SECONDS = 1800;
const [DISK, HOST_NAME, USER, PASSWORD] = ['/dev/vda', 'installed', 'keeper', 'a password of the test'];

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

/** Unattended the first system, attended the last one. A medium with answers of its own never asks. */
export function installations({ systems, answers }: InstallerDefinition): Installation[] {
  const done: ConsoleStep = { expect: ' is installed on ', seconds: INSTALL_SECONDS };
  const off: ConsoleStep = { off: true, seconds: ANSWER_SECONDS };
  const both: readonly Firmware[] = ['bios', 'uefi'];
  const fromDrive = { drive: 'cd', firmware: 'bios' } as const;
  if (answers !== undefined) {
    const way = 'answers of the medium';
    const chosen = /^system\s+(\S+)\s*$/m.exec(answers)?.[1];
    const system = chosen === undefined ? 0 : systems.findIndex(({ image }) => image === chosen);
    const starts = both.filter((firmware) => isStartedBy(systems[system]!, firmware, fromDrive.firmware));
    const targetDrive = /^disk\s+\/dev\/sd/m.test(answers) ? ('ide' as const) : ('virtio' as const);
    return [{ way, system, from: fromDrive, steps: [done, off], login: LOGIN_AS_ROOT, starts, targetDrive }];
  }
  const first = systems[0]!;
  const last = systems.at(-1)!;
  const common = { login: LOGIN_AS_USER, hostname: HOST_NAME };
  return [
    {
      ...common,
      way: 'unattended',
      system: 0,
      from: fromDrive,
      answers: answersFor(first),
      steps: [done, off],
      starts: both.filter((firmware) => isStartedBy(first, firmware, fromDrive.firmware)),
    },
    {
      ...common,
      way: 'attended',
      system: systems.length - 1,
      from: { drive: 'usb', firmware: 'uefi' },
      steps: [...typed(systems), done, ...answer('Press Enter to restart', ''), off],
      starts: (['uefi', 'bios'] as const).filter((firmware) => isStartedBy(last, firmware, 'uefi')).slice(0, 1),
    },
  ];
}

function answersFor({ image, disk, partitionScripts }: InstalledSystem): string {
  const isDivided = disk !== undefined || partitionScripts !== undefined;
  const lines = [
    `system ${image}`,
    `disk ${partitionScripts === undefined ? DISK : 'by-script'}`,
    `hostname ${HOST_NAME}`,
    `user ${USER}`,
    `password-hash ${sha512Crypt(PASSWORD, saltOf(USER))}`,
    ...(isDivided ? [] : ['swap 64']),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Whether what is installed has a boot loader for a firmware; scripts make one for that of the installation. */
function isStartedBy(
  { disk, partitionScripts }: InstalledSystem,
  firmware: Firmware,
  installedWith: Firmware,
): boolean {
  if (partitionScripts !== undefined) return firmware === installedWith;
  if (disk === undefined) return true;
  const isMounted = disk.partitions.some(({ role, mount }) => role === 'esp' && mount !== undefined);
  const hasBios = disk.table === 'mbr' || disk.partitions.some(({ role }) => role === 'bios-boot');
  return firmware === 'bios' ? hasBios : isMounted;
}

function answer(expect: string, send: string): ConsoleStep[] {
  return [{ expect, seconds: BOOT_SECONDS }, { send }];
}

/** The last system, by its number in the list, which has the order of the names. */
function typed(systems: readonly InstalledSystem[]): ConsoleStep[] {
  const names = systems.map(({ image }) => image).sort();
  const last = systems.at(-1)!;
  const number = names.indexOf(last.image) + 1;
  return [
    ...answer('Press Enter to begin on this console.', ''),
    ...(systems.length > 1 ? answer('System [', String(number)) : []),
    { expect: `${last.title} will be installed.`, seconds: ANSWER_SECONDS },
    ...(last.partitionScripts === undefined ? answer('Disk [', DISK) : []),
    ...answer('Host name [', HOST_NAME),
    ...answer('User, who may use sudo: ', USER),
    ...answer('Password: ', PASSWORD),
    ...answer('Password again: ', PASSWORD),
    ...answer('Type "yes" to install [no]: ', 'yes'),
  ];
}
