/** A shell in the root of a package's build: as the failed build left it, or before anything ran. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { shellQuote, type Host } from '@kiln/host';
import { runInIdNamespace, runSandboxed } from '@kiln/sandbox';
import type { Store } from '@kiln/store';
import type { PackageBuild } from './build-package.ts';
import { inWorkDirectory, layOutTopDirectory, placeRequest, type BuildPlace } from './build-place.ts';
import { buildCommands, checkCommands, rpmMacros, TOP_DIRECTORY } from './build-request.ts';
import { entriesOf } from './build-root-files.ts';
import { failedBuildPath } from './failed-builds.ts';

/** What the shell shows. */
export interface ShellScene {
  /** Whether there is a failed build to look at. */
  readonly failed: boolean;
  /** Where the shell begins, inside the root. */
  readonly cwd: string;
  /** The command that builds the binary RPMs or runs the check, ready to paste. */
  readonly command: string;
}

export interface ShellOptions {
  /** Begin with unpacked nothing, although there is a failed build. */
  readonly fresh?: boolean;
  /** Called before the shell begins. */
  readonly onReady: (scene: ShellScene) => void;
}

/**
 * Runs an interactive shell on a copy, which is removed at the end; limits and (no) network are those of the build, only time isn't
 * limited. Returns the status of the shell.
 * @throws BuildError `COPY_FAILED` and those of the sandbox.
 */
export function openBuildShell(host: Host, store: Store, build: PackageBuild, options: ShellOptions): Promise<number> {
  return inWorkDirectory(host, store, build, async (place) => {
    const kept = failedBuildPath(store, build);
    const failed = options.fresh !== true && (await store.use(kept));
    if (failed) await copyTop(host, kept, place);
    else await layOutTopDirectory(host, place);
    await layOutMacros(place);
    const cwd = await sourceTree(join(place.work, 'top'));
    options.onReady({ failed, cwd, command: commandOf(build, failed) });
    const { environment, limits = {}, ...request } = placeRequest(place);
    // A terminal's output isn't a log.
    const { outputBytes: _, ...shellLimits } = limits;
    const result = await runSandboxed(host, {
      ...request,
      cwd,
      limits: shellLimits,
      environment: { ...environment, TERM: host.environment['TERM'] ?? 'dumb', PS1: `[${build.id} \\w]\\$ ` },
      argv: ['/bin/bash', '--norc', '-i'],
      interactive: true,
    });
    if (result.breach !== undefined) {
      throw new BuildError('SHELL_ENDED', `the shell met the limit '${result.breach.limit}' of the build`, {
        hint: `raise it for ${build.id} in toolkit/packages.json`,
      });
    }
    return result.status;
  });
}

function commandOf({ target, request }: PackageBuild, failed: boolean): string {
  if (target !== 'check') return shellQuote(buildCommands(request).at(-1)!);
  const { build, check } = checkCommands(request);
  return (failed ? [check] : [build, check]).map((argv) => shellQuote(argv)).join(' && ');
}

/**
 * Links in it are copied as links. As root of a namespace that has nobody but the build user: it may read what the build closed, and
 * nothing of others.
 */
async function copyTop(host: Host, kept: string, { work }: BuildPlace): Promise<void> {
  const options = ['--archive', '--no-preserve=ownership', '--reflink=auto'];
  const { status, stderr } = await runInIdNamespace(host, ['cp', ...options, '--', kept, join(work, 'top')]);
  if (status !== 0) {
    throw new BuildError('COPY_FAILED', `the failed build could not be copied: ${stderr.trim()}`, {
      hint: 'free some space in the store, or open the shell with --fresh',
    });
  }
}

/** rpmbuild in the shell has the macros of the build, whatever it is asked to do. */
async function layOutMacros({ build, work }: BuildPlace): Promise<void> {
  const directory = join(work, 'macros', 'etc/rpm');
  await mkdir(directory, { recursive: true });
  const macros = Object.entries(rpmMacros(build.request.defines)).map(([name, value]) => `%${name} ${value}\n`);
  await writeFile(join(directory, 'macros.kiln'), macros.join(''));
}

/** The directory that `%setup` made, as seen inside; the top directory when there isn't just one. */
async function sourceTree(top: string): Promise<string> {
  const names = await entriesOf(join(top, 'BUILD'), 'directory').catch(() => []);
  return names.length === 1 ? join(TOP_DIRECTORY, 'BUILD', names[0]!) : TOP_DIRECTORY;
}
