/** `kiln explain`: what a spec says, and where each value comes from. */
import { BuildError, formatLocation, type SourceLocation } from '@kiln/diagnostics';
import { packageIdentity, Session, specEvaluation, type Distribution, type TaskIdentity } from '@kiln/distribution';
import { formatDependency, formatNevra, type BinaryPackage, type Origin, type SourcePackage } from '@kiln/rpm-package';
import { evaluateSpec, type ExplainedMacro } from '@kiln/rpm-spec';
import type { Command } from 'commander';
import { distributionOf, hostOf, print, type CommandContext } from '../context.ts';
import { DEPENDENCY_KINDS } from '../dependency-kinds.ts';
import { formatTable } from '../table.ts';
import { withTreeAt } from '../tree-at-revision.ts';
import { plansFor } from './affected.ts';

interface ExplainOptions {
  readonly macro?: readonly string[];
  readonly identity?: boolean;
  readonly against?: string;
  readonly json?: boolean;
}

export function addExplain(program: Command, context: () => CommandContext): void {
  program
    .command('explain <package>')
    .description('print the evaluated facts of a package with their origins')
    .option('--macro <name...>', 'where macros got their values, instead')
    .option('--identity', 'what the plan key and the action key of its build are made of, instead')
    .option('--against <revision>', 'with --identity: which parts of the plan key differ from those at a revision')
    .option('--json', 'as JSON')
    .action((name: string, options: ExplainOptions) =>
      options.identity === true || options.against !== undefined
        ? explainIdentity(context(), name, options)
        : explain(context(), name, options),
    );
}

async function explainIdentity(context: CommandContext, name: string, options: ExplainOptions): Promise<void> {
  const { against, json } = options;
  const distribution = await distributionOf(context);
  const project = distribution.findPackage(name);
  const identity = await packageIdentity(new Session(distribution, hostOf(context)), project);
  const { plan, action } = identity;
  const differs =
    against === undefined
      ? undefined
      : await differencesSince(context, { distribution, id: project.id, plan, against });
  if (json === true) {
    return print(context, JSON.stringify({ ...identity, ...(differs === undefined ? {} : { differs }) }, undefined, 2));
  }
  if (differs !== undefined) {
    const what = differs.length === 0 ? `the plan key is that of ${against}` : `differs from ${against}:`;
    return print(context, [what, ...differs.map((part) => `  ${part}`)].join('\n'));
  }
  print(context, `plan key ${plan.key}\n${partsTable(plan)}`);
  if (action === undefined) return print(context, '\nno action key yet: something that it needs is not built');
  print(context, `\naction key ${action.key}${action.isBuilt ? ' (built)' : ''}\n${partsTable(action)}`);
}

function partsTable({ parts }: TaskIdentity): string {
  return formatTable(parts.map(({ name, digest, from }) => [`  ${name}`, digest.slice(0, 16), from]));
}

/** Names of the parts of the plan key that a revision has otherwise, or only one of both has. */
async function differencesSince(
  context: CommandContext,
  question: {
    readonly distribution: Distribution;
    readonly id: string;
    readonly plan: TaskIdentity;
    readonly against: string;
  },
): Promise<string[]> {
  const { distribution, id, plan, against } = question;
  const keys = await withTreeAt(hostOf(context), { root: distribution.root, revision: against }, plansFor(context));
  const before = keys.get(`rpm:${id}`)?.parts ?? {};
  const now = Object.fromEntries(plan.parts.map((part) => [part.name, part.digest]));
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return names.filter((name) => before[name] !== now[name]);
}

async function explain(context: CommandContext, name: string, { macro = [], json }: ExplainOptions): Promise<void> {
  const distribution = await distributionOf(context);
  const { specFile, spec, directory, diagnostics } = distribution.findPackage(name);
  const evaluation = await specEvaluation({ root: distribution.root });
  const explainMacros = macro.map((one) => one.replace(/^%\{?|\}$/g, ''));
  const { sourcePackage, explainedMacros } = evaluateSpec({
    file: specFile,
    text: spec.text,
    sourceDir: directory,
    ...evaluation,
    explainMacros,
  });
  if (macro.length > 0) {
    if (json === true) return print(context, JSON.stringify(explainedMacros, undefined, 2));
    return print(context, explainedMacros.map(macroText).join('\n\n'));
  }
  if (sourcePackage === undefined) {
    throw new BuildError('SPEC_UNUSABLE', `${specFile} can't be evaluated`, { diagnostics });
  }
  if (json === true) return print(context, JSON.stringify(sourcePackage, undefined, 2));
  print(context, formatTable(sourceRows(sourcePackage)));
  for (const one of sourcePackage.packages) print(context, `\n${formatTable(binaryRows(one))}`);
}

type Row = string[];

function sourceRows(source: SourcePackage): Row[] {
  const { name, evr, license, summary, sources, buildRequires, location } = source;
  const origins = source.packages[0]?.origins ?? {};
  const row = (what: string, value: string): Row => [what, value, place(origins[what.toLowerCase()])];
  return [
    ['source', formatNevra({ name, evr, arch: 'src' }), place(location)],
    row('License', license),
    row('Summary', summary),
    ...sources.map(({ kind, number, url, location: where }) => [
      `${kind === 'source' ? 'Source' : 'Patch'}${number}`,
      url,
      place(where),
    ]),
    ...buildRequires.map((one) => ['BuildRequires', formatDependency(one), place(one.location)]),
  ];
}

function binaryRows(one: BinaryPackage): Row[] {
  const title = one.built ? 'package' : 'package (not built)';
  return [
    [title, formatNevra(one), place(one.location)],
    ...DEPENDENCY_KINDS.flatMap((kind) =>
      one[kind].map((dependency) => [
        `${kind[0]!.toUpperCase()}${kind.slice(1)}`,
        formatDependency(dependency),
        place(dependency.location) || 'by rpm itself',
      ]),
    ),
  ];
}

/** `file:line`, then the macros that made the line, innermost last. */
function place(origin: Origin | SourceLocation | undefined): string {
  if (origin === undefined) return '';
  const trace = 'trace' in origin ? (origin.trace ?? []) : [];
  return [origin, ...trace].map((one) => formatLocation(one).replace(/: $/, '')).join(' ← ');
}

function macroText({ name, value, definitions }: ExplainedMacro): string {
  if (definitions.length === 0) return `%${name} is not defined`;
  const lines = definitions.map(({ body, options, location }, index) => {
    const head = index === 0 ? 'is defined' : 'hides the definition';
    const where = location === undefined ? 'by rpm itself' : `at ${place(location)}`;
    return `  ${head} ${where}${options === undefined ? '' : ` with options (${options})`}: ${body}`;
  });
  return [`%${name}${value === undefined ? '' : ` is '${value}'`}`, ...lines].join('\n');
}
