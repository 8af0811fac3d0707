/** `kiln sources`: fetches source files, tells where each came from and which can't be had; `--update` pins new ones. */
import { BuildError } from '@kiln/diagnostics';
import {
  examineSources,
  Session,
  SOURCES_TASK,
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
  const updates: Update[] = [];
  try {
    await watched(context, distribution, async (session) => {
      for (const project of projects)
        updates.push({ package: project.id, ...(await updatePackageSignatures(session, project)) });
    });
  } finally {
    // Files that were rewritten before another package's error are told too.
    tellUpdates(context, updates, options);
  }
}

type Update = { readonly package: string } & Awaited<ReturnType<typeof updatePackageSignatures>>;

function tellUpdates(context: CommandContext, updates: readonly Update[], { json }: SourcesOptions): void {
  if (json) return print(context, JSON.stringify(updates, undefined, 2));
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
  const found = await watched(context, distribution, (session) => examineSources(session, projects));
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
  const complete = found.filter(({ problems }) => problems.length === 0);
  const files = complete.reduce((sum, one) => sum + one.files.length, 0);
  context.terminal.err.write(`${files} source files of ${counted(complete.length, 'package')} are complete\n`);
  if (lacking.length > 0) throw incomplete(lacking);
}

/** Does something that fetches; its progress is no part of the answer, which programs read from standard output. */
async function watched<T>(
  context: CommandContext,
  distribution: Distribution,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const { terminal } = context;
  const reporter = createReporter({ terminal: { ...terminal, out: terminal.err }, now: () => Date.now() });
  reporter.begin(SOURCES_TASK);
  reporter.start(SOURCES_TASK);
  try {
    return await work(new Session(distribution, hostOf(context, reporter.emit)));
  } finally {
    reporter.end();
  }
}

function incomplete(lacking: readonly SourceExamination[]): BuildError {
  return new BuildError('SOURCES_INCOMPLETE', `source files of ${counted(lacking.length, 'package')} can't be had`, {
    diagnostics: lacking.flatMap(({ problems }) => problems),
    hint: 'every place that was tried is listed; `sources.places` in toolkit/distro.json names the places',
  });
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
