/** Rules for compiled code: what the distribution's compiler and linker flags promise must be in every file. */
import type { FileRule, RuledFile } from './file-rules.ts';

/** `e_type` of ELF. */
const EXECUTABLE = 2;
/** `e_machine` of ELF by rpm's name of the architecture. */
const MACHINES: Readonly<Record<string, number>> = { x86_64: 62, aarch64: 183 };

export const HARDENING_RULES: readonly FileRule[] = [
  {
    code: 'ELF_NOT_PIE',
    hint: 'compile with -fPIE and link with -pie',
    check: (file, { architecture }) =>
      runsHere(file, architecture) && file.elf?.type === EXECUTABLE ? 'is not position-independent' : undefined,
  },
  {
    code: 'ELF_NO_RELRO',
    hint: "pass the distribution's linker flags to the build (%{build_ldflags} has -z relro)",
    check: (file, { architecture }) =>
      isLoaded(file, architecture) && file.elf?.hardening.relocationsReadOnly === false
        ? 'keeps its relocated data writable'
        : undefined,
  },
  {
    code: 'ELF_LAZY_BINDING',
    hint: "pass the distribution's linker flags to the build (%{build_ldflags} has -z now)",
    check: (file, { architecture }) =>
      isLoaded(file, architecture) && file.elf?.hardening.bindNow === false
        ? 'binds its symbols when they are first used'
        : undefined,
  },
  {
    code: 'ELF_EXECUTABLE_STACK',
    hint: 'give assembler files a .note.GNU-stack section, or link with -z noexecstack',
    check: (file, { architecture }) =>
      runsHere(file, architecture) && file.elf?.hardening.executableStack === true
        ? 'asks for an executable stack'
        : undefined,
  },
  {
    code: 'ELF_TEXT_RELOCATIONS',
    hint: 'compile all of it with -fPIC',
    check: (file, { architecture }) =>
      isLoaded(file, architecture) && file.elf?.hardening.textRelocations === true
        ? 'has relocations that write to its code'
        : undefined,
  },
  {
    code: 'COMPILER_FLAGS_IGNORED',
    hint: 'make the build system take CFLAGS and CXXFLAGS (%configure and %{set_build_flags} set them) and add nothing that takes them back',
    check: ({ elf, bytes }, { compilerFlags }) => {
      if (elf === undefined) return undefined;
      for (const producer of producersOf(bytes, elf)) {
        const fault = flagFault(producer, compilerFlags);
        if (fault !== undefined) return `${fault}: ${producer}`;
      }
      return undefined;
    },
  },
];

/** Whether the file is code for this machine that a user's program runs, not a kernel, a boot loader, or debug information. */
function runsHere({ entry, elf }: RuledFile, architecture: string): boolean {
  const elsewhere = /^\/(boot|usr\/lib\/(debug|modules|firmware|grub))\//;
  return elf !== undefined && elf.machine === MACHINES[architecture] && elf.type > 1 && !elsewhere.test(entry.path);
}

function isLoaded(file: RuledFile, architecture: string): boolean {
  return runsHere(file, architecture) && file.elf?.hardening.dynamic === true;
}

/**
 * How GCC compiled C and C++ code, as it notes itself in debug information (DW_AT_producer; each text once).
 * Assembler code and other languages have no such flags.
 */
export function producersOf(bytes: Uint8Array, elf: NonNullable<RuledFile['elf']>): string[] {
  const found = new Set<string>();
  for (const { name, offset, size } of elf.sections) {
    if (name !== '.debug_str' && name !== '.debug_line_str') continue;
    const section = Buffer.from(bytes.buffer, bytes.byteOffset + offset, size);
    for (let at = section.indexOf('GNU C'); at >= 0; at = section.indexOf('GNU C', at + 1)) {
      if (at > 0 && section[at - 1] !== 0) continue;
      const end = section.indexOf(0, at);
      const text = section.toString('latin1', at, end < 0 ? section.length : end);
      if (/^GNU C(\+\+)?\d+ \d/.test(text)) found.add(text);
    }
  }
  return [...found];
}

/** What is wrong with how code was compiled, if anything: a wanted flag is not there, or a later one takes it back or weakens it. */
function flagFault(producer: string, wanted: readonly string[]): string | undefined {
  const options = producer.split(' ');
  const missing: string[] = [];
  for (const flag of wanted) {
    const { subject } = choiceOf(flag);
    const decisive = options.findLast((option) => option.startsWith('-f') && choiceOf(option).subject === subject);
    if (decisive === undefined) missing.push(flag);
    else if (strengthOf(decisive) < strengthOf(flag)) return `has code compiled with ${decisive} instead of ${flag}`;
  }
  return missing.length > 0 ? `has code compiled without ${missing.join(' ')}` : undefined;
}

/** Of `-fno-stack-protector`: the subject `stack-protector` and the choice `no`. */
function choiceOf(option: string): { readonly subject: string; readonly choice: string } {
  const [, no, rest = ''] = /^-f(no-)?(.*)$/.exec(option) ?? [];
  const [, subject = '', choice = ''] = /^(.*?)(?:=(.*)|-(strong|all|explicit))?$/.exec(rest)?.filter(Boolean) ?? [];
  return { subject, choice: no === undefined ? choice : 'no' };
}

/** How much of a protection the option gives: gcc(1) on `-fstack-protector` and `-fcf-protection`; without a choice -fcf-protection is full. */
function strengthOf(option: string): number {
  const { subject, choice } = choiceOf(option);
  if (choice === 'no' || choice === 'none') return 0;
  if (subject === 'stack-protector') return choice === 'strong' || choice === 'all' ? 2 : 1;
  if (subject === 'cf-protection') return choice === 'branch' || choice === 'return' ? 1 : 2;
  return 1;
}
