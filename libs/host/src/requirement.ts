/** What a stage needs of the machine: data that `kiln doctor` shows and that stages check before they start. */
import type { Host } from './host.ts';

/** A way to get something that is missing. `command` needs root; `manual` is a sentence for a person. */
export type Fix =
  | { readonly kind: 'apt'; readonly packages: readonly string[] }
  | { readonly kind: 'command'; readonly argv: readonly [string, ...string[]] }
  | { readonly kind: 'manual'; readonly text: string };

export interface ProbeResult {
  readonly ok: boolean;
  /** The version or value that was found; empty when there is none. */
  readonly found: string;
  /** What is wrong, one sentence; empty when it is all right. */
  readonly message: string;
  /** How to get it, when it is missing. */
  readonly fix?: Fix;
}

/** A program or a capability of the machine. */
export interface Requirement {
  readonly name: string;
  /** What Kiln does with it. */
  readonly why: string;
  readonly minimalVersion?: string;
  /** The Debian package that has it. */
  readonly debianPackage?: string;
  probe(host: Host): Promise<ProbeResult>;
}

/** A program in PATH, by its version output; the first `number.number` in it is the version. */
export function programRequirement(options: {
  readonly program: string;
  readonly why: string;
  readonly debianPackage: string;
  readonly minimalVersion?: string;
  /** Arguments that print the version; `--version` when omitted. */
  readonly versionArguments?: readonly string[];
}): Requirement {
  const { program, why, debianPackage, minimalVersion } = options;
  const fix: Fix = { kind: 'apt', packages: [debianPackage] };
  return {
    name: program,
    why,
    debianPackage,
    ...(minimalVersion === undefined ? {} : { minimalVersion }),
    async probe(host) {
      const printed = await host
        .run({ argv: [program, ...(options.versionArguments ?? ['--version'])] })
        .catch(() => {});
      if (printed === undefined) {
        return { ok: false, found: '', message: `the program '${program}' is not installed or not in PATH`, fix };
      }
      const found = /\d+(\.\d+)+/.exec(printed.stdout + printed.stderr)?.[0] ?? '';
      if (minimalVersion !== undefined && compareNumbers(found, minimalVersion) < 0) {
        return {
          ok: false,
          found,
          message: `'${program}' is version ${found || 'unknown'}, needed is ${minimalVersion}`,
          fix,
        };
      }
      return { ok: true, found, message: '' };
    },
  };
}

/** Compares dotted numbers: negative, zero or positive. */
function compareNumbers(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  for (let i = 0; i < right!.length; i += 1) {
    const difference = (left![i] || 0) - right![i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
