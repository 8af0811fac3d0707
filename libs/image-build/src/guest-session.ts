/** A machine from its start to its end, with the questions of the boot test. */
import { appendFile } from 'node:fs/promises';
import { BuildError } from '@kiln/diagnostics';
import { LAST_ANSWER, questionLines } from './guest-checks.ts';
import { withWorkDirectories, type ImagePorts } from './image-ports.ts';
import { talkToMachine, type ConsoleStep, type Conversation, type VirtualMachine } from './virtual-machine.ts';

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

/** Of a boot test. */
export interface TestedImage {
  readonly name: string;
  readonly log?: string | undefined;
  /** Told of a machine that hung and is started once more. */
  readonly onHang: (message: string) => void;
}

export interface MachineTalk {
  readonly machine: VirtualMachine;
  readonly steps: readonly ConsoleStep[];
  /** Silence before init; half of what a start may take when it is missing. */
  readonly hangSeconds?: number;
}

/** A conversation. A machine that hangs before its init, as QEMU does at times, is started once more; a second time it has all of its time. */
export async function talkOnceMore(
  ports: ImagePorts,
  { name, log, onHang }: TestedImage,
  { machine, steps, hangSeconds = BOOT_SECONDS / 2 }: MachineTalk,
): Promise<Conversation> {
  const talk = (seconds: number) =>
    withWorkDirectories(ports, [`boot-test-${name}`], ([scratch]) =>
      talkToMachine(ports, machine, { steps, scratch: scratch!, log, hangSeconds: seconds }),
    );
  const first = await talk(hangSeconds);
  if (first.hung !== true) return first;
  const last = lastLines(first.console).at(-1);
  const end = last === undefined ? 'it had said nothing at all' : `its last line was '${last.trim()}'`;
  const message = `the virtual machine hung: ${first.problem}; ${end}; it was started once more`;
  onHang(message);
  if (log !== undefined) await appendFile(log, `\n${message}\n`);
  return talk(0);
}

/** Everything that was on the console. @throws BuildError `BOOT_TEST_FAILED` when a step doesn't happen, with the last lines */
export async function runMachine(ports: ImagePorts, image: TestedImage, talk: MachineTalk): Promise<string> {
  const { name, log } = image;
  const { console, problem, result } = await talkOnceMore(ports, image, talk);
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
