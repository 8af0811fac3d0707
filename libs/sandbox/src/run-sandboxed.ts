/** Runs a program in a composed root: user namespace, overlay, bubblewrap; nothing of it outlives the call. */
import { lstat, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { BuildError } from '@kiln/diagnostics';
import { buildUser, saysNoSpace, shellQuote, type Host, type RunResult } from '@kiln/host';
import { allMounts, bubblewrapCommand, mountTargets } from './bubblewrap.ts';
import { COMPOSE_SCRIPT, COMPOSED_ROOT } from './compose-root.ts';
import { ENTER_SCRIPT, readTimes, WITH_PARENT, type OutputMode } from './enter-run.ts';
import { limitPrefix } from './sandbox-limits.ts';
import type { SandboxIdentity, SandboxRequest } from './sandbox-request.ts';
import { syscallFilter } from './syscall-filter.ts';
import { Supervision, type LimitBreach, type SandboxUsage } from './supervision.ts';

export interface SandboxResult extends RunResult {
  readonly usage: SandboxUsage;
  /** The limit that ended the run. */
  readonly breach?: LimitBreach;
  /** The whole command, ready to paste. */
  readonly command: string;
}

/** Directories for the times of runs, in the directory for temporary files; the id of our process follows. */
export const RUN_PREFIX = 'kiln-run-';

/** overlayfs takes no more lower directories; one is kept for mount points. */
const MOST_LAYERS = 499;

/** Node's names of architectures, as rpm calls them. */
const MACHINES: Partial<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

const BASH = ['bash', '--norc', '--noprofile', '-c'];

const ID_MAPS: Readonly<Record<SandboxIdentity, readonly string[]>> = {
  builder: ['--map-root-user'],
  root: ['--map-root-user', '--map-auto'],
};

/**
 * Runs `request.argv` to its end; when it returns or throws, no process of it is left. A non-zero status, a timeout and a limit that
 * was met are results, not exceptions.
 * @throws BuildError `SANDBOX_FAILED` when the sandbox itself can't be set up, `NO_SPACE` when that is why, `SANDBOX_REQUEST` when the request can't be meant so,
 * `BUILD_USER_MISSING`, `PROGRAM_NOT_FOUND`, `INTERRUPTED`, `ARCHITECTURE_UNKNOWN`, `CONTROL_GROUP_FAILED`.
 */
export async function runSandboxed(host: Host, request: SandboxRequest): Promise<SandboxResult> {
  checkRequest(request);
  const supervision = new Supervision(host, request);
  const clock = await mkdtemp(join(tmpdir(), `${RUN_PREFIX}${process.pid}-`));
  try {
    const argv = await sandboxCommand(host, request, { times: join(clock, 'times'), groups: supervision.groups });
    const result = await runSupervised(host, request, { argv, supervision });
    const breach = await supervision.end(result.outputExceeded === true ? 'outputBytes' : undefined);
    const usage = supervision.usage(readTimes(await readFile(join(clock, 'times'), 'utf8').catch(() => '')));
    host.emit({ type: 'usage', usage });
    const command = shellQuote(await sandboxCommand(host, request));
    if (breach === undefined && failedInSetup(result)) throw setupError(result, request, command);
    return { ...result, command, usage, ...(breach === undefined ? {} : { breach }) };
  } finally {
    await supervision.end();
    await rm(clock, { recursive: true });
  }
}

interface SupervisedRun {
  readonly argv: readonly [string, ...string[]];
  readonly supervision: Supervision;
}

function runSupervised(host: Host, request: SandboxRequest, { argv, supervision }: SupervisedRun): Promise<RunResult> {
  const { input, log, onLine, timeoutSeconds, interactive } = request;
  return host.run({
    argv: interactive === true ? inPseudoTerminal(argv) : argv,
    cwd: '/',
    environment: machineEnvironment(host),
    onStart: supervision.attach,
    ...(input === undefined ? {} : { input }),
    ...(log === undefined ? {} : { log }),
    ...(onLine === undefined ? {} : { onLine }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    ...(interactive === undefined ? {} : { interactive }),
    ...(request.limits?.outputBytes === undefined ? {} : { outputLimitBytes: request.limits.outputBytes }),
  });
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

interface RunPlaces {
  /** File for the times that it took. */
  readonly times: string;
  /** Directories of control groups. */
  readonly groups: readonly string[];
}

async function sandboxCommand(
  host: Host,
  request: SandboxRequest,
  places: RunPlaces = { times: '-', groups: [] },
): Promise<[string, ...string[]]> {
  const user = await buildUser(host);
  const points = request.writableRoot === true ? NO_POINTS : await missingTargets(request);
  return [
    ...WITH_PARENT,
    ...[...BASH, ENTER_SCRIPT, 'kiln', outputMode(request), places.times, ...places.groups, '--'],
    ...[...user.prefix, ...WITH_PARENT],
    ...[
      'unshare',
      '--user',
      ...ID_MAPS[request.identity],
      '--mount',
      '--mount-proc',
      '--pid',
      '--fork',
      '--kill-child',
      '--',
    ],
    ...[...BASH, COMPOSE_SCRIPT, 'kiln'],
    request.input === undefined && request.interactive !== true ? 'null' : 'keep',
    Buffer.from(syscallFilter(MACHINES[process.arch] ?? process.arch)).toString('base64'),
    ...[...request.layers, '--', ...points.directories, '--', ...points.files, '--'],
    ...limitPrefix(request.limits ?? {}),
    ...bubblewrapCommand(COMPOSED_ROOT, request),
  ];
}

/** The lines of a log stand in the order in which they were written. */
function outputMode({ log, interactive }: SandboxRequest): OutputMode {
  if (interactive === true) return 'terminal';
  return log === undefined ? 'separate' : 'together';
}

function withPrefix(prefix: readonly string[], argv: readonly string[]): [string, ...string[]] {
  return [...prefix, ...argv] as [string, ...string[]];
}

const NO_POINTS = { directories: [], files: [] };

/** Mount targets that no layer has: they come from a layer of empty directories and files at the bottom. */
async function missingTargets(request: SandboxRequest): Promise<{ directories: string[]; files: string[] }> {
  const sources = new Map(allMounts(request).map(({ target, source }) => [target, source]));
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
  const { layers, writableRoot, mounts = [], cwd = '/' } = request;
  const paths = [...layers, ...mounts.flatMap(({ source, target }) => [source, target]), cwd];
  const relative = paths.find((path) => !isAbsolute(path));
  if (relative !== undefined) throw new BuildError('SANDBOX_REQUEST', `the path '${relative}' is not absolute`);
  if (layers.length === 0) throw new BuildError('SANDBOX_REQUEST', 'a root needs at least one layer');
  if (writableRoot === true && layers.length > 1)
    throw new BuildError('SANDBOX_REQUEST', 'a root that is written to has exactly one layer');
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
  if (result.status === 0 || result.timedOut) return false;
  const lines = saidBy(result).filter((line) => !/^\s+dmesg/.test(line));
  return lines.length > 0 && lines.every((line) => SETUP_PROGRAMS.test(line));
}

function saidBy({ stdout, stderr }: RunResult): string[] {
  return `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
}

function setupError(result: RunResult, request: SandboxRequest, command: string): BuildError {
  const said = saidBy(result).join('\n');
  if (saysNoSpace(said)) {
    return new BuildError('NO_SPACE', `there is no space for what the sandbox writes: ${said}`, {
      hint: 'free some space (`kiln gc` does in the store), then run the same command again',
      log: request.log,
    });
  }
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
