/** `kiln verify`: whether the files of an image that somebody has downloaded are what was published. */
import { resolve } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { verifyImage } from '@kiln/image-build';
import type { Command } from 'commander';
import { hostOf, print, type CommandContext } from '../context.ts';

export function addVerify(program: Command, context: () => CommandContext): void {
  program
    .command('verify <directory>')
    .description("check an image's signature, checksums and bill of materials; the directory has its SHA256SUMS")
    .option('--key <file>', "the publisher's OpenPGP key")
    .option('--json', 'as JSON')
    .action((directory: string, options: VerifyOptions) => verify(context(), directory, options));
}

interface VerifyOptions {
  readonly key?: string;
  readonly json?: boolean;
}

async function verify(context: CommandContext, directory: string, { key, json }: VerifyOptions): Promise<void> {
  const checks = await verifyImage(hostOf(context), {
    directory: resolve(context.cwd, directory),
    ...(key === undefined ? {} : { publicKeyFile: resolve(context.cwd, key) }),
  });
  if (json === true) print(context, JSON.stringify(checks, undefined, 2));
  else
    for (const { name, outcome, problems } of checks) {
      print(context, `${outcome}: ${name}`);
      for (const problem of problems) print(context, `  ${problem}`);
    }
  const failed = checks.filter(({ outcome }) => outcome === 'failed').map(({ name }) => `'${name}'`);
  if (failed.length > 0)
    throw new BuildError('VERIFY_FAILED', `${directory} is not what was published: ${failed.join(', ')} failed`, {
      hint: 'download it again, from where the publisher says',
    });
}
