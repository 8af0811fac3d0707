/** What a started system said of itself on its console, and what must be true of it. Pure. */
import type { ImageDefinition } from '@kiln/image-config';
import type { ImageCheck } from './image-checks.ts';
import { parseOsRelease } from './os-release.ts';

/** Marks around each answer; written in two parts on the command line, so that its echo is none. */
const [BEGIN, END] = ['KILN-BEGIN', 'KILN-END'];
export const LAST_ANSWER = 'KILN-DONE';

/** Questions to the guest's shell, by name. */
const QUESTIONS = {
  state: 'systemctl is-system-running --wait',
  failed: 'systemctl list-units --failed --plain --no-legend',
  kernel: 'uname -r',
  host: 'uname -n',
  osRelease: 'cat /etc/os-release',
  mounts: 'while read -r _ point type _; do echo "$point $type"; done < /proc/mounts',
  instance: 'cat /var/lib/nocloud-init/instance-id /var/lib/cloud/data/instance-id 2> /dev/null',
  free: 'df --output=avail -k / /var | tail -n 2',
  rootDevice: 'cat /sys/dev/block/$(mountpoint --fs-devno /)/dm/name',
  secureBoot: 'od -A n -t u1 -j 4 -N 1 /sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c',
  commandLine: 'cat /proc/cmdline',
  fips: 'cat /proc/sys/crypto/fips_enabled',
  lockdown: 'cat /sys/kernel/security/lockdown',
  packages: "rpm --query --all --queryformat '%{NEVRA}\\n'",
} as const;
type Question = keyof typeof QUESTIONS;

/** One line for the shell: every question with its marks, then the end. */
export function questionLines(): string[] {
  const mark = (text: string, name: string) => `echo "${text.slice(0, 5)}""${text.slice(5)} ${name}"`;
  return [
    ...Object.entries(QUESTIONS).map(([name, command]) => `${mark(BEGIN, name)}; ${command}; ${mark(END, name)}`),
    mark(LAST_ANSWER, ''),
  ];
}

