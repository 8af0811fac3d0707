/** A virtual machine in the sandbox, and a conversation with it over its serial console. */
import { access, appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SCRATCH, type ImagePorts, type ToolMount, type ToolResult } from './image-ports.ts';

/** What a machine starts from; paths are on the machine that runs the sandbox. */
export type BootSource =
  | {
      /** It is not written to. */
      readonly disk: string;
      /** As QEMU calls it: raw, qcow2, vpc, vhdx, vmdk. */
      readonly format: string;
      readonly firmware: 'uefi' | 'bios';
      /** What the machine takes it for; a disk when it is missing. */
      readonly drive?: 'cd' | 'usb';
      /** The firmware's variables with keys of Secure Boot, which is on then; without it the firmware knows none. */
      readonly variables?: string;
    }
  | { readonly kernel: string; readonly initrd: string; readonly commandLine: string };

export interface VirtualMachine {
  readonly source: BootSource;
  /** ISO images that are in further drives. */
  readonly media?: readonly string[] | undefined;
  /** Directory with a file `TARGET_FILE`: a disk that is written to. It belongs to root of the sandbox. */
  readonly target?: string | undefined;
  /** What the machine takes that disk for; one of `virtio` when it is missing. */
  readonly targetDrive?: 'ide' | 'virtio' | undefined;
  /** Credentials for systemd, by name: they reach the guest through its firmware. */
  readonly credentials: Readonly<Record<string, string>>;
}

/** One step of a conversation: something to wait for, or to type. */
export type ConsoleStep =
  | { readonly expect: string; readonly seconds: number }
  | { readonly send: string }
  /** Until the machine is off. */
  | { readonly off: true; readonly seconds: number }
  /** Ends the conversation and the machine. */
  | { readonly stop: true };

export interface Conversation {
  /** Everything that was on the console. */
  readonly console: string;
  /** What didn't happen in time, or the machine's own end. */
  readonly problem?: string;
  /** Whether the problem is that the machine said nothing more before its init: what it starts isn't at fault then. */
  readonly hung?: true;
  readonly result: ToolResult;
}

/** A raw disk. */
export const TARGET_FILE = 'target.raw';

/** Places in the sandbox. */
const [DISK, KERNEL, INITRD, MEDIUM] = ['/disk', '/kernel', '/initrd', '/medium-'];
const [TARGET, VARIABLES] = ['/target', '/variables'];
const MEMORY_MIB = 1024;
const FIRMWARE = '/usr/share/OVMF';

/**
 * What is on the console once an init runs, or once firmware, boot loader or kernel have given up: silence after it is no hang of the machine.
 * An extended regular expression.
 */
const INIT_OR_END = [
  ...['Run /[^ ]+ as init process', 'systemd\\[1\\]', 'Welcome to ', 'login: ', 'Kernel panic', 'error: '],
  ...['grub> ', 'grub rescue> ', 'Shell> ', 'Access Denied', 'Security Violation', '[Nn]o bootable'],
].join('|');

/**
 * Arguments: the firmware's variables, seconds of silence before init that are a hang (0: nothing is one), the machine's command. Steps are lines of /scratch/steps: `expect<tab>seconds<tab>text`, `send<tab>text`, `off<tab>seconds`, `stop`.
 * What doesn't happen goes to /scratch/problem. The console goes to a file, since QEMU drops what nobody reads in time.
 */
