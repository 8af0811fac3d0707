/** `kiln shell`: a shell in the build root of a package, with the source tree as the last failed build left it. */
import { openPackageShell, Session } from '@kiln/distribution';
import { BuildError } from '@kiln/diagnostics';
import type { ShellScene } from '@kiln/package-build';
import type { Command } from 'commander';
import { distributionOf, hostOf, rootOf, type CommandContext } from '../context.ts';
import { prepareMachineFor } from '../machine.ts';

export function addShell(program: Command, context: () => CommandContext): void {
  program
    .command('shell <package>')
    .description('open a shell in the build root of a package, where its last build failed or before it begins')
    .option('--fresh', 'nothing unpacked or built, although there is a failed build')
    .option('--check', 'where %check runs')
    .action((name: string, { fresh = false, check = false }: { fresh?: boolean; check?: boolean }) =>
      openShell(context(), name, { fresh, ofCheck: check }),
    );
}

/** @throws BuildError `NO_TERMINAL` and those of `openPackageShell`. */
export async function openShell(
  context: CommandContext,
  name: string,
  options: { readonly fresh: boolean; readonly ofCheck: boolean },
): Promise<void> {
  requireTerminal();
  const root = rootOf(context);
  await prepareMachineFor(context, root);
  const session = new Session(await distributionOf(context), hostOf(context));
  const { id } = session.distribution.findPackage(name);
  const say = (line: string) => void context.terminal.err.write(`kiln: ${line}\n`);
  await openPackageShell(session, id, {
    ...options,
    onReady: (scene) => describe(id, scene).forEach(say),
  });
  say('the shell has ended; nothing of it was kept');
}

/** @throws BuildError `NO_TERMINAL`. */
export function requireTerminal(): void {
  if (process.stdin.isTTY && process.stdout.isTTY) return;
  throw new BuildError('NO_TERMINAL', 'a shell needs a terminal as its input and output', {
    hint: 'run it in a terminal; in a script: script --command "kiln shell …" /dev/null',
  });
}

function describe(id: string, { failed, command }: ShellScene): string[] {
  return [
    failed
      ? `${id} as its last build left it (a copy)`
      : `the root of ${id} before its build: sources in SOURCES, nothing unpacked`,
    `the build's command: ${command}`,
    'limits and network are those of the build; leave with exit',
  ];
}
