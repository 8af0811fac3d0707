/** `kiln spec`: what rpmspec and `rpm --eval` answer, without rpm. Options are named as rpm's where they mean the same. */
import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { BuildError, formatDiagnostic, SourceText, type Diagnostic } from '@kiln/diagnostics';
import { encodingProblem, specEvaluation } from '@kiln/distribution';
import { createMacroContext, type TargetArch } from '@kiln/rpm-macro';
import {
  formatDependency,
  formatNevra,
  type BinaryPackage,
  type Dependency,
  type Scriptlet,
  type SourcePackage,
} from '@kiln/rpm-package';
import { evaluateSpec, type EvaluatedSpec } from '@kiln/rpm-spec';
import type { Command } from 'commander';
import { print, workspaceOf, type CommandContext } from '../context.ts';
import { DEPENDENCY_KINDS, type DependencyKind } from '../dependency-kinds.ts';

interface EnvironmentOptions {
  readonly define: Readonly<Record<string, string>>;
  readonly target?: TargetArch;
  readonly load: readonly string[];
  readonly standard?: boolean;
}

interface QueryOptions extends EnvironmentOptions, Partial<Record<DependencyKind, boolean>> {
  readonly srpm?: boolean;
  readonly builtrpms?: boolean;
  readonly buildrequires?: boolean;
  readonly changelog?: boolean;
  readonly scripts?: boolean;
  readonly json?: boolean;
}

export function addSpec(program: Command, context: () => CommandContext): void {
  const spec = program.command('spec').description('ask spec files, without rpm');
  const query = withEnvironment(spec.command('query <spec...>').description('print packages (as rpmspec --query)'))
    .option('--srpm', 'the source package')
    .option('--builtrpms', 'only packages that are built')
    .option('--buildrequires', 'what the source package needs to be built')
    .option('--changelog', 'the entries of the changelog')
    .option('--scripts', 'what runs when packages are installed and removed, and its triggers')
    .option('--json', 'everything, as JSON');
  for (const kind of DEPENDENCY_KINDS) query.option(`--${kind}`, `list what the packages state as ${kind}`);
  query.action((files: string[], options: QueryOptions) => querySpecs(context(), files, options));
  withEnvironment(spec.command('expand <spec>').description('print the expanded text (as rpmspec --parse)')).action(
    (file: string, options: EnvironmentOptions) => expandSpec(context(), file, options),
  );
  withEnvironment(spec.command('eval <text>').description('expand a text (as rpm --eval)'))
    .option('--spec <file>', 'with the macros as they are at the end of this spec')
    .action((text: string, options: EnvironmentOptions & { spec?: string }) => evalText(context(), text, options));
  withEnvironment(
    spec.command('lint <spec...>').description('print everything that is wrong; fails when there are errors'),
  )
    .option('--json', 'as JSON')
    .action((files: string[], options: EnvironmentOptions & { json?: boolean }) =>
      lintSpecs(context(), files, options),
    );
}

function withEnvironment(command: Command): Command {
  return command
    .option('-D, --define <macro>', "define a macro: 'name body'", collectDefine, {})
    .option('--target <cpu>', 'the architecture to evaluate for')
    .option('--load <file>', 'one more macro file', (file: string, files: string[]) => [...files, file], [])
    .option('--standard', "rpm's standard macros instead of those of the workspace");
}

function collectDefine(text: string, defines: Record<string, string>): Record<string, string> {
  const match = /^\s*(\S+)\s+([\s\S]*)$/.exec(text);
  if (match === null) throw new BuildError('DEFINE_MALFORMED', `'${text}' is not 'name body'`);
  return { ...defines, [match[1]!]: match[2]! };
}

async function querySpecs(context: CommandContext, files: readonly string[], options: QueryOptions): Promise<void> {
  const evaluated = await evaluateAll(context, files, options);
  const sources = evaluated.map(({ name, result }) => ({ ...usable(name, result), changelog: result.changelog }));
  if (options.json === true)
    return print(context, JSON.stringify(sources.length === 1 ? sources[0] : sources, undefined, 2));
  for (const source of sources) for (const line of queryLines(source, options)) print(context, line);
}

type QueriedSource = SourcePackage & Pick<EvaluatedSpec, 'changelog'>;

function queryLines(source: QueriedSource, options: QueryOptions): string[] {
  const packages = source.packages.filter(({ built }) => built || options.builtrpms !== true);
  const kinds = DEPENDENCY_KINDS.filter((kind) => options[kind] === true);
  const lists: (readonly Dependency[])[] =
    options.srpm === true
      ? kinds.map((kind) => sourceDependencies(source, kind))
      : packages.flatMap((one) => kinds.map((kind) => one[kind]));
  if (options.buildrequires === true) lists.push(source.buildRequires);
  const lines = lists.flat().map(formatDependency);
  if (options.changelog === true) lines.push(...source.changelog.flatMap(changelogLines));
  if (options.scripts === true) lines.push(...packages.flatMap(scriptLines));
  const isAsked = kinds.length > 0 || options.buildrequires || options.changelog || options.scripts;
  if (isAsked === true) return lines;
  return options.srpm === true ? [formatNevra({ ...source, arch: 'src' })] : packages.map(formatNevra);
}

/** What the header of the source package has: it provides what is built from it. */
function sourceDependencies(source: SourcePackage, kind: DependencyKind): readonly Dependency[] {
  if (kind === 'requires') return source.buildRequires;
  if (kind === 'conflicts') return source.buildConflicts;
  if (kind !== 'provides') return [];
  return source.packages.filter(({ built }) => built).map(({ name, evr }) => ({ name, operator: '=', evr }));
}

