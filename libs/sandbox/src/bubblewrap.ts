/** The argument vector of bwrap(1): namespaces, mounts, environment, identity. */
import { existsSync } from 'node:fs';
import { EMPTY_FILE, FILTER_DESCRIPTOR } from './compose-root.ts';
import type { SandboxIdentity, SandboxMount, SandboxRequest } from './sandbox-request.ts';

/** uid and gid of the builder inside. */
export const BUILDER_ID = 1000;

/** File systems of its own that every sandbox has, by target. */
const OWN_TARGETS = ['/proc', '/dev', '/tmp', '/run', '/var/tmp'] as const;
const TEMPORARY = [
  ['1777', '/tmp'],
  ['0755', '/run'],
  ['1777', '/var/tmp'],
  ['1777', '/dev/shm'],
] as const;

/** Of the machine and readable by everybody: arguments of its kernel, keys of its users. */
const HIDDEN = ['/proc/cmdline', '/proc/keys', '/proc/key-users'];

const NAMESPACES = ['pid', 'ipc', 'uts', 'cgroup-try'].map((name) => `--unshare-${name}`);

/** The machine's name servers, for the few that may use its network. */
const NETWORK_FILES = ['/etc/resolv.conf', '/etc/hosts'];

/** What installing packages needs; nothing that administers the machine. */
const ROOT_CAPABILITIES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETFCAP',
  'SETGID',
  'SETUID',
  'SYS_CHROOT',
];

const IDENTITY: Readonly<Record<SandboxIdentity, readonly string[]>> = {
  builder: ['--unshare-user', '--disable-userns', '--uid', `${BUILDER_ID}`, '--gid', `${BUILDER_ID}`],
  root: ['--cap-drop', 'ALL', ...ROOT_CAPABILITIES.flatMap((name) => ['--cap-add', `CAP_${name}`])],
};

/** The command that runs the request in `root`, the composed directory. */
export function bubblewrapCommand(root: string, request: SandboxRequest): string[] {
  const {
    identity,
    deviceDirectories = [],
    environment,
    cwd = '/',
    limits = {},
    interactive = false,
    network = false,
    writableRoot = false,
  } = request;
  const size = limits.temporaryBytes === undefined ? [] : ['--size', `${limits.temporaryBytes}`];
  return [
    'bwrap',
    ...IDENTITY[identity],
    ...NAMESPACES,
    ...(network ? [] : ['--unshare-net']),
    '--die-with-parent',
    // An interactive shell has a pseudo terminal of its own instead and keeps its job control.
    ...(interactive ? [] : ['--new-session']),
    ...['--hostname', 'builder'],
    ...[writableRoot ? '--bind' : '--ro-bind', root, '/'],
    ...['--seccomp', `${FILTER_DESCRIPTOR}`],
    ...['--proc', '/proc', '--dev', '/dev'],
    ...HIDDEN.filter((path) => existsSync(path)).flatMap((path) => ['--ro-bind', EMPTY_FILE, path]),
    ...TEMPORARY.flatMap(([mode, target]) => [...size, '--perms', mode, '--tmpfs', target]),
    ...allMounts(request).flatMap(({ source, target, writable }) => [
      writable ? '--bind' : '--ro-bind',
      source,
      target,
    ]),
    ...deviceDirectories.flatMap((directory) => ['--dev', directory]),
    '--clearenv',
    ...Object.entries(environment)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--chdir', cwd],
    '--',
    ...request.argv,
  ];
}

/** All places in the root that something is mounted on. */
export function mountTargets(request: SandboxRequest): string[] {
  return [...OWN_TARGETS, ...allMounts(request).map(({ target }) => target)];
}

/** What is asked for, and what comes with a network. */
export function allMounts({ mounts = [], network = false }: SandboxRequest): readonly SandboxMount[] {
  const files = network ? NETWORK_FILES.filter((path) => existsSync(path)) : [];
  return [...files.map((path) => ({ source: path, target: path, writable: false })), ...mounts];
}
