/** The built-in behind the standard %autopatch: applies the patches of the spec in order. */
import type { Builtin, BuiltinCall } from '@kiln/rpm-macro';
import type { SourceState } from './spec-state.ts';

/** `%{apply_patches}` in the body of a macro with the options of %autopatch. `patches` gives the patches so far. */
export function applyPatchesBuiltin(patches: () => readonly SourceState[]): Builtin {
  return { name: 'apply_patches', arity: 0, run: (call) => run(call, patches()) };
}

function run({ context, expansion }: BuiltinCall, patches: readonly SourceState[]): void {
  const value = (text: string): string => context.expandPart(expansion, text).text;
  const wanted = value('%{?*}').split(/\s+/).filter(Boolean);
  const low = value('%{-m*}');
  const high = value('%{-M*}');
  const inRange = ({ number }: SourceState): boolean =>
    (low === '' || number >= Number(low)) && (high === '' || number <= Number(high));
  const chosen = wanted.length === 0 ? patches.filter(inRange).map(({ number }) => String(number)) : wanted;
  const options = value('%{!-v:-q} %{-p:-p%{-p*}}');
  for (const text of chosen) {
    const patch = patches.find(({ number }) => String(number) === text);
    if (patch === undefined) {
      context.fail(expansion, 'SPEC_PREP', `no such patch ${text}`);
      return;
    }
    const arguments_ = `${options} -m ${patch.fileName} ${patch.path} ${patch.number}`;
    expansion.out += value(`%{uncompress:${patch.path}} | %{expand:%__scm_apply_%{__scm} ${arguments_}}\n`);
  }
}
