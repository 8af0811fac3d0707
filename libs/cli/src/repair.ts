/** Brings the machine in order: apt packages, then commands; says what it does before it does it. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { shellQuote, withFileLock, type Host, type RunRequest } from '@kiln/host';
import type { Repairs } from './examination.ts';

export interface RepairContext {
  /** The workspace: holds the log and the lock. */
  readonly root: string;
  readonly say: (line: string) => void;
}

type Argv = readonly [string, ...string[]];

/** The commands of a repair as an administrator would type them. */
export function repairCommands({ aptPackages, commands }: Repairs): Argv[] {
  if (aptPackages.length === 0) return [...commands];
  const install: Argv = ['apt-get', 'install', '--yes', '--no-install-recommends', ...aptPackages];
  return [['apt-get', 'update'], install, ...commands];
}

/**
 * Runs the commands of a repair, as root or through sudo.
 * @throws BuildError `REPAIR_NEEDS_ROOT`, `REPAIR_FAILED`.
 */
export async function repair(host: Host, repairs: Repairs, { root, say }: RepairContext): Promise<void> {
  const prefix = await privilegePrefix(host, repairs);
  const log = join(root, 'dist', 'logs', 'doctor.log');
  await withFileLock(join(root, '.nx', 'kiln', 'doctor.lock'), async () => {
    for (const argv of repairCommands(repairs)) {
      const [program, ...args] = [...prefix, ...argv];
      say(`running: ${shellQuote([program!, ...args])}`);
      const request: RunRequest = { argv: [program!, ...args], environment: aptEnvironment(host), log };
      const { status, stdout, stderr } = await runLogged(host, request);
      if (status === 0) continue;
      throw new BuildError(
        'REPAIR_FAILED',
        `'${shellQuote(argv)}' ended with status ${status}: ${reason(stderr || stdout)}`,
        {
          log,
          hint: 'put this right, then run `kiln doctor --fix` again',
          command: shellQuote(argv),
        },
      );
    }
  });
}

async function runLogged(host: Host, request: RunRequest) {
  await mkdir(dirname(request.log!), { recursive: true });
  return host.run(request);
}

async function privilegePrefix(host: Host, repairs: Repairs): Promise<string[]> {
  if (process.getuid?.() === 0) return [];
  const sudo = await host.run({ argv: ['sudo', '-n', 'true'] }).catch(() => undefined);
  if (sudo?.status === 0) return ['sudo'];
  throw new BuildError('REPAIR_NEEDS_ROOT', 'the machine can only be set up by root', {
    hint: `run as root: ${repairCommands(repairs).map(shellQuote).join(' && ')}`,
  });
}

function aptEnvironment({ environment }: Host): Record<string, string> {
  const defined = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(defined), DEBIAN_FRONTEND: 'noninteractive' };
}

/** apt's first error, else the last line. */
function reason(text: string): string {
  const lines = text.trimEnd().split('\n');
  return lines.find((line) => line.startsWith('E: ')) ?? lines.at(-1) ?? '';
}
