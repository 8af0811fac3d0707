/** Conversations with a machine that is only a script. */
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHost } from '@kiln/host';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withWorkDirectories, type ImagePorts } from '../src/image-ports.ts';
import { talkToMachine, type ConsoleStep, type Conversation } from '../src/virtual-machine.ts';
import { machineProgram, makePorts, makeToolRoot, removeTemporaryDirectories } from './tool-root.ts';

/** Says how it was called and who it is, repeats a line, and is off; a line `hang` keeps it on, `die` lets it fail. */
const MACHINE = `#!/usr/bin/bash
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
