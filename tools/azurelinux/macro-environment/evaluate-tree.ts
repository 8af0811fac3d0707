/** Evaluates the specs of a checkout of Azure Linux as its toolkit does. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { LuaPort, MacroPorts } from '@kiln/rpm-macro';
import { evaluateSpec, type EvaluatedSpec } from '@kiln/rpm-spec';
import { assembleEnvironment, type AssembledEnvironment } from './assemble.ts';
import { releaseVersionMacros } from './release-versions.ts';

export interface TreeOptions {
  readonly rpmDirectory: string;
  readonly tree: string;
  readonly targetArch: string;
  readonly lua: LuaPort;
  readonly shell: (command: string) => string | undefined;
  readonly defines?: Readonly<Record<string, string>>;
  /** The text of macros.releaseversions, when it was made before. */
  readonly releaseVersions?: string;
  /** Macro files that are left out: those whose path ends so. */
  readonly without?: readonly string[];
}

export interface TreeEvaluator {
  readonly assembled: AssembledEnvironment;
  readonly releaseVersions: string;
  /** Evaluates the spec at a path, relative to the tree or absolute. */
  readonly evaluate: (path: string, defines?: Readonly<Record<string, string>>) => EvaluatedSpec;
}

/**
 * Prepares the environment: twice, because macros.releaseversions holds what all specs evaluate to. A spec that looked none of
 * its macros up in the first round evaluates to the same in the second, so that its first evaluation is given.
 */
export function openTree(options: TreeOptions): TreeEvaluator {
  const first = options.releaseVersions === undefined ? evaluateFirst(options) : new Map<string, EvaluatedSpec>();
  const releaseVersions = options.releaseVersions ?? releaseVersionsOf([...first.values()]);
  const names = new Set([...releaseVersions.matchAll(/^%(\w+)/gm)].map(([, name]) => name!));
  const assembled = assembleEnvironment({ ...options, releaseVersions });
  const evaluate = evaluator(options, assembled);
  return {
    assembled,
    releaseVersions,
    evaluate: (path, defines) => {
      const known = defines === undefined ? first.get(path) : undefined;
      return known === undefined || known.missingMacros.some((name) => names.has(name))
        ? evaluate(path, defines)
        : known;
    },
  };
}

/** The paths of all specs below a directory of the tree, sorted. */
export function specsBelow(tree: string, directory: string): string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    for (const name of readdirSync(join(tree, path)).sort()) {
      const child = `${path}/${name}`;
      if (statSync(join(tree, child)).isDirectory()) visit(child);
      else if (name.endsWith('.spec')) found.push(child);
    }
  };
  visit(directory);
  return found;
}

function evaluateFirst(options: TreeOptions): Map<string, EvaluatedSpec> {
  const evaluate = evaluator(options, assembleEnvironment(options));
  return new Map(specsBelow(options.tree, 'SPECS').map((path) => [path, evaluate(path)]));
}

function releaseVersionsOf(evaluated: readonly EvaluatedSpec[]): string {
  const packages = evaluated.map(({ sourcePackage }) => sourcePackage).filter((source) => source !== undefined);
  return releaseVersionMacros(packages, '.azl3');
}

function evaluator(options: TreeOptions, { environment, files }: AssembledEnvironment): TreeEvaluator['evaluate'] {
  const { tree, lua, shell } = options;
  const ports: MacroPorts = {
    lua,
    shell,
    readFile: (path) => files[path] ?? readIfThere(path),
    exists: (path) => Object.hasOwn(files, path) || existsSync(path),
    environment: (name) => (name === 'HOME' ? '/root' : undefined),
  };
  return (path, defines = {}) => {
    const file = resolve(tree, path);
    const text = readText(file);
    return evaluateSpec({ file, text, environment, defines, sourceDir: dirname(file), ports });
  };
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) && statSync(path).isFile() ? readText(path) : undefined;
}

/** As UTF-8 where it is valid; else byte by byte, as rpm takes it. */
function readText(path: string): string {
  const bytes = readFileSync(path);
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') && Buffer.compare(Buffer.from(text, 'utf8'), bytes) !== 0
    ? bytes.toString('latin1')
    : text;
}
