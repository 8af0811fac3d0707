/** Programs for the kernel's classic packet filter, which also judges system calls (Documentation/networking/filter.rst, bpf(4) of BSD). */

/** One line of a program. Jumps lead forward to labels; the next line when a label is left out. */
export type BpfLine =
  | { readonly op: 'load'; /** Offset of a 32-bit word. */ readonly offset: number }
  | {
      readonly op: 'equal' | 'atLeast' | 'anyBit';
      readonly value: number;
      readonly then?: string;
      readonly else?: string;
    }
  | { readonly op: 'return'; readonly value: number }
  | { readonly op: 'label'; readonly name: string };

/** Codes of <linux/bpf_common.h>. */
const CODES = {
  load: 0x20, // BPF_LD | BPF_W | BPF_ABS
  equal: 0x15, // BPF_JMP | BPF_JEQ | BPF_K
  atLeast: 0x35, // BPF_JMP | BPF_JGE | BPF_K
  anyBit: 0x45, // BPF_JMP | BPF_JSET | BPF_K
  return: 0x06, // BPF_RET | BPF_K
} as const;

const INSTRUCTION_BYTES = 8;
const FARTHEST_JUMP = 255;
const LONGEST_PROGRAM = 4096;

/**
 * The program as an array of `struct sock_filter`, little-endian.
 * @throws RangeError for a label that is missing, lies behind or too far ahead, and for a program that is too long.
 */
export function assembleBpf(lines: readonly BpfLine[]): Uint8Array {
  const labels = new Map<string, number>();
  let count = 0;
  for (const line of lines) {
    if (line.op === 'label') labels.set(line.name, count);
    else count += 1;
  }
  if (count > LONGEST_PROGRAM) throw new RangeError(`a program of ${count} instructions`);
  const program = new DataView(new ArrayBuffer(count * INSTRUCTION_BYTES));
  let at = 0;
  const distance = (label: string | undefined): number => {
    if (label === undefined) return 0;
    const target = labels.get(label);
    const ahead = target === undefined ? -1 : target - at - 1;
    if (ahead < 0 || ahead > FARTHEST_JUMP) throw new RangeError(`no jump from ${at} to '${label}'`);
    return ahead;
  };
  for (const line of lines) {
    if (line.op === 'label') continue;
    const offset = at * INSTRUCTION_BYTES;
    program.setUint16(offset, CODES[line.op], true);
    if ('then' in line || 'else' in line) {
      program.setUint8(offset + 2, distance(line.then));
      program.setUint8(offset + 3, distance(line.else));
    }
    program.setUint32(offset + 4, line.op === 'load' ? line.offset : line.value, true);
    at += 1;
  }
  return new Uint8Array(program.buffer);
}