function changelogLines({ time, name, text }: EvaluatedSpec['changelog'][number]): string[] {
  const [weekday, day, month, year] = new Date(time * 1000).toUTCString().replace(',', '').split(' ');
  return [`* ${weekday} ${month} ${day} ${year} ${name}`, text, ''];
}

/** As rpm writes them; a file trigger says `transfiletriggerin scriptlet (using /bin/sh) -- /usr/lib`. */
function scriptLines({ scriptlets, triggers }: BinaryPackage): string[] {
  const line = ({ when, interpreter, text }: Scriptlet, conditions: string): string[] => {
    const name = SCRIPTLET_NAMES[when] ?? when;
    const program = interpreter.join(' ');
    return text === '' ? [`${name} program: ${program}`] : [`${name} scriptlet (using ${program}):${conditions}`, text];
  };
  return [
    ...scriptlets.flatMap((scriptlet) => line(scriptlet, '')),
    ...triggers.flatMap((trigger) => line(trigger, ` -- ${trigger.conditions.map(formatDependency).join(', ')}`)),
  ];
}

const SCRIPTLET_NAMES: Readonly<Record<string, string>> = {
  pre: 'preinstall',
  post: 'postinstall',
  preun: 'preuninstall',
  postun: 'postuninstall',
  verifyscript: 'verify',
};

async function expandSpec(context: CommandContext, file: string, options: EnvironmentOptions): Promise<void> {
  const [{ name, result }] = (await evaluateAll(context, [file], options)) as [Evaluated];
  usable(name, result);
  context.terminal.out.write(result.expandedText);
}

async function evalText(
  context: CommandContext,
  text: string,
  options: EnvironmentOptions & { spec?: string },
): Promise<void> {
  const { environment, ports } = await specEvaluation(environmentOf(context, options));
  if (options.spec !== undefined) {
    const probe = 'kiln_spec_eval';
    const name = shownName(context, options.spec);
    const result = evaluateSpec({
      ...readSpec(context, options.spec),
      environment,
      ports,
      defines: { ...options.define, [probe]: text },
      explainMacros: [probe],
    });
    usable(name, result);
    return print(context, result.explainedMacros[0]?.value ?? text);
  }
  const macros = createMacroContext({ environment, ports, defines: options.define });
  const value = macros.expand(text);
  report(context, 'command line', new SourceText('command line', text), macros.diagnostics);
  if (value === undefined)
    throw new BuildError('EVAL_FAILED', `'${text}' can't be expanded`, { diagnostics: macros.diagnostics });
  print(context, value);
}

async function lintSpecs(
  context: CommandContext,
  files: readonly string[],
  options: EnvironmentOptions & { json?: boolean },
): Promise<void> {
  const evaluated = await evaluateAll(context, files, options);
  const all = evaluated.flatMap(({ result }) => result.diagnostics);
  if (options.json === true) print(context, JSON.stringify(all, undefined, 2));
  else
    for (const { name, text, result } of evaluated)
      report(context, name, new SourceText(name, text), result.diagnostics);
  const errors = all.filter(({ severity }) => severity === 'error').length;
  if (errors > 0)
    throw new BuildError(
      'SPEC_ERRORS',
      `${errors} ${errors === 1 ? 'error' : 'errors'} in ${files.length} ${files.length === 1 ? 'spec' : 'specs'}`,
    );
}

interface Evaluated {
  readonly name: string;
  readonly text: string;
  readonly result: EvaluatedSpec;
}

async function evaluateAll(
  context: CommandContext,
  files: readonly string[],
  options: EnvironmentOptions,
): Promise<Evaluated[]> {
  const { environment, ports } = await specEvaluation(environmentOf(context, options));
  return files.map((file) => {
    const spec = readSpec(context, file);
    return {
      name: spec.file,
      text: spec.text,
      result: evaluateSpec({ ...spec, environment, ports, defines: options.define }),
    };
  });
}

function readSpec(context: CommandContext, file: string): { file: string; text: string; sourceDir: string } {
  const name = shownName(context, file);
  let bytes: Buffer;
  try {
    bytes = readFileSync(resolve(context.cwd, file));
  } catch (cause) {
    throw new BuildError('SPEC_MISSING', `the spec ${file} can't be read: ${(cause as Error).message}`, { cause });
  }
  const problem = encodingProblem(name, bytes);
  if (problem !== undefined) throw new BuildError(problem.code, problem.message, problem);
  return { file: name, text: bytes.toString('utf8'), sourceDir: dirname(name) };
}

/** Relative to the workspace when it lies in one, as everywhere else. */
function shownName(context: CommandContext, file: string): string {
  const absolute = resolve(context.cwd, file);
  const root = workspaceOf(context);
  const inside = root === undefined ? '..' : relative(root, absolute);
  return inside.startsWith('..') ? file : inside;
}

function environmentOf(context: CommandContext, { target, load, standard }: EnvironmentOptions) {
  const root = standard === true ? undefined : workspaceOf(context);
  return {
    macroFiles: load.map((file) => resolve(context.cwd, file)),
    ...(root === undefined ? {} : { root }),
    ...(target === undefined ? {} : { targetArch: target }),
  };
}

function usable(name: string, { sourcePackage, diagnostics }: EvaluatedSpec): SourcePackage {
  if (sourcePackage !== undefined) return sourcePackage;
  throw new BuildError('SPEC_UNUSABLE', `${name} can't be evaluated`, { diagnostics });
}

function report(
  { terminal }: CommandContext,
  name: string,
  text: SourceText,
  diagnostics: readonly Diagnostic[],
): void {
  for (const one of diagnostics)
    terminal.err.write(`${formatDiagnostic(one, one.location?.file === name ? text : undefined)}\n`);
}
