import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHost } from '@kiln/host';
import { runSandboxed, syscallFilter } from '@kiln/sandbox';
import { assembleBpf } from '../src/bpf-assembler.ts';
import { ERRNO, SYSCALL_NUMBERS, SYSCALL_RULES, type SyscallName } from '../src/syscall-policy.ts';
import { makeTinyRoot, removeTemporaryDirectories } from './tiny-root.ts';

const AUDIT = { x86_64: 0xc000003e, i386: 0x40000003, aarch64: 0xc00000b7, arm: 0x40000028 };
const ALLOW = 0x7fff0000;
const errno = (name: keyof typeof ERRNO) => 0x00050000 + ERRNO[name];

interface Call {
  readonly audit: number;
  readonly number: number;
  readonly args?: readonly bigint[];
}

/** What a filter says of a call: an interpreter of the instructions as the kernel defines them. */
function judge(program: Uint8Array, { audit, number, args = [] }: Call): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, audit, true);
  args.forEach((value, i) => data.setBigUint64(16 + 8 * i, value, true));
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; at += 1) {
    const [op, then, otherwise, value] = [
      code.getUint16(at * 8, true),
      code.getUint8(at * 8 + 2),
      code.getUint8(at * 8 + 3),
      code.getUint32(at * 8 + 4, true),
    ];
    if (op === 0x06) return value;
    if (op === 0x20) accumulator = data.getUint32(value, true);
    else if (op === 0x15) at += accumulator === value ? then : otherwise;
    else if (op === 0x35) at += accumulator >= value ? then : otherwise;
    else if (op === 0x45) at += (accumulator & value) !== 0 ? then : otherwise;
    else throw new Error(`unknown instruction ${op}`);
  }
  throw new Error('the program has no end');
}

describe.each(['x86_64', 'aarch64'] as const)('the filter of %s', (architecture) => {
  const program = syscallFilter(architecture);
  const column = architecture === 'x86_64' ? 0 : 1;
  const audit = AUDIT[architecture];
  const numberOf = (name: SyscallName) => SYSCALL_NUMBERS[name][column];
  const ask = (name: SyscallName, ...args: bigint[]) => judge(program, { audit, number: numberOf(name)!, args });

  it('refuses what a rule names, with its error', () => {
    for (const { calls, error, when } of SYSCALL_RULES) {
      for (const call of calls) {
        if (when === undefined && numberOf(call) !== undefined) expect([call, ask(call)]).toEqual([call, errno(error)]);
      }
    }
  });

  it('allows every call that no rule names', () => {
    const named = new Set<number | undefined>(SYSCALL_RULES.flatMap(({ calls }) => calls.map(numberOf)));
    for (let number = 0; number < 1024; number += 1) {
      if (!named.has(number)) expect([number, judge(program, { audit, number })]).toEqual([number, ALLOW]);
    }
  });

  it.each<[SyscallName, bigint[], number]>([
    ['unshare', [0x10000000n], errno('EPERM')],
    ['unshare', [0x80n], errno('EPERM')],
    ['unshare', [0x400n], ALLOW],
    ['clone', [0x10000011n], errno('EPERM')],
    ['clone', [0x20000n], errno('EPERM')],
    ['clone', [0x003d0f00n], ALLOW],
    ['clone', [0x00000091n], ALLOW],
    ['socket', [1n], ALLOW],
    ['socket', [2n], ALLOW],
    ['socket', [10n], ALLOW],
    ['socket', [16n], ALLOW],
    ['socket', [40n], errno('EAFNOSUPPORT')],
    ['socket', [17n], errno('EAFNOSUPPORT')],
    ['socket', [0xffffffff00000028n], errno('EAFNOSUPPORT')],
    ['ioctl', [0n, 0x5412n], errno('EPERM')],
    // The kernel looks at the lower half of a request alone.
    ['ioctl', [0n, 0xdeadbeef00005412n], errno('EPERM')],
    ['ioctl', [0n, 0x541cn], errno('EPERM')],
    ['ioctl', [0n, 0x5413n], ALLOW],
    ['personality', [0n], ALLOW],
    ['personality', [0xffffffffn], ALLOW],
    ['personality', [0x40000n], ALLOW],
    ['personality', [0x400000n], errno('EPERM')],
    ['personality', [0x20000n], errno('EPERM')],
  ])('%s(%s)', (name, args, expected) => {
    expect(ask(name, ...args)).toBe(expected);
  });

  it('refuses every call through another interface', () => {
    for (const other of Object.values(AUDIT)) {
      if (other !== audit) expect(judge(program, { audit: other, number: 1 })).toBe(errno('ENOSYS'));
    }
    expect(judge(program, { audit, number: 0x40000000 + 1 })).toBe(errno('ENOSYS'));
  });
});

