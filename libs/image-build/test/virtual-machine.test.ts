/** Conversations with a machine that is only a script. */
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHost } from '@kiln/host';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { talkOnceMore } from '../src/guest-session.ts';
import { withWorkDirectories, type ImagePorts } from '../src/image-ports.ts';
import { talkToMachine, type ConsoleStep, type Conversation } from '../src/virtual-machine.ts';
import {
  machineProgram,
  makePorts,
  makeToolRoot,
  removeTemporaryDirectories,
  temporaryDirectory,
} from './tool-root.ts';

/** Says nothing more after a start that a test wants silent; else how it was called and who it is, repeats a line, and is off; a line `hang` keeps it on, `die` lets it fail. */
const MACHINE = `#!/usr/bin/bash
starts=0
if [ -e /starts/count ]; then read -r starts < /starts/count; echo $((starts += 1)) > /starts/count; fi
if [ -e /starts/silent-$starts ]; then printf '%s' "$(< /starts/silent-$starts)"; echo; exec sleep 60; fi
printf '%s ' "$@"
printf 'firmware\\nguest login: '
read -r name
printf 'hello %s\\n# ' "$name"
read -r line
case $line in
  hang) sleep 60 ;;
  die) exit 7 ;;
  *) printf '%s\\n' "$line"; head -c 300000 /dev/zero | tr '\\0' x; printf '\\nPowering off.\\n' ;;
esac
`;
const host = createHost();
let ports: ImagePorts;

beforeAll(() => {
  const root = makeToolRoot();
  for (const name of ['head', 'mkfifo', 'sleep', 'tr']) cpSync(machineProgram(name), join(root, 'usr/bin', name));
  mkdirSync(join(root, 'usr/share/OVMF'), { recursive: true });
  writeFileSync(join(root, 'usr/share/OVMF/OVMF_VARS_4M.fd'), '');
  writeFileSync(join(root, 'usr/bin/qemu-system-x86_64'), MACHINE);
  chmodSync(join(root, 'usr/bin/qemu-system-x86_64'), 0o755);
  ports = { ...makePorts(host, root), bootTools: () => Promise.resolve(root) };
});
afterAll(removeTemporaryDirectories);

function talk(...steps: readonly ConsoleStep[]): Promise<Conversation> {
  return talkTo({}, ...steps);
}

function talkTo(more: { readonly variables?: string }, ...steps: readonly ConsoleStep[]): Promise<Conversation> {
  const source = { disk: import.meta.filename, format: 'raw', firmware: 'uefi', ...more } as const;
  const machine = { source, credentials: {} };
  return withWorkDirectories(ports, ['talk'], ([scratch]) =>
    talkToMachine(ports, machine, { steps, scratch: scratch! }),
  );
}

/** Seconds; a busy machine needs some of them to start a script. */
const HANG = 5;

/** With starts that say this much and no more; `told` is what there was to say of a hang. */
async function talkAgain(silent: readonly string[], seconds = 30) {
  const starts = temporaryDirectory('starts');
  // Root of the sandbox may be another user.
  chmodSync(starts, 0o777);
  silent.forEach((text, index) => writeFileSync(join(starts, `silent-${index + 1}`), text));
  writeFileSync(join(starts, 'count'), '0');
  chmodSync(join(starts, 'count'), 0o666);
  const told: string[] = [];
  const log = join(starts, 'log');
  const { problem, hung } = await talkOnceMore(
    { ...ports, run: (request) => ports.run({ ...request, mounts: [...(request.mounts ?? []), startsMount(starts)] }) },
    { name: 'guest', log, onHang: (message) => told.push(message) },
    {
      machine: { source: { disk: import.meta.filename, format: 'raw', firmware: 'bios' }, credentials: {} },
      steps: [{ expect: 'login: ', seconds }, { stop: true }],
      hangSeconds: HANG,
    },
  );
  return {
    problem,
    hung,
    told,
    starts: Number(readFileSync(join(starts, 'count'), 'utf8')),
    log: readFileSync(log, 'utf8'),
  };
}

function startsMount(source: string) {
  return { source, target: '/starts', writable: true };
}

