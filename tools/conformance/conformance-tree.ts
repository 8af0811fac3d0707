/** Opens a checkout of Azure Linux for comparison with rpm: environment, Lua and the answers of its worker root. */
import { createLuaPort } from '@kiln/rpm-macro/lua';
import type { EvaluatedSpec } from '@kiln/rpm-spec';
import { openTree, type TreeEvaluator } from '../azurelinux/macro-environment/evaluate-tree.ts';
import { workerShell, type WorkerVersions } from './worker-shell.ts';

export interface ConformanceTreeOptions {
  readonly tree: string;
  /** A directory as rpm installs it at /usr/lib/rpm. */
  readonly rpmDirectory: string;
  readonly targetArch?: string;
  readonly defines?: Readonly<Record<string, string>>;
  /** A JSON file of shell commands and their output. */
  readonly answers?: string | undefined;
  /** Where the answers are written when the process ends. */
  readonly record?: string | undefined;
  /** The text of macros.releaseversions; made from the tree when it is missing. */
  readonly releaseVersions?: string;
  /** Runs the commands of specs instead of the stand-ins. */
  readonly shell?: (command: string) => string;
  /** Macro files that are left out: those whose path ends so. */
  readonly without?: readonly string[];
}

const PROGRAMS: Readonly<Record<keyof WorkerVersions, string>> = {
  perl: 'SPECS/perl/perl.spec',
  python: 'SPECS/python3/python3.spec',
  gcc: 'SPECS/gcc/gcc.spec',
  rpm: 'SPECS/rpm/rpm.spec',
  kernelHeaders: 'SPECS/kernel-headers/kernel-headers.spec',
};

/** Evaluates specs of the tree as its toolkit has rpm do it. */
export async function openConformanceTree(options: ConformanceTreeOptions): Promise<TreeEvaluator> {
  const { tree, rpmDirectory, targetArch = 'x86_64', defines, answers, record, releaseVersions, without } = options;
  const lua = await createLuaPort();
  const common = {
    ...{ rpmDirectory, tree, targetArch, lua },
    ...(defines === undefined ? {} : { defines }),
    ...(without === undefined ? {} : { without }),
  };
  const given = releaseVersions === undefined ? {} : { releaseVersions };
  if (options.shell !== undefined) return openTree({ ...common, shell: options.shell, ...given });
  const first = openTree({ ...common, shell: () => '', releaseVersions: '' });
  const versions = Object.fromEntries(
    Object.entries(PROGRAMS).map(([program, path]) => [program, versionOf(first.evaluate(path), program)]),
  ) as unknown as WorkerVersions;
  const shell = workerShell({ versions, answers, record, directory: tree });
  return openTree({ ...common, shell, ...given });
}

function versionOf({ sourcePackage }: EvaluatedSpec, program: string): string {
  if (sourcePackage === undefined) return '0';
  const { version, release } = sourcePackage.evr;
  return program === 'kernelHeaders' ? `${version}-${release}` : version;
}
