/** `kiln import`: brings an upstream tree of specs into the workspace, and its next releases. */
import {
  importUpstream,
  readDistroConfig,
  recordMacros,
  Session,
  UPSTREAM_LOCK,
  type ImportOptions,
  type ImportReport,
} from '@kiln/distribution';
import { BuildError } from '@kiln/diagnostics';
import { Option, type Command } from 'commander';
import { distributionOf, hostOf, print, rootOf, type CommandContext } from '../context.ts';

interface ImportFlags {
  readonly ref?: string;
  readonly root?: string[];
  readonly onConflict: NonNullable<ImportOptions['onConflict']>;
  readonly recordMacros: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function addImport(program: Command, context: () => CommandContext): void {
  program
    .command('import')
    .description(
      `bring an upstream tree of specs under the spec roots, or its next release; ${UPSTREAM_LOCK} keeps what came from upstream`,
    )
    .argument('[source]', 'address of a git repository, or a directory (default: that of the last import)')
    .option('--ref <revision>', 'branch, tag or commit of a git repository')
    .option('--root <root...>', 'spec roots to import (default: those of the last import, else all that upstream has)')
    .addOption(
      new Option('--on-conflict <side>', 'what to do with files that were changed here and upstream')
        .choices(['stop', 'local', 'upstream'])
        .default('stop'),
    )
    .option('--no-record-macros', "don't record the answers of shell commands in macros afterwards")
    .option('--dry-run', 'only say what would change')
    .option('--json', 'as JSON')
    .action((source: string | undefined, flags: ImportFlags) => runImport(context(), source, flags));
}

async function runImport(context: CommandContext, source: string | undefined, flags: ImportFlags): Promise<void> {
  const root = rootOf(context);
  const { ref, root: roots, onConflict, dryRun = false } = flags;
  const report = await importUpstream(hostOf(context), root, {
    onConflict,
    dryRun,
    ...(source === undefined ? {} : { from: source }),
    ...(ref === undefined ? {} : { ref }),
    ...(roots === undefined ? {} : { roots }),
  });
  if (flags.json === true) print(context, JSON.stringify(report, undefined, 2));
  else printReport(context, report);
  if (report.conflicts.length > 0 && onConflict === 'stop') throw conflictError(report);
  if (report.applied && flags.recordMacros) await recordAnswers(context, root);
}

/** Only for trees that keep answers. */
async function recordAnswers(context: CommandContext, root: string): Promise<void> {
  if (readDistroConfig(root).macroAnswers === undefined) return;
  const { file, commands, added } = await recordMacros(new Session(await distributionOf(context), hostOf(context)));
  context.terminal.err.write(`${file}: ${commands} commands, ${added.length} new\n`);
}

function printReport(context: CommandContext, report: ImportReport): void {
  const { specs, conflicts, keptChanges, replaced, sameNames } = report;
  for (const spec of specs.added) print(context, `new      ${spec}`);
  for (const spec of specs.changed) print(context, `changed  ${spec}`);
  for (const spec of specs.removed) print(context, `gone     ${spec}`);
  for (const path of keptChanges) print(context, `kept     ${path}  changed here only`);
  if (report.applied) for (const { path, kind } of conflicts) print(context, `conflict ${path}  ${kind}`);
  for (const { spec, by, state, upstreamVersion, localVersion } of replaced) {
    const versions = state === 'behind' ? ` has ${localVersion}, upstream ${upstreamVersion}` : '';
    if (state !== 'current') print(context, `${state.padEnd(9)}${by}${versions}  replaces ${spec}`);
  }
  for (const { spec, upstream } of sameNames) print(context, `also     ${spec}  has the name of ${upstream}`);
  context.terminal.err.write(`${summary(report)}\n`);
}

function summary({ upstream, added, updated, removed, applied }: ImportReport): string {
  const from = upstream.commit === undefined ? upstream.from : `${upstream.ref} (${upstream.commit.slice(0, 12)})`;
  const counts = `${added.length} files new, ${updated.length} changed, ${removed.length} gone`;
  return `${from}: ${counts}${applied ? '' : '; nothing was written'}`;
}

function conflictError({ conflicts }: ImportReport): BuildError {
  const count = conflicts.length === 1 ? '1 file is' : `${conflicts.length} files are`;
  return new BuildError('IMPORT_CONFLICT', `${count} in conflict with upstream; nothing was written`, {
    diagnostics: conflicts.map(({ path, kind }) => ({
      severity: 'error',
      code: 'IMPORT_CONFLICT',
      message: `${path}: ${kind}`,
    })),
    hint: 'merge them by hand and run again with --on-conflict local, or take the other side with --on-conflict upstream',
  });
}
