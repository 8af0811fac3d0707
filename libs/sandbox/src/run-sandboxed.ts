/** Runs a program in a composed root: user namespace, overlay, bubblewrap; nothing of it outlives the call. */
import { lstat, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, shellQuote, type Host, type RunResult } from '@kiln/host';
import { bubblewrapCommand, mountTargets } from './bubblewrap.ts';
import { COMPOSE_SCRIPT, COMPOSED_ROOT } from './compose-root.ts';
import { limitPrefix } from './sandbox-limits.ts';
import type { SandboxIdentity, SandboxRequest } from './sandbox-request.ts';

export interface SandboxResult extends RunResult {
  /** The whole command, ready to paste. */
  readonly command: string;
}

/** overlayfs takes no more lower directories; one is kept for mount points. */
const MOST_LAYERS = 499;

const ID_MAPS: Readonly<Record<SandboxIdentity, readonly string[]>> = {
  builder: ['--map-root-user'],
  root: ['--map-root-user', '--map-auto'],
};

/**
 * Runs `request.argv` to its end. A non-zero status or a timeout is a result, not an exception.
 * @throws BuildError `SANDBOX_FAILED` when the sandbox itself can't be set up, `SANDBOX_REQUEST` when the request can't be meant so,
 * `BUILD_USER_MISSING`, `PROGRAM_NOT_FOUND`, `INTERRUPTED`.
 */
export async function runSandboxed(host: Host, request: SandboxRequest): Promise<SandboxResult> {
  checkRequest(request);
  const argv = await sandboxCommand(host, request);
  const result = await host.run({
    argv: request.interactive ? inPseudoTerminal(argv) : argv,
    cwd: '/',
    environment: machineEnvironment(host),
    ...(request.input === undefined ? {} : { input: request.input }),
    ...(request.log === undefined ? {} : { log: request.log }),
    ...(request.onLine === undefined ? {} : { onLine: request.onLine }),
    ...(request.timeoutSeconds === undefined ? {} : { timeoutSeconds: request.timeoutSeconds }),
    ...(request.interactive === undefined ? {} : { interactive: request.interactive }),
  });
  const command = shellQuote(argv);
  if (failedInSetup(result)) throw setupError(result, request, command);
  return { ...result, command };
}

/** Runs a command outside of any root in a user namespace where all ids of the build user are its own: for upkeep of files. */
export async function runInIdNamespace(host: Host, argv: readonly [string, ...string[]]): Promise<RunResult> {
  const user = await buildUser(host);
  const enter = (map: readonly string[]) =>
    host.run({
      argv: withPrefix(user.prefix, ['unshare', '--user', ...map, '--', ...argv]),
      cwd: '/',
      environment: machineEnvironment(host),
      // Upkeep goes on after an interrupt: nothing may stay behind.
      signal: new AbortController().signal,
    });
  const full = await enter(ID_MAPS.root);
  // Without subordinate ids there are no files of theirs either.
  return full.status === 0 ? full : enter(ID_MAPS.builder);
}

async function sandboxCommand(host: Host, request: SandboxRequest): Promise<[string, ...string[]]> {
  const user = await buildUser(host);
  const points = await missingTargets(request);
  return withPrefix(user.prefix, [
    ...['unshare', '--user', ...ID_MAPS[request.identity], '--mount', '--'],
    ...['bash', '--norc', '--noprofile', '-c', COMPOSE_SCRIPT, 'kiln'],
    request.input === undefined && request.interactive !== true ? 'null' : 'keep',
    ...[...request.layers, '--', ...points.directories, '--', ...points.files, '--'],
    ...limitPrefix(request.limits ?? {}),
    ...bubblewrapCommand(COMPOSED_ROOT, request),
  ]);
}

function withPrefix(prefix: readonly string[], argv: readonly string[]): [string, ...string[]] {
  return [...prefix, ...argv] as [string, ...string[]];
}

/** Mount targets that no layer has: they come from a layer of empty directories and files at the bottom. */
async function missingTargets(request: SandboxRequest): Promise<{ directories: string[]; files: string[] }> {
  const sources = new Map((request.mounts ?? []).map(({ target, source }) => [target, source]));
  const missing: { directories: string[]; files: string[] } = { directories: [], files: [] };
  for (const target of mountTargets(request)) {
    const found = await Promise.all(request.layers.map((layer) => lstat(join(layer, target)).catch(() => undefined)));
    if (found.some((one) => one !== undefined)) continue;
    const source = sources.get(target);
    const isFile =
      source !== undefined && ((await stat(source).catch(() => undefined))?.isDirectory() ?? true) === false;
    (isFile ? missing.files : missing.directories).push(target);
  }
  return missing;
}

function checkRequest(request: SandboxRequest): void {
  const { layers, mounts = [], cwd = '/' } = request;
  const paths = [...layers, ...mounts.flatMap(({ source, target }) => [source, target]), cwd];
  const relative = paths.find((path) => !isAbsolute(path));
  if (relative !== undefined) throw new BuildError('SANDBOX_REQUEST', `the path '${relative}' is not absolute`);
  if (layers.length === 0) throw new BuildError('SANDBOX_REQUEST', 'a root needs at least one layer');
  if (layers.length > MOST_LAYERS) {
    throw new BuildError(
      'SANDBOX_REQUEST',
      `a root of ${layers.length} layers; overlayfs takes at most ${MOST_LAYERS}`,
    );
  }
}

/** What the programs that set up the sandbox see; the program inside never does. */
function machineEnvironment(host: Host): Record<string, string> {
  const path = `${host.environment['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`;
  // The newer mount call takes options of at most 255 bytes.
  return { PATH: path, LC_ALL: 'C', TMPDIR: tmpdir(), LIBMOUNT_FORCE_MOUNT2: 'always' };
}

/** A pseudo terminal between the user's terminal and the shell inside, so that it can't push input into ours. */
function inPseudoTerminal(argv: readonly string[]): [string, ...string[]] {
  return ['script', '--quiet', '--return', '--command', `exec ${shellQuote(argv)}`, '/dev/null'];
}

const SETUP_PROGRAMS = /^(setpriv|unshare|newuidmap|newgidmap|kiln|mount|mkdir|ln|prlimit|bwrap)(: |\[)/;

/** Only the set-up's own words and nothing else: the program inside never began. */
function failedInSetup(result: RunResult): boolean {
  if (result.status === 0 || result.timedOut || result.stdout !== '') return false;
  const lines = result.stderr.split('\n').filter((line) => line.trim() !== '' && !/^\s+dmesg/.test(line));
  return lines.length > 0 && lines.every((line) => SETUP_PROGRAMS.test(line));
}

function setupError(result: RunResult, request: SandboxRequest, command: string): BuildError {
  const said = result.stderr.trim();
  const missing = /bwrap: execvp (.*): No such file/.exec(said);
  if (missing !== null) {
    return new BuildError('SANDBOX_FAILED', `the program '${missing[1]}' is not in the root`, {
      log: request.log,
      command,
    });
  }
  return new BuildError('SANDBOX_FAILED', `the sandbox could not be set up: ${said}`, {
    hint: 'run `kiln doctor`, which checks everything that a sandbox needs',
    log: request.log,
    command,
  });
}
