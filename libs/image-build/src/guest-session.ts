/** A machine from its start to its end, with the questions of the boot test. */
import { BuildError } from '@kiln/diagnostics';
import { LAST_ANSWER, questionLines } from './guest-checks.ts';
import { withWorkDirectories, type ImagePorts } from './image-ports.ts';
import { talkToMachine, type ConsoleStep, type VirtualMachine } from './virtual-machine.ts';

/** In software and on a busy machine. */
export const [BOOT_SECONDS, ANSWER_SECONDS, OFF_SECONDS] = [600, 240, 180] as const;

/** With which the console's getty logs root in: the image itself has no password. */
export const ROOT_CREDENTIALS = { 'agetty.autologin': 'root', 'login.noauth': 'yes' } as const;

/** From a shell of root to the machine's end. */
export function questionSteps(): ConsoleStep[] {
  return [
    // Messages of the kernel and of units would stand amid the answers; long lines would be broken.
    { send: 'dmesg -n 1; kill -SIGRTMIN+21 1; stty -echo columns 1000; PS1=; PS2=' },
    ...questionLines().map((line): ConsoleStep => ({ send: line })),
    { expect: `${LAST_ANSWER} `, seconds: ANSWER_SECONDS },
    { send: 'dmesg -n 7; systemctl poweroff' },
    { off: true, seconds: OFF_SECONDS },
  ];
}

/** Everything that was on the console. @throws BuildError `BOOT_TEST_FAILED` when a step doesn't happen, with the last lines */
export async function runMachine(
  ports: ImagePorts,
  { name, log }: { readonly name: string; readonly log?: string | undefined },
  { machine, steps }: { readonly machine: VirtualMachine; readonly steps: readonly ConsoleStep[] },
): Promise<string> {
  const { console, problem, result } = await withWorkDirectories(ports, [`boot-test-${name}`], ([scratch]) =>
    talkToMachine(ports, machine, { steps, scratch: scratch!, log }),
  );
  if (problem === undefined && result.status === 0) return console;
  const said = problem ?? (result.stderr || result.stdout).trim();
  throw new BuildError('BOOT_TEST_FAILED', `${name} did not start and stop: ${said}`, {
    log,
    command: result.command,
    diagnostics: lastLines(console).map((message) => ({ severity: 'error', code: 'BOOT_TEST_FAILED', message })),
  });
}

/** What was on the screen when it stopped. */
export function lastLines(console: string): string[] {
  const text = console.replaceAll(/\u001b\[[0-9;?!]*[A-Za-z]/g, '').replaceAll(/[^\n -~]/g, '');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-12);
}