/** Answers by question, without what the terminal adds. */
export function parseAnswers(console: string): Partial<Record<Question, string>> {
  const plain = console.replaceAll('\r', '').replaceAll(/\u001b(\[[0-9;?!]*[ -/]*[@-~]|[()][0-9A-Za-z]|[=>])/g, '');
  const answers: Partial<Record<Question, string>> = {};
  for (const name of Object.keys(QUESTIONS) as Question[]) {
    const found = new RegExp(`(?:^|\\n)${BEGIN} ${name}\\n([^]*?)(?:^|\\n)${END} ${name}(?:\\n|$)`).exec(plain);
    if (found !== null) answers[name] = found[1]!;
  }
  return answers;
}

export interface GuestFacts {
  readonly definition: ImageDefinition;
  readonly expectedNevras: readonly string[];
  readonly answers: Partial<Record<Question, string>>;
  /** Everything that was on the console. */
  readonly console: string;
}

/** The last words of the service manager and of the kernel; the machine may be off before the latter are sent. */
const LAST_WORDS = /Powering off\.|reboot: Power down/;
/** Of what can be written to, so that logs and accounts can be written. */
const LEAST_FREE_KIB = 16 * 1024;

const RULES: readonly { readonly name: string; readonly find: (facts: GuestFacts) => readonly string[] | undefined }[] =
  [
    {
      name: 'os-release says what it is',
      find: ({ answers }) => {
        const osRelease = parseOsRelease(answers.osRelease ?? '');
        return ['NAME', 'ID', 'VERSION_ID'].filter((key) => !osRelease[key]).map((key) => `it has no ${key}`);
      },
    },
    {
      name: 'no unit failed',
      find: ({ answers: { state, failed } }) => {
        const units = lines(failed);
        if (units.length > 0) return units;
        return state?.trim() === 'running' ? [] : [`the system is '${state?.trim() ?? 'silent'}'`];
      },
    },
    {
      name: 'the kernel is one of the image',
      find: ({ answers, expectedNevras }) => {
        const version = answers.kernel?.trim() ?? '';
        const isOurs = version !== '' && expectedNevras.some((nevra) => nevra.includes(`-${version}`));
        return isOurs ? [] : [`'${version}' is the version of no package`];
      },
    },
    {
      name: 'the kernel was told what the definition says',
      find: ({ definition: { boot }, answers }) => {
        const told = new Set(answers.commandLine?.trim().split(/\s+/));
        return boot.commandLine.filter((word) => !told.has(word)).map((word) => `'${word}' is not in /proc/cmdline`);
      },
    },
    {
      name: 'the kernel keeps to FIPS 140',
      find: ({ definition: { boot }, answers }) => {
        if (boot.fips !== true) return undefined;
        const found = answers.fips?.trim() ?? '';
        return found === '1' ? [] : [`crypto.fips_enabled is '${found}'`];
      },
    },
    {
      name: 'the kernel is locked down',
      find: ({ definition: { boot }, answers }) => {
        const mode = boot.commandLine.findLast((word) => word.startsWith('lockdown='))?.slice('lockdown='.length);
        if (mode === undefined) return undefined;
        const found = answers.lockdown?.trim() ?? '';
        return found.includes(`[${mode}]`) ? [] : [`it is '${found}', not '${mode}'`];
      },
    },
    {
      name: 'it has its name',
      find: ({ definition: { hostname, seed }, answers }) => {
        // A seed may give it another one.
        if (hostname === undefined || seed !== undefined) return undefined;
        const found = answers.host?.trim();
        return found === hostname ? [] : [`it is called '${found ?? 'nothing'}', not '${hostname}'`];
      },
    },
    {
      name: 'partitions are mounted',
      find: ({ definition, answers }) => {
        const mounted = new Set(lines(answers.mounts).map((line) => line.split(' ')[0]));
        const points = (definition.disk?.partitions ?? []).flatMap(({ mount }) => mount?.point ?? []);
        return points.filter((point) => !mounted.has(point)).map((point) => `nothing is mounted on ${point}`);
      },
    },
    {
      name: 'it is what the seed says',
      find: ({ definition: { seed }, answers }) => {
        if (seed === undefined) return undefined;
        const found = lines(answers.instance);
        return found.includes(seed.instanceId) ? [] : [`it is not the instance '${seed.instanceId}'`];
      },
    },
    {
      name: 'there is free space',
      find: ({ definition, answers }) => {
        const [root, state] = lines(answers.free).map(Number);
        const [place, available] = definition.disk?.verity === undefined ? ['/', root] : ['/var', state];
        if (available !== undefined && available >= LEAST_FREE_KIB) return [];
        return [`the file system of ${place} has ${available ?? 'an unknown number of'} KiB left`];
      },
    },
    {
      name: 'the root is checked by dm-verity',
      find: ({ definition, answers }) => {
        const name = definition.disk?.verity?.name;
        if (name === undefined) return undefined;
        const found = answers.rootDevice?.trim() ?? '';
        return found === name ? [] : [`the device of the root is '${found}', not '${name}'`];
      },
    },
    {
      name: 'Secure Boot is on',
      find: ({ definition, answers }) => {
        if (definition.boot.unifiedKernel?.secureBoot !== true) return undefined;
        const found = answers.secureBoot?.trim() ?? '';
        return found === '1' ? [] : [`the firmware's variable is '${found}'`];
      },
    },
    {
      name: 'the rpm database lists exactly the packages',
      find: ({ definition, answers, expectedNevras }) => {
        if (definition.removeRpmDb || !expectedNevras.some((nevra) => /^rpm-\d/.test(nevra))) return undefined;
        const found = new Set(lines(answers.packages));
        const expected = new Set(expectedNevras);
        return [
          ...expectedNevras.filter((nevra) => !found.has(nevra)).map((nevra) => `${nevra} is missing`),
          ...[...found].filter((nevra) => !expected.has(nevra)).map((nevra) => `${nevra} was not asked for`),
        ];
      },
    },
    {
      name: 'it powers off',
      find: ({ console }) => (LAST_WORDS.test(console) ? [] : ['neither service manager nor kernel said so']),
    },
  ];

/** All checks, in a fixed order. */
export function checkGuest(facts: GuestFacts): ImageCheck[] {
  return RULES.map(({ name, find }) => {
    const problems = find(facts);
    if (problems === undefined) return { name, outcome: 'skipped', problems: [] };
    return { name, outcome: problems.length === 0 ? 'passed' : 'failed', problems };
  });
}

function lines(text = ''): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
