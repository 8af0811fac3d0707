/** A virtual machine in the sandbox, and a conversation with it over its serial console. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SCRATCH, type ImagePorts, type ToolResult } from './image-ports.ts';

export interface VirtualMachine {
  /** On the machine that runs the sandbox; it is not written to. */
  readonly disk: string;
  /** As QEMU calls it: raw, qcow2, vpc, vhdx, vmdk. */
  readonly format: string;
  readonly firmware: 'uefi' | 'bios';
  /** Credentials for systemd, by name: they reach the guest through its firmware. */
  readonly credentials: Readonly<Record<string, string>>;
}

/** One step of a conversation: something to wait for, or to type. */
export type ConsoleStep =
  | { readonly expect: string; readonly seconds: number }
  | { readonly send: string }
  /** Until the machine is off. */
  | { readonly off: true; readonly seconds: number };

export interface Conversation {
  /** Everything that was on the console. */
  readonly console: string;
  /** What didn't happen in time, or the machine's own end. */
  readonly problem?: string;
  readonly result: ToolResult;
}

const DISK = '/disk';
const MEMORY_MIB = 1024;
const FIRMWARE = '/usr/share/OVMF';

/**
 * Arguments: the machine's command. Steps are lines of /scratch/steps: `expect<tab>seconds<tab>text`, `send<tab>text`,
 * `off<tab>seconds`. What doesn't happen goes to /scratch/problem. The console is read byte by byte: a prompt doesn't end with a newline.
 */
const TALK_SCRIPT = `
export LC_ALL=C TMPDIR=${SCRATCH}
cp ${FIRMWARE}/OVMF_VARS_4M.fd ${SCRATCH}/variables
coproc machine { exec "$@" 2>&1; }
from=\${machine[0]} to=\${machine[1]} id=$machine_PID
exec 4> ${SCRATCH}/console
fail() {
  printf '%s' "$1" > ${SCRATCH}/problem
  kill "$id" 2> /dev/null
  wait "$id"
  exit 3
}
listen() {
  local end=$((SECONDS + $1)) seen='' char status
  while :; do
    [ "$SECONDS" -lt "$end" ] || return 1
    IFS= read -r -d '' -n 1 -t $((end - SECONDS)) char <&"$from"
    status=$?
    if [ "$status" -gt 128 ]; then return 1; fi
    if [ "$status" -ne 0 ]; then return 2; fi
    printf '%s' "$char" >&4
    seen+=$char
    if [ -n "$2" ] && [[ $seen == *"$2" ]]; then return 0; fi
    if [ "\${#seen}" -gt 4096 ]; then seen=\${seen: -256}; fi
  done
}
while IFS=$'\\t' read -r what first second <&5; do
  case $what in
    send) printf '%s\\n' "$first" >&"$to" ;;
    expect)
      listen "$first" "$second"
      case $? in
        1) fail "it did not print '$second' within $first s" ;;
        2) fail "it ended before it printed '$second'" ;;
      esac ;;
    off)
      listen "$first" ''
      [ $? -eq 2 ] || fail "it was not off within $first s" ;;
  esac
done 5< ${SCRATCH}/steps
wait "$id" || fail "the virtual machine ended with status $?"
`;

/** Starts the machine and goes through the steps. `scratch` is an empty work directory. */
export async function talkToMachine(
  ports: ImagePorts,
  machine: VirtualMachine,
  {
    steps,
    scratch,
    log,
  }: { readonly steps: readonly ConsoleStep[]; readonly scratch: string; readonly log?: string | undefined },
): Promise<Conversation> {
  await writeFile(join(scratch, 'steps'), steps.map(stepLine).join(''));
  const result = await ports.run({
    argv: ['bash', '-c', TALK_SCRIPT, 'kiln', ...machineCommand(machine)],
    layers: [await ports.bootTools()],
    mounts: [
      { source: scratch, target: SCRATCH, writable: true },
      { source: machine.disk, target: DISK, writable: false },
    ],
    environment: { PATH: '/usr/bin:/usr/sbin', HOME: SCRATCH },
    ...(log === undefined ? {} : { log }),
  });
  const read = (name: string) => readFile(join(scratch, name), 'latin1').catch(() => '');
  const [text, problem] = [await read('console'), await read('problem')];
  return { console: text, result, ...(problem === '' ? {} : { problem }) };
}

function stepLine(step: ConsoleStep): string {
  if ('send' in step) return `send\t${step.send}\n`;
  return 'off' in step ? `off\t${step.seconds}\n` : `expect\t${step.seconds}\t${step.expect}\n`;
}

/** QEMU in software: it works on every machine, and KVM inside of virtual machines often only seems to. */
function machineCommand({ format, firmware, credentials }: VirtualMachine): string[] {
  const flash = (unit: number, file: string, more: string) => [
    '-drive',
    `if=pflash,format=raw,unit=${unit},file=${file}${more}`,
  ];
  return [
    'qemu-system-x86_64',
    ...['-accel', 'tcg,thread=multi', '-smp', '2', '-m', String(MEMORY_MIB)],
    ...['-nographic', '-nodefaults', '-no-reboot', '-net', 'none', '-serial', 'stdio'],
    ...(firmware === 'uefi'
      ? [
          ...['-machine', 'q35'],
          ...flash(0, `${FIRMWARE}/OVMF_CODE_4M.fd`, ',readonly=on'),
          ...flash(1, `${SCRATCH}/variables`, ''),
        ]
      : ['-machine', 'pc']),
    ...['-drive', `if=virtio,format=${format},file=${DISK},snapshot=on`],
    ...['-device', 'virtio-rng-pci'],
    ...Object.entries(credentials).flatMap(([name, value]) => [
      '-fw_cfg',
      `name=opt/io.systemd.credentials/${name},string=${value}`,
    ]),
  ];
}