describe.concurrent('a machine that hangs before its init', () => {
  const hang = "the virtual machine hung: it said nothing for 5 s before its init ran; its last line was 'rcu: here';";

  it('is started once more, and told', async () => {
    const { problem, told, starts, log } = await talkAgain(['Linux version 6\nrcu: here\n']);
    expect([problem, starts]).toEqual([undefined, 2]);
    expect(told).toEqual([`${hang} it was started once more`]);
    expect(log).toContain(`${hang} it was started once more\n`);
    expect(log).toMatch(/rcu: here\n[^]*guest login: /);
    const { told: silent } = await talkAgain(['']);
    expect(silent[0]).toContain('it had said nothing at all');
  });

  it('is one whose emulated timer the kernel gave up', async () => {
    const panic = "Kernel panic - not syncing: IO-APIC + timer doesn't work!";
    const { problem, told, starts } = await talkAgain([panic]);
    expect([problem, starts]).toEqual([undefined, 2]);
    expect(told[0]).toContain('its timer came too late');
  });

  it('is started only once more, and then has all of its time', async () => {
    const { problem, told, starts } = await talkAgain(['rcu: here\n', 'rcu: there\n'], 2 * HANG);
    expect([problem, starts, told.length]).toEqual([`it did not print 'login: ' within ${2 * HANG} s`, 2, 1]);
  });

  it('is one that neither started an init nor gave up', async () => {
    const ends = [
      ...['Run /init as init process', 'systemd[1]: Detected', 'Kernel panic - not syncing: no root'],
      ...["error: file `/boot/vmlinuz' not found.", 'grub rescue> ', 'BdsDxe: No bootable option', 'Access Denied'],
    ];
    const found = await Promise.all(ends.map((end) => talkAgain([`rcu: here\n${end}`], 2 * HANG)));
    for (const { problem, told, starts } of found)
      expect([problem, starts, told]).toEqual([`it did not print 'login: ' within ${2 * HANG} s`, 1, []]);
  });
});

describe('talkToMachine', () => {
  it('waits for prompts, answers, and loses nothing of what is said', async () => {
    const { console, problem, result } = await talk(
      { expect: 'login: ', seconds: 30 },
      { send: 'root' },
      { expect: '# ', seconds: 30 },
      { send: 'a line with $(signs) and spaces' },
      { off: true, seconds: 30 },
    );
    expect([result.status, problem]).toEqual([0, undefined]);
    expect(console).toContain('hello root\n# a line with $(signs) and spaces\n');
    expect(console).toContain(`\n${'x'.repeat(300_000)}\nPowering off.\n`);
  });

  it('says what was not printed in time, and ends the machine', async () => {
    const { console, problem } = await talk({ expect: 'Welcome', seconds: 1 });
    expect(problem).toBe("it did not print 'Welcome' within 1 s");
    expect(console).toContain('guest login: ');
  });

  it('says that the machine ended too early, stayed on, or failed', async () => {
    const login: ConsoleStep[] = [{ expect: 'login: ', seconds: 30 }, { send: 'root' }, { expect: '# ', seconds: 30 }];
    const early = await talk(...login, { send: 'off' }, { expect: 'more', seconds: 30 });
    expect(early.problem).toBe("it ended before it printed 'more'");
    const on = await talk(...login, { send: 'hang' }, { off: true, seconds: 1 });
    expect(on.problem).toBe('it was not off within 1 s');
    const failed = await talk(...login, { send: 'die' }, { off: true, seconds: 30 });
    expect(failed.problem).toBe('the virtual machine ended with status 7');
  });

  it('has firmware that wants signatures when it is given variables with keys', async () => {
    const steps: ConsoleStep[] = [{ expect: 'login: ', seconds: 30 }, { stop: true }];
    const plain = await talk(...steps);
    expect(plain.console).toContain('/OVMF_CODE_4M.fd,readonly=on');
    const secure = await talkTo({ variables: import.meta.filename }, ...steps);
    expect(secure.console).toContain('-machine q35,smm=on -global driver=cfi.pflash01,property=secure,value=on');
    expect(secure.console).toContain('/OVMF_CODE_4M.secboot.fd,readonly=on');
    expect([secure.problem, secure.result.status]).toEqual([undefined, 0]);
  });
});