const TALK_SCRIPT = `
export LC_ALL=C TMPDIR=${SCRATCH}
cd ${SCRATCH}
cp "$1" variables
hang=$2 last=0 all=''
started='${INIT_OR_END}'
shift 2
mkfifo keyboard
: > console
exec 4<> keyboard
"$@" < keyboard > console 2>&1 &
id=$!
exec 6< console
seen=''
fail() {
  printf '%s' "$1" > problem
  kill "$id" 2> /dev/null
  wait "$id"
  exit 3
}
listen() {
  local end=$((SECONDS + $1)) chunk alive
  while :; do
    if kill -0 "$id" 2> /dev/null; then alive=yes; else alive=no; fi
    IFS= read -r -N 1048576 chunk <&6
    seen+=$chunk
    all+=$chunk
    [ -z "$chunk" ] || last=$SECONDS
    if [ -n "$2" ] && [[ $seen == *"$2"* ]]; then
      seen=\${seen#*"$2"}
      return 0
    fi
    # The emulated timer of a busy machine: that is not the image's failure.
    if [ $hang -gt 0 ] && [[ $all == *"timer doesn't work"* ]]; then : > hung; fail 'its timer came too late for the kernel'; fi
    [ $alive = yes ] || return 2
    [ "$SECONDS" -lt "$end" ] || return 1
    if [ $hang -gt 0 ] && [ $((SECONDS - last)) -ge $hang ]; then
      if ! [[ $all =~ $started ]]; then : > hung; fail "it said nothing for $hang s before its init ran"; fi
      # Whatever comes now is the system's own.
      hang=0
    fi
    sleep 0.2
  done
}
while IFS=$'\\t' read -r what first second <&5; do
  case $what in
    send) printf '%s\\n' "$first" >&4 ;;
    expect)
      listen "$first" "$second"
      case $? in
        1) fail "it did not print '$second' within $first s" ;;
        2) fail "it ended before it printed '$second'" ;;
      esac ;;
    off)
      listen "$first" ''
      [ $? -eq 2 ] || fail "it was not off within $first s" ;;
    stop)
      kill "$id"
      wait "$id"
      exit 0 ;;
  esac
done 5< steps
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
    hangSeconds = 0,
  }: {
    readonly steps: readonly ConsoleStep[];
    readonly scratch: string;
    readonly log?: string | undefined;
    /** So long a silence before init ends the conversation; 0 for none. */
    readonly hangSeconds?: number;
  },
): Promise<Conversation> {
  const { source } = machine;
  await writeFile(join(scratch, 'steps'), steps.map(stepLine).join(''));
  const result = await ports.run({
    argv: ['bash', '-c', TALK_SCRIPT, 'kiln', variablesOf(source), String(hangSeconds), ...machineCommand(machine)],
    layers: [await ports.bootTools()],
    mounts: [{ source: scratch, target: SCRATCH, writable: true }, ...sourceMounts(machine)],
    environment: { PATH: '/usr/bin:/usr/sbin', HOME: SCRATCH },
    ...(log === undefined ? {} : { log }),
  });
  const read = (name: string) => readFile(join(scratch, name), 'latin1').catch(() => '');
  const [text, problem] = [await read('console'), await read('problem')];
  const hung = await access(join(scratch, 'hung')).then(
    () => true as const,
    () => false,
  );
  if (log !== undefined) await appendFile(log, text);
  return { console: text, result, ...(problem === '' ? {} : { problem }), ...(hung ? { hung } : {}) };
}

function stepLine(step: ConsoleStep): string {
  if ('send' in step) return `send\t${step.send}\n`;
  if ('stop' in step) return 'stop\n';
  return 'off' in step ? `off\t${step.seconds}\n` : `expect\t${step.seconds}\t${step.expect}\n`;
}

function sourceMounts({ source, media = [], target }: VirtualMachine): ToolMount[] {
  const places = {
    ...('disk' in source ? { [DISK]: source.disk } : { [KERNEL]: source.kernel, [INITRD]: source.initrd }),
    ...('disk' in source && source.variables !== undefined ? { [VARIABLES]: source.variables } : {}),
    ...Object.fromEntries(media.map((path, index) => [`${MEDIUM}${index}`, path])),
  };
  const read = Object.entries(places).map(([place, path]) => ({ source: path, target: place, writable: false }));
  return target === undefined ? read : [...read, { source: target, target: TARGET, writable: true }];
}

function variablesOf(source: BootSource): string {
  return 'disk' in source && source.variables !== undefined ? VARIABLES : `${FIRMWARE}/OVMF_VARS_4M.fd`;
}

/** QEMU in software: it works on every machine, and KVM inside of virtual machines often only seems to. */
function machineCommand({ source, media = [], target, targetDrive = 'virtio', credentials }: VirtualMachine): string[] {
  return [
    'qemu-system-x86_64',
    ...['-accel', 'tcg,thread=multi', '-smp', '2', '-m', String(MEMORY_MIB)],
    ...['-nographic', '-nodefaults', '-no-reboot', '-net', 'none', '-serial', 'stdio'],
    ...sourceOptions(source),
    ...(target === undefined
      ? []
      : ['-drive', `if=${targetDrive},format=raw,cache=unsafe,file=${TARGET}/${TARGET_FILE}`]),
    ...media.flatMap((_, index) => ['-drive', `if=virtio,format=raw,readonly=on,file=${MEDIUM}${index}`]),
    ...['-device', 'virtio-rng-pci'],
    ...Object.entries(credentials).flatMap(([name, value]) => [
      '-fw_cfg',
      `name=opt/io.systemd.credentials/${name},string=${value}`,
    ]),
  ];
}

function sourceOptions(source: BootSource): string[] {
  if ('kernel' in source)
    return ['-machine', 'pc', '-kernel', KERNEL, '-initrd', INITRD, '-append', source.commandLine];
  const file = `format=${source.format},file=${DISK}`;
  const disk = {
    disk: ['-drive', `if=virtio,${file},snapshot=on`],
    cd: ['-drive', `if=ide,media=cdrom,${file},readonly=on`],
    usb: [
      ...['-device', 'qemu-xhci', '-drive', `if=none,id=stick,${file},snapshot=on`],
      ...['-device', 'usb-storage,drive=stick'],
    ],
  }[source.drive ?? 'disk'];
  if (source.firmware === 'bios') return ['-machine', 'pc', ...disk];
  const flash = (unit: number, file: string) => ['-drive', `if=pflash,format=raw,unit=${unit},file=${file}`];
  const isSecure = source.variables !== undefined;
  const code = `${FIRMWARE}/OVMF_CODE_4M${isSecure ? '.secboot' : ''}.fd,readonly=on`;
  return [
    // What keeps a running system from writing the variables.
    ...(isSecure
      ? ['-machine', 'q35,smm=on', '-global', 'driver=cfi.pflash01,property=secure,value=on']
      : ['-machine', 'q35']),
    ...flash(0, code),
    ...flash(1, `${SCRATCH}/variables`),
    ...disk,
  ];
}
