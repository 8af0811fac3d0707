/** `kiln sources`: fetches source files, tells where each came from and which can't be had; `--update` pins new ones. */
import { BuildError } from '@kiln/diagnostics';
import {
  examineSources,
  Session,
  updatePackageSignatures,
  type Distribution,
  type PackageProject,
  type SourceExamination,
} from '@kiln/distribution';
import type { Command } from 'commander';
import { distributionOf, hostOf, print, type CommandContext } from '../context.ts';
import { createReporter } from '../reporter.ts';
import { formatTable } from '../table.ts';

interface SourcesOptions {
  readonly update?: boolean;
  readonly json?: boolean;
}

export function addSources(program: Command, context: () => CommandContext): void {
  program
    .command('sources [package...]')
    .description('fetch the source files of packages, of all when none is named; tell where each came from')
    .option('--update', "rewrite the packages' signatures to what their places give now, and show the difference")
    .option('--json', 'as JSON')
    .action((names: string[], options: SourcesOptions) => sources(context(), names, options));
}

async function sources(context: CommandContext, names: readonly string[], options: SourcesOptions): Promise<void> {
  const distribution = await distributionOf(context);
  const projects = names.length === 0 ? distribution.packages : names.map((name) => distribution.findPackage(name));
  if (options.update !== true) return examine(context, { distribution, projects, json: options.json === true });
  if (names.length === 0)
    throw new BuildError('PACKAGE_UNNAMED', 'an update changes what is trusted, so it wants packages by name', {
      hint: 'kiln sources --update <package...>',
    });
  const session = new Session(distribution, hostOf(context));
  const updates = [];
  for (const project of projects)
    updates.push({ package: project.id, ...(await updatePackageSignatures(session, project)) });
  if (options.json) return print(context, JSON.stringify(updates, undefined, 2));
  for (const { file, changes } of updates) {
    print(context, changes.length === 0 ? `${file}: unchanged` : `${file}:`);
    for (const { fileName, before, after, place } of changes) {
      if (before !== undefined) print(context, `  - ${before}  ${fileName}`);
      if (after !== undefined) print(context, `  + ${after}  ${fileName}  (${place})`);
    }
  }
}

interface Examined {
  readonly distribution: Distribution;
  readonly projects: readonly PackageProject[];
  readonly json: boolean;
}

async function examine(context: CommandContext, { distribution, projects, json }: Examined): Promise<void> {
  const reporter = createReporter({
    terminal: context.terminal,
    now: () => Date.now(),
    total: projects.length,
  });
  const found = await examineSources(new Session(distribution, hostOf(context, reporter.emit)), projects).finally(() =>
    reporter.end(),
  );
  if (json) print(context, JSON.stringify(found, undefined, 2));
  else
    print(
      context,
      formatTable(
        found.flatMap(({ id, files }) =>
          files.map(({ fileName, place, address }) => [id, fileName, place, address ?? '']),
        ),
      ),
    );
  const lacking = found.filter(({ problems }) => problems.length > 0);
  const files = found.reduce((sum, one) => sum + one.files.length, 0);
  context.terminal.err.write(`${files} source files of ${found.length - lacking.length} packages are complete\n`);
  if (lacking.length > 0) throw incomplete(lacking);
}

function incomplete(lacking: readonly SourceExamination[]): BuildError {
  return new BuildError('SOURCES_INCOMPLETE', `${lacking.length} packages lack source files`, {
    diagnostics: lacking.flatMap(({ problems }) => problems),
    hint: 'every place that was tried is listed; `sources.places` in toolkit/distro.json names the places',
  });
}
