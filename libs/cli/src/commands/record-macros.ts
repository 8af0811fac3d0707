/** `kiln record-macros`: answers for the shell commands in macros. */
import { recordMacros, Session } from '@kiln/distribution';
import type { Command } from 'commander';
import { distributionOf, hostOf, print, type CommandContext } from '../context.ts';

export function addRecordMacros(program: Command, context: () => CommandContext): void {
  program
    .command('record-macros')
    .description(
      'run the shell commands that specs ask while they are read, in the sandboxed root, and record the answers',
    )
    .option('--again', 'ask all again, also those with a recorded answer')
    .action((options: { again?: boolean }) => record(context(), options.again === true));
}

async function record(context: CommandContext, again: boolean): Promise<void> {
  const session = new Session(await distributionOf(context), hostOf(context));
  const { file, commands, added, removed } = await recordMacros(session, { again });
  for (const command of added) print(context, `+ ${command}`);
  for (const command of removed) print(context, `- ${command}`);
  print(
    context,
    `${file}: ${commands} ${commands === 1 ? 'command' : 'commands'}, ${added.length} new, ${removed.length} gone`,
  );
}
