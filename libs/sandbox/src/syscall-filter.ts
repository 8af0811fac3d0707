/** The filter program that the kernel asks at each system call (seccomp(2), SECCOMP_SET_MODE_FILTER). */
import { BuildError } from '@kiln/diagnostics';
import { assembleBpf, type BpfLine } from './bpf-assembler.ts';
import { ERRNO, SYSCALL_NUMBERS, SYSCALL_RULES, type ArgumentTest } from './syscall-policy.ts';

/** AUDIT_ARCH_* of <linux/audit.h>, and the place of the architecture's number in the table. */
const ARCHITECTURES: Readonly<Record<string, { readonly audit: number; readonly column: 0 | 1 } | undefined>> = {
  x86_64: { audit: 0xc000003e, column: 0 },
  aarch64: { audit: 0xc00000b7, column: 1 },
};

/** Offsets in `struct seccomp_data` (<linux/seccomp.h>). */
const NUMBER = 0;
const ARCHITECTURE = 4;
const lowerHalf = (argument: number) => 16 + 8 * argument;

const ALLOW = 0x7fff0000;
const refuse = (errno: number) => 0x00050000 + errno;

/** Numbers from here on are of the x32 interface (__X32_SYSCALL_BIT of asm/unistd.h). */
const X32 = 0x40000000;

/**
 * Refuses the calls of `SYSCALL_RULES` and every call through the interface of another architecture; allows the others.
 * `architecture`: as rpm calls it. @throws BuildError `ARCHITECTURE_UNKNOWN`.
 */
export function syscallFilter(architecture: string): Uint8Array {
  const known = ARCHITECTURES[architecture];
  if (known === undefined) {
    throw new BuildError('ARCHITECTURE_UNKNOWN', `there is no filter of system calls for '${architecture}'`);
  }
  const { audit, column } = known;
  const lines: BpfLine[] = [
    { op: 'load', offset: ARCHITECTURE },
    { op: 'equal', value: audit, then: 'native' },
    { op: 'return', value: refuse(ERRNO.ENOSYS) },
    { op: 'label', name: 'native' },
    { op: 'load', offset: NUMBER },
    { op: 'atLeast', value: X32, else: 'rules' },
    { op: 'return', value: refuse(ERRNO.ENOSYS) },
    { op: 'label', name: 'rules' },
  ];
  for (const { calls, error, when } of SYSCALL_RULES) {
    for (const call of calls) {
      const number = SYSCALL_NUMBERS[call][column];
      if (number === undefined) continue;
      const next = `after ${call}`;
      lines.push({ op: 'equal', value: number, else: next });
      if (when !== undefined) lines.push(...test(when, call));
      lines.push({ op: 'return', value: refuse(ERRNO[error]) }, { op: 'label', name: next });
    }
  }
  lines.push({ op: 'return', value: ALLOW });
  return assembleBpf(lines);
}

/** Goes on behind itself when the test says yes; else the call is allowed. */
function test(when: ArgumentTest, call: string): BpfLine[] {
  const [yes, no] = [`${call} yes`, `${call} no`];
  const load: BpfLine = { op: 'load', offset: lowerHalf(when.argument) };
  const end: BpfLine[] = [
    { op: 'label', name: no },
    { op: 'return', value: ALLOW },
    { op: 'label', name: yes },
  ];
  if ('hasAnyBit' in when) return [load, { op: 'anyBit', value: when.hasAnyBit, then: yes }, ...end];
  if ('isOneOf' in when) {
    return [load, ...when.isOneOf.map((value): BpfLine => ({ op: 'equal', value, then: yes })), ...end];
  }
  const exceptions = when.isNoneOf.map((value): BpfLine => ({ op: 'equal', value, then: no }));
  return [load, ...exceptions, { op: 'atLeast', value: 0, then: yes }, ...end];
}
