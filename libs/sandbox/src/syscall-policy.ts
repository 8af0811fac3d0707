/** Which system calls programs in a sandbox can't make, and why. What is not named here is allowed: test suites use almost everything. */

/** A call's numbers: x86_64 (asm/unistd_64.h), aarch64 (asm-generic/unistd.h); undefined where it doesn't exist. */
export const SYSCALL_NUMBERS = {
  acct: [163, 89],
  add_key: [248, 217],
  bpf: [321, 280],
  clock_settime: [227, 112],
  clone: [56, 220],
  clone3: [435, 435],
  delete_module: [176, 106],
  finit_module: [313, 273],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fsopen: [430, 430],
  fspick: [433, 433],
  init_module: [175, 105],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  io_uring_setup: [425, 425],
  ioctl: [16, 29],
  ioperm: [173, undefined],
  iopl: [172, undefined],
  kexec_file_load: [320, 294],
  kexec_load: [246, 104],
  keyctl: [250, 219],
  lookup_dcookie: [212, 18],
  mount: [165, 40],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  open_by_handle_at: [304, 265],
  open_tree: [428, 428],
  perf_event_open: [298, 241],
  personality: [135, 92],
  pivot_root: [155, 41],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  reboot: [169, 142],
  request_key: [249, 218],
  setdomainname: [171, 162],
  sethostname: [170, 161],
  setns: [308, 268],
  settimeofday: [164, 170],
  socket: [41, 198],
  swapoff: [168, 225],
  swapon: [167, 224],
  syslog: [103, 116],
  umount2: [166, 39],
  unshare: [272, 97],
  userfaultfd: [323, 282],
  vhangup: [153, 58],
} as const satisfies Record<string, readonly [x86_64: number, aarch64: number | undefined]>;

export type SyscallName = keyof typeof SYSCALL_NUMBERS;

/** `errno` values of <asm-generic/errno.h>; the same on both architectures. */
export const ERRNO = { EPERM: 1, ENOSYS: 38, EAFNOSUPPORT: 97 } as const;

/** A condition on the lower 32 bits of an argument: the kernel looks at no more of these. */
export type ArgumentTest =
  | { readonly argument: number; readonly hasAnyBit: number }
  | { readonly argument: number; readonly isOneOf: readonly number[] }
  | { readonly argument: number; readonly isNoneOf: readonly number[] };

export interface SyscallRule {
  readonly calls: readonly SyscallName[];
  /** `EPERM`: what an unprivileged program gets anyway. `ENOSYS`: an older kernel; programs know what to do without. */
  readonly error: keyof typeof ERRNO;
  /** Only then; always when omitted. */
  readonly when?: ArgumentTest;
  readonly reason: string;
}

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET of <linux/sched.h>. */
const NAMESPACE_FLAGS = 0x7e020000;
/** Only `unshare` takes it: elsewhere the bit is part of a signal's number. */
const CLONE_NEWTIME = 0x80;

export const SYSCALL_RULES: readonly SyscallRule[] = [
  {
    calls: ['mount', 'umount2', 'pivot_root', 'open_tree', 'move_mount', 'fsopen', 'fsconfig', 'fsmount', 'fspick'],
    error: 'EPERM',
    reason: 'the file systems are what the sandbox made them',
  },
  {
    calls: ['mount_setattr', 'quotactl', 'quotactl_fd', 'swapon', 'swapoff', 'open_by_handle_at'],
    error: 'EPERM',
    reason: 'the file systems are what the sandbox made them; a file handle reaches behind its mount',
  },
  {
    calls: ['unshare'],
    error: 'EPERM',
    when: { argument: 0, hasAnyBit: NAMESPACE_FLAGS + CLONE_NEWTIME },
    reason: 'a user namespace of its own gives a program capabilities, and with them most of the kernel to attack',
  },
  {
    calls: ['clone'],
    error: 'EPERM',
    when: { argument: 0, hasAnyBit: NAMESPACE_FLAGS },
    reason: 'as unshare',
  },
  {
    calls: ['clone3'],
    error: 'ENOSYS',
    reason: 'its flags lie in memory, where a filter can not look; C libraries then use clone',
  },
  { calls: ['setns'], error: 'EPERM', reason: 'as unshare' },
  {
    calls: ['socket'],
    error: 'EAFNOSUPPORT',
    // AF_UNIX, AF_INET, AF_INET6, AF_NETLINK of <bits/socket.h>.
    when: { argument: 0, isNoneOf: [1, 2, 10, 16] },
    reason:
      'network namespaces do not hold all families: AF_VSOCK reaches the host of a virtual machine; few use the others',
  },
  {
    calls: ['ioctl'],
    error: 'EPERM',
    // TIOCSTI, TIOCLINUX of <asm-generic/ioctls.h>.
    when: { argument: 1, isOneOf: [0x5412, 0x541c] },
    reason: 'they type into a terminal: after `kiln shell` that would be commands for the machine',
  },
  {
    calls: ['personality'],
    error: 'EPERM',
    // PER_LINUX and PER_LINUX32, each with or without ADDR_NO_RANDOMIZE, and the question (<linux/personality.h>).
    when: { argument: 0, isNoneOf: [0x0, 0x8, 0x40000, 0x40008, 0xffffffff] },
    reason: 'others switch protections of memory off or let the kernel lie about its version; debuggers need these',
  },
  {
    calls: ['add_key', 'request_key', 'keyctl'],
    error: 'ENOSYS',
    reason: 'keys of the kernel belong to the user of the machine, not to a namespace',
  },
  {
    calls: ['io_uring_setup', 'io_uring_enter', 'io_uring_register'],
    error: 'ENOSYS',
    reason: 'what is asked through a ring passes by this filter; and a large part of the recent holes of the kernel',
  },
  {
    calls: ['bpf', 'perf_event_open', 'userfaultfd', 'lookup_dcookie'],
    error: 'ENOSYS',
    reason: 'they watch the machine or run code in the kernel; the usual steps of an attack on it',
  },
  {
    calls: ['init_module', 'finit_module', 'delete_module', 'kexec_load', 'kexec_file_load', 'reboot'],
    error: 'EPERM',
    reason: 'they change the running kernel',
  },
  {
    calls: [
      'settimeofday',
      'clock_settime',
      'sethostname',
      'setdomainname',
      'acct',
      'syslog',
      'vhangup',
      'iopl',
      'ioperm',
    ],
    error: 'EPERM',
    reason: 'they change or read what belongs to the machine; the name of the host is fixed',
  },
];
