/** Writes the macro environment of a checkout into its workspace: members of distro.json, and the files that the checkout lacks. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createLuaPort } from '@kiln/rpm-macro/lua';
import { evaluateSpec, type EvaluatedSpec } from '@kiln/rpm-spec';
import { DISTRO_FILE, readDistroConfig, type DistroConfig } from '@kiln/distribution';
import { evaluationPorts } from '../../../libs/distribution/src/evaluate-package.ts';
import { specsBelow } from '../../../libs/distribution/src/evaluate-tree.ts';
import { formatMacroAnswers, readMacroAnswers } from '../../../libs/distribution/src/macro-answers.ts';
import { macroEnvironment, readMacroFiles } from '../../../libs/distribution/src/macro-files.ts';
import { DEFINES, LUA_MODULES, OTHER_MACROS, pkgconfMacros, VENDOR } from './assemble.ts';
import { programAnswer, type ProgramVersions } from './program-answers.ts';
import { releaseVersionMacros } from './release-versions.ts';

/** Files that exist only when packages are built, or after all specs were read. */
const PKGCONF = 'toolkit/macros/macros.pkgconf';
const RELEASE_VERSIONS = 'toolkit/macros/macros.releaseversions';
const MACRO_ANSWERS = 'toolkit/macro-answers.json';
/** The specs whose versions others name. */
const VERSIONED_ROOT = 'SPECS/';
/** Answers may lead to further questions; more rounds than any spec needs. */
const MOST_ROUNDS = 5;

export interface WrittenEnvironment {
  /** Workspace-relative paths. */
  readonly files: readonly string[];
  /** How many specs have their versions in macros.releaseversions. */
  readonly versions: number;
  /** How many commands about perl and python have the distribution's answers. */
  readonly answers: number;
  /** The text of macros.releaseversions: it is final when it doesn't change any more. */
  readonly releaseVersions: string;
}

/**
 * Sets `macros`, adds the `defines` that are missing and answers about the distribution's own programs; all else stays. The same
 * workspace gives the same files.
 * @throws BuildError of `readDistroConfig` and `readMacroAnswers`; Error of the file system when the tree is another one.
 */
export async function writeEnvironment(root: string): Promise<WrittenEnvironment> {
  const before = readDistroConfig(root);
  write(root, PKGCONF, pkgconfMacros(root));
  const { macroAnswers = MACRO_ANSWERS } = before;
  const config: DistroConfig = {
    ...before,
    macros: macrosOf(root),
    defines: { ...DEFINES, ...before.defines },
    macroAnswers,
  };
  const { evaluated, answers, known } = await evaluateWithAnswers(root, config);
  const sources = evaluated.flatMap(({ sourcePackage }) => sourcePackage ?? []);
  const versioned = sources.filter(({ specFile }) => specFile.startsWith(VERSIONED_ROOT));
  const releaseVersions = releaseVersionMacros(versioned, config.defines['dist'] ?? '');
  write(root, RELEASE_VERSIONS, releaseVersions);
  write(root, macroAnswers, formatMacroAnswers(answers));
  write(root, DISTRO_FILE, `${JSON.stringify(config, undefined, 2)}\n`);
  return {
    files: [PKGCONF, RELEASE_VERSIONS, macroAnswers, DISTRO_FILE],
    versions: versioned.length,
    answers: known,
    releaseVersions,
  };
}

function macrosOf(root: string): DistroConfig['macros'] {
  const own = readdirSync(join(root, VENDOR)).filter((name) => name.startsWith('macros.'));
  const additional = [...own.map((name) => `${VENDOR}/${name}`), ...OTHER_MACROS, PKGCONF, RELEASE_VERSIONS];
  return {
    main: `${VENDOR}/macros`,
    additional: additional.sort((a, b) => (basename(a) < basename(b) ? -1 : 1)),
    rpmrc: `${VENDOR}/rpmrc`,
    luaModules: Object.fromEntries(
      Object.entries(LUA_MODULES).map(([name, path]) => [
        path.replace(/\.lua$/, '').replaceAll('/', '.'),
        `${VENDOR}/${name}`,
      ]),
    ),
  };
}

/** All specs without the macros of versions, which come from this. */
async function evaluateWithAnswers(root: string, config: DistroConfig) {
  const answers = new Map(readMacroAnswers(root, config));
  const evaluate = await specReader(root, config, answers);
  const versionOf = (spec: string): string => evaluate(spec).sourcePackage?.evr.version ?? '0';
  const versions: ProgramVersions = {
    perl: versionOf('SPECS/perl/perl.spec'),
    python: versionOf('SPECS/python3/python3.spec'),
  };
  const specs = config.specRoots.flatMap((specRoot) => specsBelow(root, specRoot).sort());
  for (let round = 1; ; round += 1) {
    const evaluated = specs.map(evaluate);
    const own = [...new Set(evaluated.flatMap(({ shellCommands }) => shellCommands))].flatMap((command) => {
      const answer = programAnswer(command, versions);
      return answer === undefined ? [] : [[command, answer] as const];
    });
    const isSettled = own.every(([command, answer]) => answers.get(command) === answer);
    if (isSettled || round === MOST_ROUNDS) return { evaluated, answers, known: own.length };
    for (const [command, answer] of own) answers.set(command, answer);
  }
}

/** `answers` counts as it is when a spec is read. */
async function specReader(
  root: string,
  config: DistroConfig,
  answers: ReadonlyMap<string, string>,
): Promise<(file: string) => EvaluatedSpec> {
  const additional = config.macros.additional.filter((file) => file !== RELEASE_VERSIONS);
  const macros = { ...config.macros, additional };
  const macroFiles = readMacroFiles(root, { ...config, macros });
  const environment = macroEnvironment(config, macroFiles);
  const ports = evaluationPorts({ root, macroFiles, answers, lua: await createLuaPort() });
  return (file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return evaluateSpec({ file, text, environment, ports, sourceDir: dirname(file) });
  };
}

function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
