/** `kiln bump`: a new release of packages, with the reason in their changelogs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { specEvaluation } from '@kiln/distribution';
import { writeFileAtomic } from '@kiln/host';
import { bumpSpec } from '@kiln/rpm-spec';
import type { Command } from 'commander';
import { distributionOf, hostOf, print, type CommandContext } from '../context.ts';

interface BumpOptions {
  readonly message: readonly string[];
  readonly author?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function addBump(program: Command, context: () => CommandContext): void {
  program
    .command('bump <package...>')
    .description('raise the Release of packages by one and say why in their changelogs; nothing else changes')
    .requiredOption('-m, --message <text...>', 'why; each text becomes a line of the changelog')
    .option('--author <name>', "'Name <address>'; Git's user when omitted")
    .option('--dry-run', 'only tell what would change')
    .option('--json', 'as JSON')
    .action((names: string[], options: BumpOptions) => bump(context(), names, options));
}

async function bump(context: CommandContext, names: readonly string[], options: BumpOptions): Promise<void> {
  const distribution = await distributionOf(context);
  const { root } = distribution;
  const author = options.author ?? (await gitUser(context, root));
  const evaluation = await specEvaluation({ root });
  const entry = { time: hostOf(context).now() / 1000, author, messages: options.message };
  // All or none: a spec that can't be raised stops before the first is written.
  const bumped = names.map((name) => {
    const { id, specFile, directory } = distribution.findPackage(name);
    const text = readText(join(root, specFile), specFile);
    return { id, file: specFile, ...bumpSpec({ file: specFile, text, sourceDir: directory, ...evaluation }, entry) };
  });
  if (options.dryRun !== true) for (const { file, text } of bumped) await writeFileAtomic(join(root, file), text);
  if (options.json) {
    return print(
      context,
      JSON.stringify(
        bumped.map(({ id, file, before, after }) => ({ id, file, before, after })),
        undefined,
        2,
      ),
    );
  }
  for (const { file, before, after } of bumped) print(context, `${file}: ${before} → ${after}`);
}

function readText(path: string, file: string): string {
  const bytes = readFileSync(path);
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return text;
  throw new BuildError('BUMP_UNCLEAR', `${file} is not UTF-8, and writing it would change more than the release`, {
    location: { file, line: 1 },
    hint: 'convert it to UTF-8 first, or raise the Release by hand',
  });
}

async function gitUser(context: CommandContext, root: string): Promise<string> {
  const host = hostOf(context);
  const ask = async (key: string) =>
    (await host.run({ argv: ['git', 'config', '--get', key], cwd: root })).stdout.trim();
  const [name, email] = [await ask('user.name'), await ask('user.email')];
  if (name !== '' && email !== '') return `${name} <${email}>`;
  throw new BuildError('AUTHOR_UNKNOWN', 'Git has no user.name and user.email, so the changelog has no author', {
    hint: "give one: kiln bump … --author 'Name <address>'",
  });
}