it('an architecture without a table is an error', () => {
  expect(() => syscallFilter('m68k')).toThrow(expect.objectContaining({ code: 'ARCHITECTURE_UNKNOWN' }));
});

describe('the assembler', () => {
  it('writes struct sock_filter', () => {
    const program = assembleBpf([
      { op: 'load', offset: 4 },
      { op: 'equal', value: 0xc000003e, then: 'yes' },
      { op: 'return', value: 0 },
      { op: 'label', name: 'yes' },
      { op: 'return', value: 1 },
    ]);
    expect(Buffer.from(program).toString('hex').match(/.{16}/g)).toEqual([
      '2000000004000000',
      '150001003e0000c0',
      '0600000000000000',
      '0600000001000000',
    ]);
  });

  it('refuses jumps to nowhere, backward and too far', () => {
    const far = Array.from({ length: 256 }, () => ({ op: 'load', offset: 0 }) as const);
    expect(() => assembleBpf([{ op: 'equal', value: 0, then: 'x' }])).toThrow(RangeError);
    expect(() =>
      assembleBpf([
        { op: 'label', name: 'x' },
        { op: 'equal', value: 0, then: 'x' },
      ]),
    ).toThrow(RangeError);
    expect(() => assembleBpf([{ op: 'equal', value: 0, then: 'x' }, ...far, { op: 'label', name: 'x' }])).toThrow(
      RangeError,
    );
  });
});

describe('in a sandbox', () => {
  let root: string;
  beforeAll(() => {
    root = makeTinyRoot();
  });
  afterAll(removeTemporaryDirectories);

  const column = process.arch === 'x64' ? 0 : 1;
  const perl = async (script: string) => {
    const result = await runSandboxed(createHost(), {
      layers: [root],
      identity: 'builder',
      argv: ['/usr/bin/perl', '-e', script],
      environment: { PATH: '/usr/bin' },
    });
    return result.stdout + result.stderr;
  };

  it('every call of the rules without a condition fails as they say', async () => {
    const asked = SYSCALL_RULES.filter(({ when }) => when === undefined).flatMap(({ calls, error }) =>
      calls.flatMap((call) => (SYSCALL_NUMBERS[call][column] === undefined ? [] : [{ call, error }])),
    );
    const script = asked
      .map(
        ({ call }) =>
          `$! = 0; syscall(${SYSCALL_NUMBERS[call][column]}, 0, 0, 0, 0, 0); print "${call} ", $! + 0, "\n";`,
      )
      .join('');
    expect(await perl(script)).toBe(asked.map(({ call, error }) => `${call} ${ERRNO[error]}\n`).join(''));
  });

  it('terminals can not be typed into, user namespaces not be made, the host of a virtual machine not be reached', async () => {
    const [ioctl, unshare, socket] = (['ioctl', 'unshare', 'socket'] as const).map(
      (one) => SYSCALL_NUMBERS[one][column],
    );
    const script = `
      $c = "x"; syscall(${ioctl}, 0, 0x5412, $c); print $! + 0, "\n";
      syscall(${unshare}, 0x10000000); print $! + 0, "\n";
      syscall(${socket}, 40, 1, 0); print $! + 0, "\n";`;
    expect(await perl(script)).toBe(`${ERRNO.EPERM}\n${ERRNO.EPERM}\n${ERRNO.EAFNOSUPPORT}\n`);
  });

  it('processes can be made and traced: debuggers are tested with their own children', async () => {
    // ptrace has a number per architecture; PTRACE_TRACEME is 0.
    const ptrace = process.arch === 'x64' ? 101 : 117;
    expect(
      await perl(`if (fork) { wait; print $?, "\n" } else { exit(syscall(${ptrace}, 0, 0, 0, 0) == 0 ? 0 : 1) }`),
    ).toBe('0\n');
  });

  it('the arguments of the machine’s kernel and the keys of its users are hidden', async () => {
    expect(readFileSync('/proc/cmdline', 'utf8')).not.toBe('');
    expect(await perl('for (qw(cmdline keys key-users)) { open F, "/proc/$_"; print <F>; }')).toBe('');
  });
});
